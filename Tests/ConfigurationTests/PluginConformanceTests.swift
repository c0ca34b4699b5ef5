import Configuration
import Testing

/// One case of the reference table, C1 to C25: what auditd 3.0.9 does with a plugin file, and what
/// this does. The reasons for every difference are in Documentation/deviations.md.
struct PluginCase: CustomTestStringConvertible, Sendable {
  enum Outcome: Equatable, Sendable {
    /// Started, with these arguments.
    case started([String] = [])
    /// Read, and not to be started.
    case inactive
    /// An error, and not started.
    case skipped
    /// Not looked into.
    case unread
    /// The file is used without the line in question.
    case lineSkipped
  }

  var id: String
  var what: String
  var host: Host
  var reference: Outcome
  var ours: Outcome
  /// How many errors, warnings and notes of ours name the file.
  var said: [Int]

  var testDescription: String { "\(id) \(what)" }

  init(
    _ id: String, _ what: String, _ text: String = Plain.text, as name: String = "a.conf",
    mode: UInt32 = 0o640, owner: UInt32 = 0, auditd reference: Outcome, ours: Outcome? = nil,
    errors: Int? = nil, warnings: Int = 0, notes: Int = 0, change: (inout Host) -> Void = { _ in }
  ) {
    self.id = id
    self.what = what
    host = Host()
    host[Host.plugins + "/" + name] = .file(text, owner: owner, mode: mode)
    change(&host)
    self.reference = reference
    self.ours = ours ?? reference
    said = [errors ?? (self.ours == .skipped ? 1 : 0), warnings, notes]
  }

  static let file = Host.plugins + "/a.conf"

  static let all = written + executableModes

  static let written: [PluginCase] = [
    PluginCase("C1", "a.conf", auditd: .started()),
    PluginCase("C1", "a", as: "a", auditd: .started()),
    PluginCase("C1", "a.bak", as: "a.bak", auditd: .started(), ours: .unread, notes: 1),
    PluginCase("C1", "a.conf~", as: "a.conf~", auditd: .started(), ours: .unread, notes: 1),
    PluginCase("C2", ".a.conf", as: ".a.conf", auditd: .unread),
    PluginCase("C2", "a.b.conf", as: "a.b.conf", auditd: .unread, notes: 1),
    PluginCase(
      "C3", "any case, extra spaces",
      "  ACTIVE   =  YES \n" + Plain.without("active") + "Format = STRING\n", auditd: .started(),
      warnings: 1),
    PluginCase("C4", "key=value", Plain.with("active=yes"), auditd: .skipped),
    PluginCase(
      "C4", "tabs around =", Plain.without("active") + "active\t=\tyes\n", auditd: .skipped,
      ours: .started()),
    PluginCase("C5", "a line of a tab", Plain.text + "\t\n", auditd: .skipped, ours: .started()),
    PluginCase("C5", "a tab before #", Plain.text + "\t# x\n", auditd: .skipped, ours: .started()),
    PluginCase("C6", "spaces before #, blank line", Plain.text + "   # x\n\n", auditd: .started()),
    PluginCase(
      "C7", "inline comment", Plain.without("active") + "active = yes # c\n", auditd: .skipped),
    PluginCase("C8", "unknown keyword", Plain.with("foo = bar"), auditd: .skipped),
    PluginCase("C9", "args =", Plain.text + "args =\n", auditd: .skipped),
    PluginCase("C9", "args", Plain.text + "args\n", auditd: .skipped),
    PluginCase(
      "C10", "three arguments", Plain.with("args = a b c"), auditd: .started(["a", "b"]),
      ours: .started(["a", "b", "c"])),
    PluginCase(
      "C11", "quotes", Plain.with("args = \"a b\""), auditd: .started(["\"a", "b\""]),
      ours: .started(["a b"])),
    PluginCase(
      "C12", "twice", Plain.text + "active = no\n", auditd: .inactive, warnings: 1),
    PluginCase(
      "C13", "no newline at the end", Plain.without("active") + "active = yes",
      auditd: .lineSkipped,
      ours: .started()),
    PluginCase(
      "C14", "comment of 158 bytes", "#" + String(repeating: "c", count: 157) + "\n" + Plain.text,
      auditd: .started()),
    PluginCase(
      "C14", "comment of 159 bytes", "#" + String(repeating: "c", count: 158) + "\n" + Plain.text,
      auditd: .lineSkipped, ours: .started()),
    PluginCase(
      "C15", "CRLF", Plain.lines.map { $0 + "\r\n" }.joined(), auditd: .skipped, ours: .started()),
    PluginCase("C16", "direction = in", Plain.with("direction = in"), auditd: .skipped),
    PluginCase("C16", "no direction", Plain.without("direction"), auditd: .started()),
    PluginCase("C17", "type = never", Plain.with("type = never"), auditd: .skipped),
    PluginCase("C17", "format = json", Plain.with("format = json"), auditd: .skipped),
    PluginCase("C18", "active without path", Plain.without("path"), auditd: .skipped),
    PluginCase("C18", "inactive without path", "active = no\n", auditd: .inactive),
    PluginCase(
      "C19", "short folder", Plain.with("path = /x/y"), auditd: .skipped, ours: .started()
    ) {
      $0["/x"] = .directory()
      $0["/x/y"] = .program()
    },
    PluginCase("C19", "bare name", Plain.with("path = prog"), auditd: .skipped),
    PluginCase(
      "C19", "bare name, inactive", Plain.with("path = prog", "active = no"), auditd: .skipped),
    PluginCase("C20", "path missing", Plain.with("path = /sbin/none"), auditd: .skipped),
    PluginCase("C20", "path a folder", Plain.with("path = /usr/sbin"), auditd: .skipped),
    PluginCase("C20", "executable of uid 1", auditd: .skipped) {
      $0["/sbin/p"] = .program(owner: 1)
    },
    PluginCase(
      "C20", "inactive, path missing", Plain.with("active = no", "path = /sbin/none"),
      auditd: .inactive),
    PluginCase("C22", "mode 0660", mode: 0o660, auditd: .started(), ours: .skipped),
    PluginCase("C22", "mode 0602", mode: 0o602, auditd: .skipped),
    PluginCase("C22", "uid 1", owner: 1, auditd: .skipped),
    PluginCase("C23", "link", auditd: .started()) {
      $0["/usr/sbin/good"] = $0[file]
      $0[file] = .link("/usr/sbin/good")
    },
    PluginCase("C23", "dangling link", auditd: .unread, warnings: 1) {
      $0[file] = .link("/nowhere")
    },
    PluginCase("C23", "folder", auditd: .skipped) { $0[file] = .directory() },
    PluginCase("C24", "executable is a link", auditd: .started()) {
      $0["/usr/sbin/good"] = .program()
      $0["/sbin/p"] = .link("/usr/sbin/good")
    },
    PluginCase("C25", "empty file", "", auditd: .inactive, notes: 1),
  ]

