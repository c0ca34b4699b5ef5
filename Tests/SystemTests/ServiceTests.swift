import Foundation
import Glibc
import Linux
import Testing

/// The daemon under a service manager, which the test is.
@Suite("As a service, the daemon", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct ServiceTests {
  @Test(arguments: [false, true])
  func `tells that it is ready, reloads and stops`(abstract: Bool) async throws {
    let run = try ServiceRun(abstract: abstract)
    let daemon = try await run.daemon([
      PluginFile("p", try await Programs.plugin(), ["copy", run.scratch("out")])
    ])
    try await run.told("READY=1")
    try await run.told("STATUS=\(run.scratch("events")), 1 of 1 plugins run")
    #expect(!run.manager.messages.contains { $0.hasPrefix("RELOADING") })
    daemon.reload()
    try await eventually("ready again") {
      run.manager.messages.count { $0 == "READY=1" } == 2
    }
    let reloading = run.manager.messages.compactMap {
      $0.wholeMatch(of: #/RELOADING=1\nMONOTONIC_USEC=(\d+)/#).flatMap { Int64($0.1) }
    }
    let now = Moment.now.nanoseconds / 1000
    #expect(reloading.count == 1)
    #expect(reloading.allSatisfy { $0 <= now && $0 > now - 120_000_000 })
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
    #expect(run.manager.messages.contains("STOPPING=1"))
  }

  @Test func `is ready only when its plugins were started`() async throws {
    let run = try ServiceRun()
    let program = try await Programs.plugin()
    let plugin = PluginFile("p", program, ["copy", run.scratch("out")])
    // Another one has the runtime folder, and with it the right to start plugins.
    let first = try await Audispatchd([plugin], scratch: run.scratch)
    let second = try await run.daemon([plugin], awaitsControl: false)
    try await run.told("STATUS=\(run.scratch("events")), 0 of 1 plugins run: p starting")
    #expect(!run.manager.messages.contains("READY=1"))
    try await first.finish()
    try await run.told("READY=1")
    #expect(try second.plugin("p").state == "running")
    second.child.signal(SIGTERM)
    try await second.ended()
  }

  @Test func `keeps its variables from its plugins`() async throws {
    let run = try ServiceRun()
    let daemon = try await run.daemon(
      [PluginFile("p", try await Programs.plugin(), ["dump", run.scratch("out")])],
      environment: ["WATCHDOG_USEC": "10000000", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "audit"])
    try await eventually("the dump") { run.scratch.lines("out").last == "done" }
    let names = run.scratch.lines("out").filter { $0.hasPrefix("env ") }.compactMap {
      $0.dropFirst(4).split(separator: "=").first.map(String.init)
    }
    #expect(
      names.sorted() == [
        "AUDISPATCH_OUTPUT", "AUDISPATCH_PLUGIN", "AUDISPATCH_QUEUE_BYTES",
        "AUDISPATCH_QUEUE_RECORDS", "AUDISPATCH_RUNTIME_DIR", "AUDISPATCH_VERSION", "PATH",
      ])
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }

  @Test func `gives signs of life, but not while it stands still`() async throws {
    let run = try ServiceRun()
    let daemon = try await run.daemon([], environment: ["WATCHDOG_USEC": "200000"])
    let signs = { run.manager.messages.count { $0 == "WATCHDOG=1" } }
    try await eventually("three signs") { signs() >= 3 }
    daemon.child.signal(SIGSTOP)
    try await eventually("it stands still") {
      String(decoding: contents("/proc/\(daemon.child.pid)/stat"), as: UTF8.self)
        .contains(") T ")
    }
    let before = signs()
    // A process that is stopped says nothing, however slow this machine is.
    try await Task.sleep(for: .milliseconds(500))
    #expect(signs() == before)
    daemon.child.signal(SIGCONT)
    try await eventually("it goes on") { signs() > before }
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }

  @Test(arguments: [["WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"], ["WATCHDOG_USEC": "soon"]])
  func `gives no signs of life that are asked of others`(_ variables: [String: String])
    async throws
  {
    let run = try ServiceRun()
    let daemon = try await run.daemon([], environment: variables)
    try await run.told("READY=1")
    // Signs that were asked of it would come each half of a millisecond.
    for _ in 0..<30 {
      _ = try daemon.state()
      try await Task.sleep(for: .milliseconds(5))
    }
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
    #expect(!run.manager.messages.contains("WATCHDOG=1"))
  }

  @Test func `tells nothing behind auditd, whose manager it is not`() async throws {
    let run = try ServiceRun()
    let daemon = try await Audispatchd(
      [], scratch: run.scratch,
      environment: ["NOTIFY_SOCKET": run.manager.address, "WATCHDOG_USEC": "1000"])
    try await daemon.finish()
    #expect(run.manager.messages == [])
  }

  @Test func `keeps nothing ready for a manager that does not listen`() async throws {
    let run = try ServiceRun()
    try run.scratch.write("#!/bin/sh\nexit 1\n", to: "dies", mode: 0o755)
    let daemon = try await run.daemon([
      PluginFile(
        "dies", run.scratch("dies"), [], "restart_delay = 0.001", "restart_delay_max = 0.001",
        "max_restarts = 1000000"),
      PluginFile("p", try await Programs.plugin(), ["copy", run.scratch("out")]),
    ])
    // The socket takes some messages that nobody reads, and then no more.
    try await eventually("it has died often") { try daemon.plugin("dies").restarts > 300 }
    let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon.child.pid)/fd")
    #expect(open.count < 60)
    #expect(try daemon.plugin("p").state == "running")
    try await eventually("what is still of use is given away", detail: { "\(run.manager.stored)" })
    {
      Set(run.manager.stored.keys).isSuperset(of: ["audit", "memory"])
    }
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }

  @Test func `has a connection forgotten that has ended, and makes another`() async throws {
    let run = try ServiceRun()
    let daemon = try await run.daemon([
      PluginFile("p", try await Programs.plugin(), ["copy", run.scratch("out")])
    ])
    let events = TestEvent.stream(1..<21)
    do {
      let connection = try await run.accept()
      try ServiceRun.write(Array(events[..<10]), to: connection.number)
    }
    try await run.told("FDSTOREREMOVE=1\nFDNAME=audit")
    let connection = try await run.accept()
    try ServiceRun.write(Array(events[10...]), to: connection.number)
    try await eventually("all is there") { run.scratch.lines("out").count == 20 }
    try await eventually("both were given away") {
      run.manager.messages.count { $0.hasPrefix("FDSTORE=1\nFDNAME=audit\n") } == 2
    }
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }

  @Test func `knows its connection by whatever name auditd bound it`() async throws {
    let run = try ServiceRun()
    try run.scratch.folder("run")
    try FileManager.default.createSymbolicLink(
      atPath: run.scratch("var-run"), withDestinationPath: run.scratch("run"))
    let listener = try UnixSocket.listen(run.scratch("var-run/events"), mode: 0o600)
    let kept = try UnixSocket.connect(run.scratch("run/events"))
    let daemon = try await run.daemon(
      [PluginFile("p", try await Programs.plugin(), ["lines", run.scratch("out")])],
      prefix: [try await Programs.handover(), "\(getpid())", "audit=\(kept.number)", "--"],
      source: "run/events")
    guard let connection = UnixSocket.accept(listener.number) else { throw Errno.current }
    let events = TestEvent.stream(1..<11)
    try ServiceRun.write(events, to: connection.number)
    try await eventually("all is there") { run.scratch.lines("out").count == 10 }
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }

  @Test func `does not take a kept connection to somewhere else for its own`() async throws {
    let run = try ServiceRun()
    let elsewhere = try UnixSocket.listen(run.scratch("elsewhere"), mode: 0o600)
    let kept = try UnixSocket.connect(run.scratch("elsewhere"))
    guard let other = UnixSocket.accept(elsewhere.number) else { throw Errno.current }
    let record = "type=USER msg=audit(1.000:1): is=\"of somebody else\"\n"
    try Transfer.writeAll(other.number, Array(record.utf8))
    let daemon = try await run.daemon(
      [], prefix: [try await Programs.handover(), "\(getpid())", "audit=\(kept.number)", "--"])
    _ = try await run.accept()
    try await run.told("FDSTOREREMOVE=1\nFDNAME=audit")
    #expect(daemon.messages.contains("the connection that was kept is not to"))
    #expect(UnixSocket.unread(kept.number) == record.utf8.count)
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }
}
