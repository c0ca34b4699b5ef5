import Foundation
import Testing

/// A file of `plugins.d` and what comes of it: nil when no plugin starts, else its arguments.
struct FolderCase: Sendable, CustomTestStringConvertible {
  let id: String
  /// What the file is called; `P` in the text stands for the executable's path.
  let file: String
  let text: String
  let expected: Expected<[String]?>
  var fileMode = 0o640
  var fileOwner: UInt32 = 0
  var programMode = 0o750
  var programOwner: UInt32 = 0
  var programKind = Kind.regular
  var link = Link.none

  enum Kind: Sendable { case regular, missing, folder, link }
  enum Link: Sendable { case none, toFile, dangling, folder }

  var testDescription: String { id }

  init(
    _ id: String, _ file: String, _ text: String, _ expected: Expected<[String]?>,
    _ change: (inout FolderCase) -> Void = { _ in }
  ) {
    (self.id, self.file, self.text, self.expected) = (id, file, text, expected)
    change(&self)
  }
}

private let plain = "active = yes\ndirection = out\npath = P\ntype = always\nformat = string\n"
private let started: Expected<[String]?> = Expected(both: [])
private let skipped: Expected<[String]?> = Expected(both: nil)
/// The reference is strict without need.
private let onlyOurs: Expected<[String]?> = Expected(auditd309: nil, ours: [])
private let onlyTheirs: Expected<[String]?> = Expected(auditd309: [], ours: nil)

private let cases: [FolderCase] = [
  FolderCase("C1 .conf", "c1.conf", plain, started),
  FolderCase("C1 no dot", "c1plain", plain, started),
  FolderCase("C1 .bak", "c1.bak", plain, onlyTheirs),
  FolderCase("C1 .conf~", "c1.conf~", plain, onlyTheirs),
  FolderCase("C2 hidden", ".c2.conf", plain, skipped),
  FolderCase("C2 two dots", "c2.b.conf", plain, skipped),
  FolderCase(
    "C3", "c3.conf",
    "  ACTIVE   =   YES \ndirection = out\npath = P\ntype = always\nformat = STRING\n", started),
  FolderCase(
    "C4 tabs", "c4t.conf", "active\t=\tyes\ndirection = out\npath\t=\tP\n", onlyOurs),
  FolderCase("C5 tab line", "c5.conf", plain + "\t\n", onlyOurs),
  FolderCase("C5 tab comment", "c5c.conf", plain + "\t# x\n", onlyOurs),
  FolderCase("C6", "c6.conf", "   # x\n\n" + plain, started),
  FolderCase("C7", "c7.conf", "active = yes # c\ndirection = out\npath = P\n", skipped),
  FolderCase("C8", "c8.conf", plain + "foo = bar\n", skipped),
  FolderCase("C9 args =", "c9.conf", plain + "args =\n", skipped),
  FolderCase("C9 args", "c9b.conf", plain + "args\n", skipped),
  FolderCase(
    "C10", "c10.conf", plain + "args = a b c\n",
    Expected(auditd309: ["a", "b"], ours: ["a", "b", "c"])),
  FolderCase(
    "C11", "c11.conf", plain + "args = \"a b\"\n",
    Expected(auditd309: ["\"a", "b\""], ours: ["a b"])),
  FolderCase("C12", "c12.conf", plain + "active = no\n", skipped),
  FolderCase(
    "C13", "c13.conf", "direction = out\npath = P\ntype = always\nactive = yes", onlyOurs),
  FolderCase(
    "C14 158", "c14a.conf", "#" + String(repeating: "x", count: 157) + "\n" + plain, started),
  FolderCase(
    "C14 159", "c14b.conf", "#" + String(repeating: "x", count: 158) + "\n" + plain, started),
  FolderCase("C15", "c15.conf", plain.replacing("\n", with: "\r\n"), onlyOurs),
  FolderCase("C16 in", "c16a.conf", plain.replacing("= out", with: "= in"), skipped),
  FolderCase("C16 none", "c16b.conf", plain.replacing("direction = out\n", with: ""), started),
  FolderCase("C17 type", "c17a.conf", plain.replacing("always", with: "never"), skipped),
  FolderCase("C17 format", "c17b.conf", plain.replacing("= string", with: "= json"), skipped),
  FolderCase("C18", "c18.conf", "active = yes\n", skipped),
  FolderCase("C20 missing", "c20a.conf", plain, skipped) { $0.programKind = .missing },
  FolderCase("C20 folder", "c20b.conf", plain, skipped) { $0.programKind = .folder },
  FolderCase("C20 owner", "c20c.conf", plain, skipped) { $0.programOwner = 1 },
  FolderCase("C21 0750", "c21a.conf", plain, started),
  FolderCase("C21 0755", "c21b.conf", plain, started) { $0.programMode = 0o755 },
  FolderCase("C21 0777", "c21c.conf", plain, onlyTheirs) { $0.programMode = 0o777 },
  FolderCase("C21 0700", "c21d.conf", plain, onlyOurs) { $0.programMode = 0o700 },
  FolderCase("C21 0555", "c21e.conf", plain, onlyOurs) { $0.programMode = 0o555 },
  FolderCase("C21 0744", "c21f.conf", plain, onlyOurs) { $0.programMode = 0o744 },
  FolderCase("C22 0660", "c22a.conf", plain, onlyTheirs) { $0.fileMode = 0o660 },
  FolderCase("C22 0602", "c22b.conf", plain, skipped) { $0.fileMode = 0o602 },
  FolderCase("C22 owner", "c22c.conf", plain, skipped) { $0.fileOwner = 1 },
  FolderCase("C23 link", "c23a.conf", plain, started) { $0.link = .toFile },
  FolderCase("C23 dangling", "c23b.conf", plain, skipped) { $0.link = .dangling },
  FolderCase("C23 folder", "c23c.conf", plain, skipped) { $0.link = .folder },
  FolderCase("C24", "c24.conf", plain, started) { $0.programKind = .link },
  FolderCase("C25 empty", "c25.conf", "", skipped),
]

