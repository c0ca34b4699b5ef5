import Configuration
import Testing

/// One case of the reference table, C26 to C29: a line of the daemon's file.
struct DaemonCase: CustomTestStringConvertible, Sendable {
  enum Outcome: Equatable, Sendable { case accepted, warning, refused }

  var id: String
  var lines: String
  var reference: Outcome
  var ours: Outcome

  var testDescription: String { "\(id) \(lines)" }

  init(_ id: String, _ lines: String, _ reference: Outcome, ours: Outcome? = nil) {
    self.id = id
    self.lines = lines
    self.reference = reference
    self.ours = ours ?? reference
  }

  static let all = [
    DaemonCase("C26", "q_depth = 99999", .accepted),
    DaemonCase("C26", "q_depth = 100000", .refused, ours: .accepted),
    DaemonCase("C26", "q_depth = 10000000", .refused, ours: .accepted),
    DaemonCase("C26", "q_depth = 10000001", .refused),
    DaemonCase("C26", "q_depth = 0", .warning, ours: .refused),
    DaemonCase("C26", "q_depth = 100", .warning),
    DaemonCase("C26", "q_depth = 1k", .refused),
    DaemonCase("C26", "q_depth = -5", .refused),
    DaemonCase("C26", "q_depth = 99999999999999999999", .refused),
    DaemonCase("C27", "overflow_action = foo", .refused),
    DaemonCase("C27", "max_restarts = -1", .refused),
    DaemonCase("C27", "max_restarts = 2147483648", .refused),
    DaemonCase("C27", "max_restarts = 2147483647", .accepted),
    DaemonCase("C27", "unknown = keyword", .refused),
    DaemonCase("C27", "name = a b", .refused),
    DaemonCase("C28", "dispatcher = /sbin/audispd", .warning),
    DaemonCase("C28", "disp_qos = anything", .warning),
    DaemonCase("C29", "name_format = user", .refused),
    DaemonCase("C29", "name_format = user\nname = host-1", .accepted),
  ]
}

@Suite("A line of audispatchd.conf, against auditd's table")
struct DaemonConformanceTests {
  @Test(arguments: DaemonCase.all)
  func `has the outcome of the table`(_ expected: DaemonCase) {
    let loaded = Host.load(daemon: expected.lines + "\n")
    let outcome: DaemonCase.Outcome =
      if loaded.count(.error) > 0 { .refused } else {
        loaded.count(.warning) > 0 ? .warning : .accepted
      }
    #expect(outcome == expected.ours, "\(loaded.texts)")
  }

  @Test(arguments: DaemonCase.all)
  func `ends with status 6 when it is refused`(_ expected: DaemonCase) {
    let loaded = Host.load(daemon: expected.lines + "\n")
    #expect(loaded.exitStatus == (expected.ours == .refused ? 6 : 0))
    #expect(loaded.isDaemonUsable == (expected.ours != .refused))
  }
}
