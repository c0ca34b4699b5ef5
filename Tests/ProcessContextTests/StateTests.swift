import ProcessContext
import Testing

@Suite("What is kept through a restart")
struct StateTests {
  private static func known() -> Tracked {
    var tracked = Tracked {
      $0.labels.label(key: Array("a label".utf8))
      $0.hashLimit = 1
    }
    tracked.processes.add(7, parent: 1, "sh", "/usr/bin/dash")
    tracked.processes.add(8, parent: 7, "ls", "/usr/bin/ls")
    _ = tracked.note([
      "USER_LOGIN pid=50 auid=1000 ses=4 msg='acct=\"an n\" exe=\"/usr/sbin/sshd\" addr=::1 res=success'"
    ])
    _ = tracked.exec(7, parent: 1, "/usr/bin/dash", ["sh", "-"], key: "a label")
    _ = tracked.exec(8, parent: 7, "/usr/bin/ls", ["ls"])
    return tracked
  }

  @Test func `is all of it`() throws {
    var before = Self.known()
    var after = Tracked { $0.labels.label(key: Array("a label".utf8)) }
    after.processes.made = before.processes.made
    try after.tracker.restore(before.tracker.state())
    #expect(after.tracker.count == before.tracker.count)
    let one = before.call(257, 8, parent: 7, "ls", "/usr/bin/ls", session: "4")
    let other = after.call(257, 8, parent: 7, "ls", "/usr/bin/ls", session: "4")
    #expect(other.process?.identity == one.process?.identity)
    #expect(other.process?.exec == one.process?.exec)
    #expect(other.parent?.exec == one.parent?.exec)
    #expect(other.parent?.arguments == Array("sh\0-".utf8))
    #expect(other.parent?.labels == [0])
    #expect(other.process?.hash == one.process?.hash)
    #expect(text(other.login?.account) == "an n")
  }

  @Test func `has those that have ended meanwhile as ended`() throws {
    let before = Self.known()
    var after = Tracked()
    after.processes.made = before.processes.made
    after.processes.made[7] = nil
    after.processes.add(8, parent: 1, "new", "/usr/bin/new", started: 5000)
    try after.tracker.restore(before.tracker.state())
    let context = after.exec(8, parent: 1, "/usr/bin/new")
    #expect(text(context.process?.identity) == "0123abcd-8-1388")
    let child = after.exec(9, parent: 7, "/usr/bin/id")
    #expect(child.parent?.exec != nil)
    #expect(child.parent?.ending == .gone)
  }

  @Test func `is nothing of another run of the system`() {
    let state = Self.known().tracker.state()
    let other = Array(
      String(decoding: state, as: UTF8.self).replacing("run 0123abcd", with: "run 4567abcd").utf8)
    var tracked = Tracked()
    #expect(throws: ProcessState.Refusal.otherRun) { try tracked.tracker.restore(other) }
    #expect(tracked.tracker.count == 0)
  }

  @Test func `is nothing of a file that is not whole, or has a wrong line`() {
    let state = Self.known().tracker.state()
    for count in stride(from: 0, to: state.count, by: 3) {
      var tracked = Tracked()
      #expect(throws: ProcessState.Refusal.self) {
        try tracked.tracker.restore(Array(state.prefix(count)))
      }
    }
    for place in stride(from: 0, to: state.count, by: 5) {
      var damaged = state
      damaged[place] ^= 0x15
      var tracked = Tracked()
      // Some damage makes another value; none may do harm.
      _ = try? tracked.tracker.restore(damaged)
      _ = tracked.exec(8, parent: 7, "/usr/bin/ls")
    }
  }
}
