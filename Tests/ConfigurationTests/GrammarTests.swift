import Configuration
import Testing

@Suite("A line of a configuration file")
struct GrammarTests {
  static let values: [(String, [String])] = [
    ("k = v", ["v"]), ("  k   =   v  ", ["v"]), ("\tk\t=\tv\t", ["v"]), ("k = v\r", ["v"]),
    ("k = a b c d e f g", ["a", "b", "c", "d", "e", "f", "g"]),
    ("k = 'a b' \"c d\"", ["a b", "c d"]), ("k = 'say \"hi\"'", ["say \"hi\""]),
    ("k = \"it's\"", ["it's"]), ("k = ''", [""]), ("k = \"a\tb\"", ["a\tb"]),
    ("k = a\"b c'd", ["a\"b", "c'd"]), ("k = --x=y", ["--x=y"]), ("k = =", ["="]),
    ("k = a # b", ["a", "#", "b"]), ("k = \\", ["\\"]), ("k = 'a\\'", ["a\\"]), ("k = é", ["é"]),
  ]

  @Test(arguments: values)
  func `gives its values`(_ line: String, _ expected: [String]) {
    let text = ConfigurationText(Array(line.utf8), file: "f")
    #expect(text.settings.map { $0.values.map(\.text) } == [expected])
    #expect(text.diagnostics.isEmpty)
  }

  @Test(arguments: [
    "", " ", "\t", "\r", "#", "# a = b", "   # x", "\t#", "#\u{0}", "#\u{1B}[31m", "\u{FEFF}",
    "\u{FEFF}# x",
  ])
  func `may say nothing`(_ line: String) {
    let text = ConfigurationText(Array(line.utf8), file: "f")
    #expect(text.settings.isEmpty)
    #expect(text.diagnostics.isEmpty)
  }

  static let problems: [([UInt8], String)] = [
    ("k", "f:1:2: error: no '=' after the keyword ('k'); write 'keyword = value'"),
    ("k v", "f:1:3: error: no '=' after the keyword ('k'); write 'keyword = value'"),
    ("k =", "f:1:4: error: no value after '=' ('k')"),
    ("k = \r", "f:1:5: error: no value after '=' ('k')"),
    ("= v", "f:1:1: error: no keyword before '=' ('=')"),
    ("k=v", "f:1:2: error: no space around '=' ('='); write 'k = v'"),
    ("k =v", "f:1:3: error: no space around '=' ('='); write 'k = v'"),
    ("k= v", "f:1:2: error: no space around '=' ('='); write 'k = v'"),
    (
      "k = 'a b",
      "f:1:5: error: the quote is not closed (''a b'); "
        + "a value that begins with one is closed with the same"
    ),
    (
      "k = 'a'b c",
      "f:1:8: error: text directly after a closing quote ('b'); "
        + "put the quotes around the whole value"
    ),
    ("k = a\u{0}b", "f:1:6: error: NUL byte ('a\\x00b')"),
    ("\u{0}", "f:1:1: error: NUL byte ('\\x00')"),
    ("k = \u{1B}[31m", "f:1:5: error: control character 0x1B ('\\x1B[31m')"),
    ("k = a\rb", "f:1:6: error: control character 0x0D ('a\\x0Db')"),
  ].map { (Array($0.utf8), $1) }

  @Test(arguments: problems)
  func `says what is wrong and where`(_ line: [UInt8], _ expected: String) {
    let text = ConfigurationText(line, file: "f")
    #expect(text.diagnostics.map(\.description) == [expected])
    #expect(text.settings.isEmpty)
  }

  @Test func `says where it stops being UTF-8`() {
    let text = ConfigurationText(Array("k = é".utf8) + [0xE9, 0x20, 0x61], file: "f")
    #expect(text.diagnostics.map(\.description) == ["f:1:7: error: not UTF-8 ('é\u{FFFD}')"])
  }

  @Test func `may have any bytes in a comment`() {
    let text = ConfigurationText(Array("# Gr".utf8) + [0xFC, 0xDF, 0x65, 0x0A], file: "f")
    #expect(text.diagnostics.isEmpty)
  }

  @Test func `keeps the place of every word`() {
    let text = ConfigurationText(Array("\n\r\n  key =  one\t'two three'\n".utf8), file: "f")
    let words = text.settings.flatMap { [$0.keyword] + $0.values }
    #expect(words.map(\.position.line) == [3, 3, 3])
    #expect(words.map(\.position.column) == [3, 10, 14])
  }

  @Test(arguments: [(0, true), (1, false)])
  func `has at most 64 KiB`(_ over: Int, _ fits: Bool) {
    let value = String(repeating: "v", count: ConfigurationText.lineLimit - 4 + over)
    let text = ConfigurationText(Array("k = \(value)\nl = w\n".utf8), file: "f")
    #expect(text.settings.map(\.keyword.text) == (fits ? ["k", "l"] : ["l"]))
    #expect(
      text.diagnostics.map(\.description)
        == (fits ? [] : ["f:1:65537: error: the line is longer than 64 KiB"]))
  }

  @Test func `is not looked for in a file over 256 KiB`() {
    let bytes = [UInt8](repeating: 0x0A, count: ConfigurationText.fileLimit + 1)
    let text = ConfigurationText(bytes, file: "f")
    #expect(text.diagnostics.map(\.description) == ["f: error: longer than 256 KiB"])
  }

  @Test func `does not depend on how the file ends`() {
    let with = ConfigurationText(Array("a = b\nc = d\n".utf8), file: "f")
    let without = ConfigurationText(Array("a = b\nc = d".utf8), file: "f")
    #expect(with == without)
  }

  @Test func `is not read after a hundred problems`() {
    let text = ConfigurationText(Array(String(repeating: "k\n", count: 1000).utf8), file: "f")
    #expect(text.diagnostics.count == 101)
    #expect(
      text.diagnostics.last?.description
        == "f:101:1: error: too many problems; not read from here on")
  }
}
