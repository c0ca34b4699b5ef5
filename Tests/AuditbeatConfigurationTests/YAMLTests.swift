import AuditbeatConfiguration
import Configuration
import Testing

@Suite("YAML of any bytes")
struct YAMLTests {
  static let faults: [(String, String)] = [
    ("", "a.yml: error: nothing in it"), ("~\n", "nothing in it"), ("# a\n", "nothing in it"),
    ("- a\n", "auditbeat.yml is a table, not a list"), ("a: [1\n", "a.yml:2:1: error: no YAML: "),
    ("a: b: c\n", "a.yml:1:5: error: no YAML: "), ("a:\n\tb: c\n", "a.yml:2:1: error: no YAML: "),
    ("ä: 'ö\u{e9}': x\n", "a.yml:1:11: error: no YAML: "),
    ("a: \u{1}\n", "a.yml:1:4: error: no YAML"),
    ("a: *b\n", "a.yml:1:4: error: an alias of nothing"),
    ("a: &b [*b]\n", "a.yml:1:8: error: an alias of nothing"),
    ("[a]: b\n", "a key is a single value"),
    ("a: !x b\n", "a.yml:1:4: error: a tag that has no meaning ('!x')"),
    ("a: b\n---\nc: d\n", "a.yml:2:1: error: a second document"),
    ("a: b\n<<: c\n", "'<<' merges tables"), ("a: {<<: [1]}\n", "'<<' merges tables"),
    ("a: 1\na: 2\n", "a.yml:2:1: error: given before, on line 1 ('a')"),
    (String(repeating: "a", count: 600) + ": b\n", "a name of more than 512 bytes"),
  ]

  @Test(arguments: faults.indices)
  func `is refused with the place`(_ index: Int) {
    let (text, expected) = Self.faults[index]
    #expect(Imported(text).says(expected), "\(text): \(Imported(text).said)")
  }

  @Test func `is UTF-8, and not without bound`() {
    #expect(Imported([0x61, 0x3a, 0x20, 0xff]).says("not UTF-8"))
    #expect(Imported([UInt8](repeating: 0x20, count: 300_000)).says("longer than 256 KiB"))
    #expect(Imported("a: [" + String(repeating: "1,", count: 30_000) + "]").says("more than 20000"))
  }

  @Test func `is nested, and repeated by aliases, only so far`() {
    for text in [
      "a: " + String(repeating: "[", count: 900), "a: " + String(repeating: "{a: ", count: 900),
      "a: " + String(repeating: "[", count: 100_000),
      "a: &a0 [x]\n"
        + (1...100).map { "b\($0): &a\($0) [*a\($0 - 1)]\n" }.joined(),
    ] { #expect(Imported(text).said.contains { $0.contains("nested too deeply") }) }
    let laughs =
      "a: &a0 [x, x, x, x, x, x, x, x, x]\n"
      + (1...9).map { n in
        "b\(n): &a\(n) [\([String](repeating: "*a\(n - 1)", count: 9).joined(separator: ","))]\n"
      }.joined()
    #expect(Imported(laughs).says("more than 20000 values"))
    let tables =
      "a: &a0 {x: y}\n"
      + (1...30).map { n in
        "b\(n): &a\(n) {c: *a\(n - 1), d: *a\(n - 1)}\n"
      }.joined()
    #expect(Imported(tables).said.contains { $0.contains(" error: ") })
  }

  @Test func `takes no harm from damage`() {
    let whole = Array(
      """
      auditbeat.modules:
      - {module: auditd, backlog_limit: 9, audit_rules: "-w /a -p r\\n"}
      x: &x [a, 'b', "c\\t"]
      output.elasticsearch: {hosts: *x, ssl: {key: /k}, headers: {a: b}, timeout: 1s}
      """.utf8)
    for place in whole.indices {
      for byte: UInt8 in [0, 0x0a, 0x22, 0x5b, 0x7b, 0x2e, 0x26, 0x2a, 0x3a, 0xff] {
        var bytes = whole
        bytes[place] = byte
        _ = Imported(bytes)
      }
      _ = Imported(Array(whole[..<place]))
    }
    #expect(Imported(whole).settings.count == 6)
  }

  @Test func `becomes lines that are read as what was meant`() {
    let text = """
      auditbeat.modules: [{module: auditd}]
      output.elasticsearch:
        hosts: a
        headers: {A: "it's", B: 'a "b"', C: "it's \\"c\\"", D: "\\"d", E: "#e"}
        pipeline: "'"
      """
    let (found, diagnostics) = AuditbeatConfiguration.read(
      Array(text.utf8), file: "a.yml", folder: "/")
    let made = ConfigurationText(
      Array(ImportedText.settings(found.settings, from: "a\n.yml").utf8), file: "elastic.conf")
    #expect(made.diagnostics == [])
    #expect(made.settings.map(\.values[0].text) == found.settings.map(\.values[0].text))
    #expect(found.settings.count == 6)
    #expect(diagnostics.count == 1 && diagnostics[0].message.contains("cannot stand on a line"))
  }
}
