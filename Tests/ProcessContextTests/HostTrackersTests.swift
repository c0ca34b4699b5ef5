import AudispatchPlugin
import AuditRecord
import Testing

@testable import ProcessContext

/// Events of several hosts.
@Suite("Processes of several hosts")
struct HostTrackersTests {
  private let processes = MadeProcesses()
  private var trackers: HostTrackers
  private var serial = 0

  init() { trackers = Self.trackers(processes) }

  private static func trackers(
    _ processes: MadeProcesses, _ change: (inout ContextSettings) -> Void = { _ in }
  ) -> HostTrackers {
    var settings = ContextSettings()
    settings.node = Array("here".utf8)
    change(&settings)
    return HostTrackers(settings, source: processes)
  }

  private mutating func note(_ line: String, _ node: String?) -> EventContext {
    serial += 1
    let now = processes.started + 100_000
    return trackers.note(Tracked.event([line], serial: serial, now, node), now: now)
  }

  private mutating func call(
    _ pid: Int32, parent: Int32, _ name: String, node: String?, session: Int = 3
  ) -> EventContext {
    note(
      "SYSCALL arch=c000003e syscall=257 success=yes exit=3 ppid=\(parent) pid=\(pid) auid=0 "
        + "ses=\(session) comm=\"\(name)\" exe=\"/usr/bin/\(name)\" key=(null)", node)
  }

  private mutating func login(_ account: String, node: String?) {
    _ = note(
      "USER_LOGIN pid=50 uid=0 auid=1000 ses=3 msg='op=login acct=\"\(account)\" "
        + "exe=\"/usr/sbin/sshd\" hostname=gate addr=10.0.0.7 terminal=ssh res=success'", node)
  }

  @Test mutating func `count anew behind the boot of their host`() {
    login("ann", node: "there")
    let before = call(60, parent: 50, "vi", node: "there")
    #expect(text(before.login?.account) == "ann")
    _ = note(
      "SYSTEM_BOOT pid=1 uid=0 auid=4294967295 ses=4294967295 msg=' comm=\"x\" res=success'",
      "there")
    let behind = call(60, parent: 50, "vi", node: "there")
    #expect(text(behind.login?.account) == "")
    login("bob", node: "there")
    #expect(text(call(60, parent: 50, "vi", node: "there").login?.account) == "bob")
  }

  @Test mutating func `are not those of this one with the same pid`() {
    processes.add(6, parent: 1, "bash", "/usr/bin/bash")
    processes.add(7, parent: 6, "vi", "/usr/bin/vi")
    let own = call(7, parent: 6, "vi", node: "here")
    #expect(own.ancestors.map(\.pid) == [6, 1])
    let before = processes.questions
    let other = call(7, parent: 6, "vi", node: "there")
    #expect(processes.questions == before)
    #expect(other.ancestors.isEmpty)
    #expect(other.sessionLeader == nil)
    #expect(other.process?.started == 0)
    let third = call(7, parent: 6, "vi", node: "elsewhere")
    let names = [own, other, third].map { text($0.process?.identity) }
    #expect(Set(names).count == 3)
    #expect(names.filter { $0.hasPrefix("0123abcd-") } == [names[0]])
    // A node that the lines do not name is this one.
    #expect(text(call(7, parent: 6, "vi", node: nil).process?.identity) == names[0])
    #expect(text(call(7, parent: 6, "vi", node: "there").process?.identity) == names[1])
  }

  @Test mutating func `have parents of their own`() {
    processes.add(6, parent: 1, "bash", "/usr/bin/bash")
    _ = call(6, parent: 1, "bash", node: "here")
    _ = call(6, parent: 1, "zsh", node: "there")
    #expect(text(call(8, parent: 6, "id", node: "there").parent?.name) == "zsh")
    #expect(text(call(8, parent: 6, "id", node: "here").parent?.name) == "bash")
  }

  @Test mutating func `have logins of their own`() {
    login("ann", node: "here")
    login("bob", node: "there")
    #expect(text(call(60, parent: 50, "id", node: "here").login?.account) == "ann")
    #expect(text(call(60, parent: 50, "id", node: "there").login?.account) == "bob")
    #expect(call(60, parent: 50, "id", node: "elsewhere").login == nil)
  }

  @Test mutating func `are forgotten with the host that said nothing for longest`() {
    login("ann", node: "n0")
    for host in 1..<HostTrackers.mostHosts { _ = call(60, parent: 50, "id", node: "n\(host)") }
    #expect(trackers.hostsForgotten == 0)
    #expect(call(60, parent: 50, "id", node: "n0").login != nil)
    _ = call(60, parent: 50, "id", node: "more")
    #expect(trackers.hostsForgotten == 1)
    // That was n1; n0 had an event since.
    #expect(call(60, parent: 50, "id", node: "n0").login != nil)
    #expect(trackers.hostsForgotten == 1)
    _ = call(60, parent: 50, "id", node: "n1")
    #expect(trackers.hostsForgotten == 2)
  }

  @Test mutating func `share the room, and what had to go is counted`() {
    trackers = Self.trackers(processes) { $0.limit = 1000 }
    for host in 1...3 {
      for pid in Int32(1)...1000 { _ = call(pid, parent: 0, "d", node: "n\(host)") }
    }
    #expect(trackers.count <= 1000 + 500 + 333)
    let known = trackers.count
    #expect(trackers.forgotten == 3000 - known)
    // The others make room as soon as one more is there.
    for host in 1...2 { _ = call(2000, parent: 0, "d", node: "n\(host)") }
    #expect(trackers.count <= 1000)
    #expect(trackers.forgotten == 3002 - trackers.count)
  }

  @Test mutating func `are not in what is kept through a restart`() throws {
    processes.add(7, parent: 1, "vi", "/usr/bin/vi")
    let own = call(7, parent: 1, "vi", node: "here")
    _ = call(7, parent: 1, "cat", node: "there")
    let state = trackers.state()
    trackers = Self.trackers(processes)
    try trackers.restore(state)
    #expect(trackers.count == 2)
    #expect(call(7, parent: 1, "vi", node: "here").process?.identity == own.process?.identity)
  }
}
