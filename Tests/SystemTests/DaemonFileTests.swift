import Foundation
import Testing

/// A line of the daemon's file, and how a daemon that is started with it ends; nil: it runs.
struct DaemonFileCase: Sendable, CustomTestStringConvertible {
  let id: String
  let lines: [String: String]
  let expected: Expected<Int32?>
  var testDescription: String {
    "\(id) \(lines.sorted { $0.key < $1.key }.map { "\($0) = \($1)" }.joined(separator: ", "))"
  }

  init(_ id: String, _ lines: [String: String], _ expected: Expected<Int32?>) {
    (self.id, self.lines, self.expected) = (id, lines, expected)
  }
}

private let runs: Expected<Int32?> = Expected(both: nil)
private let refused: Expected<Int32?> = Expected(both: 6)

private let cases: [DaemonFileCase] = [
  DaemonFileCase("C26", ["q_depth": "99999"], runs),
  DaemonFileCase("C26", ["q_depth": "100000"], Expected(auditd309: 6, ours: nil)),
  DaemonFileCase("C26", ["q_depth": "100"], runs),
  DaemonFileCase("C26", ["q_depth": "1k"], refused),
  DaemonFileCase("C26", ["q_depth": "-5"], refused),
  DaemonFileCase("C27", ["overflow_action": "foo"], refused),
  DaemonFileCase("C27", ["max_restarts": "-1"], refused),
  DaemonFileCase("C27", ["max_restarts": "2147483648"], refused),
  DaemonFileCase("C27", ["unknown": "keyword"], refused),
  DaemonFileCase("C27", ["name": "a b"], refused),
  DaemonFileCase("C28", ["dispatcher": "/sbin/audispd"], runs),
  DaemonFileCase("C28", ["disp_qos": "anything"], runs),
  DaemonFileCase("C29", ["name_format": "user"], Expected(auditd309: 1, ours: 6)),
  DaemonFileCase("C29", ["name_format": "user", "name": "host-1"], runs),
]

/// Cases C26 to C29 with a daemon that runs, or does not.
@Suite("The daemon's file", .inTurn, .enabled(if: RealAuditd.isHere, RealAuditd.why))
struct DaemonFileTests {
  @Test(arguments: DispatcherKind.allCases, cases)
  func `lets the daemon run or ends it with its status`(
    kind: DispatcherKind, example: DaemonFileCase
  ) async throws {
    let scratch = try Scratch()
    let dispatcher = try await kind.start([], settings: example.lines, scratch: scratch)
    if let status = example.expected[kind] {
      #expect(try await dispatcher.child.end() == .exited(status))
    } else {
      #expect(dispatcher.child.ended == nil)
      try await end(dispatcher)
    }
    guard let ours = dispatcher as? Audispatchd else { return }
    // What is refused, and what is passed over, is named with its place.
    let isAccepted = ["99999", "100000", "host-1"].contains {
      example.lines.values.contains($0)
    }
    #expect(ours.messages.contains(scratch("audispatchd.conf") + ":") == !isAccepted)
  }

  /// 2.8 calls its dispatcher with the folder of its `audispd.conf`.
  @Test(arguments: ["audispd.conf", "audispatchd.conf"])
  func `is found in a folder that -c names`(name: String) async throws {
    let scratch = try Scratch()
    try scratch.folder("etc")
    try scratch.write(
      """
      q_depth = 250
      overflow_action = SYSLOG
      priority_boost = 4
      max_restarts = 10
      name_format = USER
      name = host-1
      plugin_dir = \(scratch("plugins.d"))/

      """, to: "etc/" + name)
    let files = try DispatcherFiles(
      scratch, [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])])
    let event = Binary.record("audit(1.0:1): x=1", version: 0)
    try scratch.write(event, to: "input")
    let input = unsafe open(scratch("input"), O_RDONLY)
    defer { close(input) }
    let outcome = try await run(
      Programs.product("audispatchd"),
      ["-c", scratch("etc"), "--source", "stdin", "--runtime-dir", files.runtimeFolder],
      input: input)
    #expect(outcome.end == .exited(0), "\(outcome.error)")
    #expect(scratch.lines("out") == ["node=host-1 type=SYSCALL msg=audit(1.0:1): x=1"])
    #expect(try files.writtenState().plugin("p").delivered == 1)
  }
}