  /// C21; 4.0.4 accepts 0550 and 0555 too, 4.2 rejects 0770, 0757 and 0777.
  static let executableModes: [PluginCase] = [
    (0o750, .started(), .started()), (0o755, .started(), .started()),
    (0o4755, .started(), .started()), (0o770, .started(), .skipped),
    (0o757, .started(), .skipped), (0o777, .started(), .skipped),
    (0o700, .skipped, .started()), (0o710, .skipped, .started()),
    (0o550, .skipped, .started()), (0o555, .skipped, .started()),
    (0o744, .skipped, .started()), (0o650, .skipped, .skipped), (0o644, .skipped, .skipped),
  ].map { (mode: UInt32, reference: Outcome, ours: Outcome) in
    PluginCase("C21", "mode 0\(String(mode, radix: 8))", auditd: reference, ours: ours) {
      $0["/sbin/p"] = .program(mode: mode)
    }
  }
}

@Suite("A plugin file, against auditd's table")
struct PluginConformanceTests {
  @Test(arguments: PluginCase.all)
  func `has the outcome of the table`(_ expected: PluginCase) {
    let loaded = expected.host.load()
    let outcome: PluginCase.Outcome =
      if let plugin = loaded.plugins.first {
        plugin.isActive ? .started(plugin.arguments) : .inactive
      } else {
        loaded.unusablePlugins.isEmpty ? .unread : .skipped
      }
    #expect(outcome == expected.ours)
  }

  @Test(arguments: PluginCase.all)
  func `says as much as the table wants`(_ expected: PluginCase) {
    let said = expected.host.load().diagnostics.filter { $0.file.hasPrefix(Host.plugins) }
    let counts = [Diagnostic.Severity.error, .warning, .note].map { severity in
      said.count { $0.severity == severity }
    }
    #expect(counts == expected.said, "\(said)")
  }

  @Test(arguments: PluginCase.all)
  func `never stops another`(_ expected: PluginCase) {
    var host = expected.host
    host[Host.plugins + "/z.conf"] = .file(Plain.with("path = /usr/sbin/z"))
    host["/usr/sbin/z"] = .program()
    let loaded = host.load()
    #expect(loaded.plugins.last?.name == "z")
    #expect(loaded.plugins.last?.isActive == true)
  }

  @Test func `is not missed when the folder is empty`() {
    let loaded = Host().load()
    #expect(loaded.plugins.isEmpty)
    #expect(loaded.exitStatus == 0)
  }
}
