import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@Suite("audispatch-elastic import", .onThreads)
struct ImportTests {
  private static let program = "\(PluginRun.products)/audispatch-elastic"

  private static func put(_ text: String, at path: String) throws {
    let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
    try Transfer.writeAll(file.number, Array(text.utf8))
  }

  private static func text(of path: String) throws -> String {
    String(decoding: try Transfer.contents(of: path, limit: 1 << 20), as: UTF8.self)
  }

  private static let whole = """
    auditbeat.modules:
    - module: auditd
      include_raw_message: true
      audit_rule_files: ['${path.config}/rules.d/*.conf', /nowhere/*.conf]
      audit_rules: |
        -w /etc/passwd -p wa -k identity
    output.elasticsearch:
      hosts: ["https://es.example.org", "ftp://x"]
      index: Audit
      api_key: "id:secret"
      headers: {X-Tenant: "audit  team"}
      compression_level: 3

    """

  @Test func `makes settings that the plugin takes, and rules`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    try Self.put(Self.whole, at: "\(folder)/auditbeat.yml")
    unsafe mkdir("\(folder)/rules.d", 0o700)
    unsafe mkdir("\(folder)/out", 0o700)
    try Self.put("# more\n-w /etc/group -p wa\n", at: "\(folder)/rules.d/b.conf")
    try Self.put("-w ${HOME} -p wa\n", at: "\(folder)/rules.d/c.conf")
    let run = try CommandRun(
      Self.program, "import", "\(folder)/auditbeat.yml", "\(folder)/out")
    #expect(run.end == .exit(0), "\(run.error)")
    #expect(run.output == "\(folder)/out/elastic.conf\n\(folder)/out/auditbeat.rules\n")
    for expected in [
      "auditbeat.yml:4:55: warning: there is no such file ('/nowhere/*.conf')",
      "auditbeat.yml:8:37: warning: server is left out: a URL begins with https:// or http://",
      "auditbeat.yml:9:10: warning: index is left out: index has no capital letters",
      "auditbeat.yml:10:12: warning: is a secret, and not copied",
      "1 line of \(folder)/rules.d/c.conf",
      "5 settings, 2 rules; 5 of the lines above are warnings",
      "systemctl disable --now auditbeat",
    ] { #expect(run.error.contains(expected), "\(expected) in \(run.error)") }
    #expect(!(run.error + run.output).contains("id:secret"))
    let settings = try Self.text(of: "\(folder)/out/elastic.conf")
    #expect(
      settings.split(separator: "\n").filter { !$0.hasPrefix("#") } == [
        "server = https://es.example.org:9200", "api_key_file = /etc/audispatch/elastic.key",
        "header = \"X-Tenant: audit  team\"", "compression = 3", "original = yes",
      ])
    let rules = try Self.text(of: "\(folder)/out/auditbeat.rules")
    #expect(
      rules.hasSuffix(
        """
        -w /etc/passwd -p wa -k identity
        # \(folder)/rules.d/b.conf
        # more
        -w /etc/group -p wa
        # \(folder)/rules.d/c.conf
        # not imported: -w ${HOME} -p wa

        """), "\(rules)")
    // The key is all that is missing.
    let check = try CommandRun(Self.program, "--config", "\(folder)/out/elastic.conf", "--check")
    #expect(check.output.hasSuffix("1 error, 0 warnings\n"), "\(check.output)")
    #expect(check.output.contains("cannot read /etc/audispatch/elastic.key"))
    // Nothing is written over.
    let again = try CommandRun(
      Self.program, "import", "\(folder)/auditbeat.yml", "\(folder)/out")
    #expect(again.end == .exit(1))
    #expect(again.error.contains("elastic.conf is there already; nothing is written"))
    let shown = try CommandRun(Self.program, "import", "\(folder)/auditbeat.yml")
    #expect(shown.output == settings + "\n" + rules)
  }

  @Test func `leaves nothing behind when it cannot end`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    try Self.put("output.elasticsearch: {}\n", at: "\(folder)/auditbeat.yml")
    let run = try CommandRun(
      "/bin/sh", "-c",
      "exec '\(Self.program)' import '\(folder)/auditbeat.yml' '\(folder)' >/dev/full")
    #expect(run.end == .exit(1))
    #expect(run.error.contains("No space left on device"), "\(run.error)")
    for name in ["elastic.conf", "auditbeat.rules"] {
      #expect(unsafe access("\(folder)/\(name)", F_OK) != 0, "\(name)")
    }
  }

  @Test func `writes nothing where anything is wrong`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    unsafe mkdir("\(folder)/rules.d", 0o700)
    let wrong = [
      ("a: [", ":1:5: error: no YAML"),
      ("output.elasticsearch: {timeout: soon}\n", "error: timeout is a time"),
      (
        "auditbeat.modules: [{module: auditd, audit_rule_files: ['${path.config}/rules.*']}]\n",
        "rules.d is a directory, not a file"
      ),
    ]
    for (text, expected) in wrong {
      try Self.put(text, at: "\(folder)/auditbeat.yml")
      let run = try CommandRun(Self.program, "import", "\(folder)/auditbeat.yml", folder)
      #expect(run.end == .exit(1) && run.output.isEmpty)
      #expect(
        run.error.contains(expected) && run.error.contains("nothing is written"), "\(run.error)")
      #expect(unsafe access("\(folder)/elastic.conf", F_OK) != 0)
    }
    #expect(try CommandRun(Self.program, "import", "\(folder)/none").end == .exit(1))
    let without = try CommandRun(Self.program, "import")
    #expect(without.end == .exit(2) && without.error.contains("import needs a file"))
    #expect(try CommandRun(Self.program, "import", "a", "b", "c").end == .exit(2))
  }
}