/// Cases C1 to C25: all of them in one folder, so a bad file stops no other.
@Suite("A folder of plugin files", .inTurn, .enabled(if: RealAuditd.isHere, RealAuditd.why))
struct PluginFolderTests {
  @Test(arguments: DispatcherKind.allCases, cases)
  func `starts what it should, with its arguments`(
    kind: DispatcherKind, example: FolderCase
  ) async throws {
    let starts = try await Self.starts[kind]!.value
    #expect(starts[example.id] == example.expected[kind])
  }

  @Test func `gives a plugin under every kind of name the same event`() async throws {
    let scratch = try Scratch()
    let plugin = try await Programs.plugin()
    let daemon = try await Audispatchd(
      [
        PluginFile("a", plugin, ["copy", scratch("a")]),
        PluginFile("b.conf", plugin, ["copy", scratch("b")]),
      ],
      scratch: scratch)
    let line = "type=SYSCALL msg=audit(1.0:1): x=1"
    try await daemon.send([line])
    try await daemon.finish()
    #expect(scratch.lines("a") == [line])
    #expect(scratch.lines("b") == [line])
  }

  /// Each dispatcher is started once with the whole folder.
  private static let starts: [DispatcherKind: Task<[String: [String]], any Error>] =
    Dictionary(
      uniqueKeysWithValues: DispatcherKind.allCases.map { kind in
        (kind, Task { try await starts(of: kind) })
      })

  private static func starts(of kind: DispatcherKind) async throws -> [String: [String]] {
    let scratch = try Scratch()
    for (index, example) in cases.enumerated() { try lay(example, index, in: scratch) }
    let dispatcher = try await kind.start([], scratch: scratch)
    let event = TestEvent(1)
    try await dispatcher.send([event])
    let last = cases.indices.filter { cases[$0].expected[kind] != nil }
    // Those that do not are found by the comparison.
    try? await eventually("all plugins have started and have the event") {
      last.allSatisfy { scratch.text("\($0)/P.out").contains(event.lines[0]) }
    }
    dispatcher.child.signal(SIGTERM)
    _ = try await dispatcher.child.end()
    var starts: [String: [String]] = [:]
    for (index, example) in cases.enumerated() where scratch.exists("\(index)/P.started") {
      starts[example.id] = scratch.lines("\(index)/P.argv")
    }
    return starts
  }

  private static let script = """
    #!/bin/sh
    for word in "$@"; do printf '%s\\n' "$word" >> "${0%/*}/P.argv"; done
    : > "${0%/*}/P.started"
    exec cat >> "${0%/*}/P.out"

    """

  private static func lay(_ example: FolderCase, _ index: Int, in scratch: Scratch) throws {
    let program = "\(index)/P"
    try scratch.folder("\(index)")
    try scratch.folder("plugins.d")
    switch example.programKind {
    case .missing: break
    case .folder: try scratch.folder(program)
    case .regular:
      try scratch.write(script, to: program, mode: example.programMode)
      unsafe chown(scratch(program), example.programOwner, 0)
    case .link:
      try scratch.write(script, to: program + ".real", mode: example.programMode)
      unsafe symlink(scratch(program + ".real"), scratch(program))
    }
    let text = example.text.replacing("path = P", with: "path = " + scratch(program))
      .replacing("path\t=\tP", with: "path\t=\t" + scratch(program))
    let file = "plugins.d/" + example.file
    switch example.link {
    case .none:
      try scratch.write(text, to: file, mode: example.fileMode)
      unsafe chown(scratch(file), example.fileOwner, 0)
    case .toFile:
      try scratch.write(text, to: "\(index)/conf")
      unsafe symlink(scratch("\(index)/conf"), scratch(file))
    case .dangling: unsafe symlink(scratch("nothing"), scratch(file))
    case .folder: try scratch.folder(file)
    }
  }
}
