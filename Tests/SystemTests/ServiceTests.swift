import Foundation
import Glibc
import Linux
import Testing

/// The daemon under a service manager, which the test is.
@Suite("As a service, the daemon", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct ServiceTests {
  /// A daemon that reads from a socket as auditd's, where the test is auditd.
  private final class Run {
    let scratch: Scratch
    let manager: NotifySocket
    let listener: Descriptor

    init(abstract: Bool = false) throws {
      scratch = try Scratch()
      manager = try NotifySocket(
        abstract ? "@" + scratch.path.replacing("/", with: "-") : scratch("notify"))
      listener = try UnixSocket.listen(scratch("events"), mode: 0o600)
    }

    func daemon(
      _ plugins: [PluginFile], settings: [String] = [], environment: [String: String] = [:],
      prefix: [String] = [], source: String = "events", awaitsControl: Bool = true
    ) async throws -> Audispatchd {
      try await Audispatchd(
        plugins, settings: settings, source: "unix:" + scratch(source), scratch: scratch,
        prefix: prefix, awaitsControl: awaitsControl,
        environment: [
          "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "NOTIFY_SOCKET": manager.address,
        ].merging(environment) { $1 })
    }

    /// The next connection of the daemon's.
    func accept() async throws -> Descriptor {
      var number: Int32 = -1
      try await eventually("a connection") {
        guard let client = UnixSocket.accept(listener.number) else { return false }
        number = client.release()
        return true
      }
      return Descriptor(owning: number)
    }

    /// Another connection waits to be accepted.
    var isConnectedAnew: Bool {
      guard let client = UnixSocket.accept(listener.number) else { return false }
      return client.number >= 0
    }

    /// What hands a daemon over what was kept.
    func handover() async throws -> [String] {
      [try await Programs.handover(), "\(getpid())"] + manager.stored.map { "\($0)=\($1)" } + ["--"]
    }

    /// Its plugin, the connection, the memory, the lock and the configuration are given away.
    func everythingIsKept(plugins: Int = 1) async throws {
      try await eventually("everything is given away", detail: { "\(manager.stored)" }) {
        let names = Set(manager.stored.keys)
        return names.isSuperset(of: ["audit", "configuration", "lock", "memory"])
          && names.count == 4 + 2 * plugins
      }
    }

    func told(_ text: String) async throws {
      try await eventually("\(text) is told", detail: { "\(manager.messages)" }) {
        manager.messages.contains(text)
      }
    }
  }

  private func write(_ events: [TestEvent], to connection: Int32) throws {
    try Transfer.writeAll(connection, Array(events.records.map { $0 + "\n" }.joined().utf8))
  }

  @Test(arguments: [false, true])
  func `tells that it is ready, reloads and stops`(abstract: Bool) async throws {
    let run = try Run(abstract: abstract)
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
    let run = try Run()
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
    let run = try Run()
    let daemon = try await run.daemon(
      [PluginFile("p", try await Programs.plugin(), ["dump", run.scratch("out")])],
      environment: ["WATCHDOG_USEC": "10000000", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "audit"])
    try await eventually("the dump") { run.scratch.lines("out").last == "done" }
    let names = run.scratch.lines("out").filter { $0.hasPrefix("env ") }.compactMap {
      $0.dropFirst(4).split(separator: "=").first.map(String.init)
    }
    #expect(
      names.sorted() == [
        "AUDISPATCH_PLUGIN", "AUDISPATCH_RUNTIME_DIR", "AUDISPATCH_VERSION", "PATH",
      ])
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }

  @Test func `gives signs of life, but not while it stands still`() async throws {
    let run = try Run()
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
    let run = try Run()
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
    let run = try Run()
    let daemon = try await Audispatchd(
      [], scratch: run.scratch,
      environment: ["NOTIFY_SOCKET": run.manager.address, "WATCHDOG_USEC": "1000"])
    try await daemon.finish()
    #expect(run.manager.messages == [])
  }

  @Test func `goes on with the connection of a killed predecessor, and loses nothing`()
    async throws
  {
    let run = try Run()
    let plugin = PluginFile("p", try await Programs.plugin(), ["copy", run.scratch("out")])
    var daemon = try await run.daemon([plugin])
    let connection = try await run.accept()
    let events = TestEvent.stream(1..<501, records: 2, eoe: true)
    var sent = 0
    for round in 0..<5 {
      try await run.everythingIsKept()
      try write(Array(events[sent..<(sent + 50)]), to: connection.number)
      sent += 50
      try await eventually("it is read", detail: { "\(round): \(daemon.messages)" }) {
        run.scratch.lines("out").count == sent * 3
      }
      // What comes now waits in the socket, and outlives the daemon there.
      daemon.child.signal(SIGSTOP)
      try write(Array(events[sent..<(sent + 50)]), to: connection.number)
      sent += 50
      daemon.child.signal(SIGKILL)
      _ = try await daemon.child.end()
      // From a manager that lost the memory, too.
      if round == 3 { run.manager.loseAll(but: ["audit"]) }
      daemon = try await run.daemon([plugin], prefix: run.handover())
    }
    try await eventually("all is there") {
      run.scratch.lines("out").count == events.records.count
    }
    #expect(difference(run.scratch.lines("out"), events.records) == nil)
    // There was one connection, and it was given away once.
    #expect(!run.isConnectedAnew)
    #expect(run.manager.messages.count { $0.hasPrefix("FDSTORE=1\nFDNAME=audit\n") } == 1)
    #expect(run.manager.messages.contains("FDSTORE=1\nFDNAME=audit\nFDPOLL=0"))
    #expect(try daemon.state().source.malformed == 0)
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }

  @Test(arguments: ["lines", "confirm:7:0"])
  func `goes on with what a predecessor had read, too, when it was killed at work`(
    _ manner: String
  ) async throws {
    let run = try Run()
    let plugin = PluginFile(
      "p", try await Programs.plugin(), [manner, run.scratch("out")],
      "overflow_action = lossless" + (manner == "lines" ? "" : "\nconfirm = yes"))
    let settings = ["spool_dir = \(run.scratch("spool"))", "spool_reserve = 0"]
    var daemon = try await run.daemon([plugin], settings: settings)
    let connection = try await run.accept()
    let events = TestEvent.stream(1..<2001, records: 2, eoe: true)
    for (round, begin) in stride(from: 0, to: events.count, by: 200).enumerated() {
      try await run.everythingIsKept()
      try write(Array(events[begin..<(begin + 200)]), to: connection.number)
      // Sooner or later in its work.
      let seen = begin * 3 + round * 50
      try await eventually("some is there", detail: { "\(round): \(daemon.messages)" }) {
        run.scratch.lines("out").count >= seen
      }
      daemon.child.signal(SIGKILL)
      _ = try await daemon.child.end()
      daemon = try await run.daemon([plugin], settings: settings, prefix: run.handover())
    }
    try await eventually("all is there", detail: { daemon.messages }) {
      run.scratch.lines("out").count >= events.records.count
    }
    // A plugin that confirms writes the number in front.
    let lines = run.scratch.lines("out").map { line in
      line.firstRange(of: "type=").map { String(line[$0.lowerBound...]) } ?? line
    }
    #expect(difference(lines, events.records) == nil)
    let state = try daemon.state()
    state.expectConserved(sent: events.records.count)
    #expect(state.source.malformed == 0)
    try await run.everythingIsKept()
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
    // Nothing is left to be kept but the connection.
    try await eventually("all is forgotten", detail: { "\(run.manager.stored)" }) {
      Array(run.manager.stored.keys) == ["audit"]
    }
  }

  @Test func `knows what was only in a predecessor's memory, when the connection has ended, too`()
    async throws
  {
    let run = try Run()
    let plugin = PluginFile(
      "p", try await Programs.plugin(), ["gate:" + run.scratch("gate"), run.scratch("out")],
      "q_depth = 20000")
    var daemon = try await run.daemon([plugin])
    let events = TestEvent.stream(1..<5001, records: 2, eoe: true)
    do {
      let connection = try await run.accept()
      connection.setNonblocking(false)
      try write(events, to: connection.number)
      try await eventually("it is taken") {
        try daemon.plugin("p").received == events.records.count
      }
    }
    try await run.told("FDSTOREREMOVE=1\nFDNAME=audit")
    daemon.child.signal(SIGKILL)
    _ = try await daemon.child.end()
    daemon = try await run.daemon([plugin], prefix: run.handover())
    _ = try await run.accept()
    try run.scratch.write("", to: "gate")
    try await eventually("all has its fate", detail: { daemon.messages }) {
      try daemon.plugin("p").queued == 0
    }
    let state = try daemon.state()
    state.expectConserved(sent: events.records.count)
    let died = try #require(state.plugin("p").dropped["dispatcher_died"])
    let records = run.scratch.lines("out").filter { !$0.contains("type=DAEMON_ERR") }
    #expect(died > 0)
    #expect(died + records.count == events.records.count)
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }

  /// auditd died within a record; the next one has said nothing yet.
  @Test func `takes another connection for another stream, whoever was killed in between`()
    async throws
  {
    let run = try Run()
    let plugin = PluginFile("p", try await Programs.plugin(), ["lines", run.scratch("out")])
    var daemon = try await run.daemon([plugin])
    let events = TestEvent.stream(1..<41)
    do {
      let connection = try await run.accept()
      try write(Array(events[..<20]), to: connection.number)
      try Transfer.writeAll(connection.number, Array("type=SYSCALL msg=audit(1.0".utf8))
      try await eventually("it is read") { run.scratch.lines("out").count == 20 }
    }
    let connection = try await run.accept()
    try await eventually("both were given away") {
      run.manager.messages.count { $0.hasPrefix("FDSTORE=1\nFDNAME=audit\n") } == 2
    }
    daemon.child.signal(SIGKILL)
    _ = try await daemon.child.end()
    daemon = try await run.daemon([plugin], prefix: run.handover())
    try write(Array(events[20...]), to: connection.number)
    try await eventually("all is there", detail: { daemon.messages }) {
      run.scratch.lines("out").count == 40
    }
    #expect(difference(run.scratch.lines("out"), events.records) == nil)
    #expect(try daemon.state().source.malformed == 1)
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }

  @Test func `keeps nothing ready for a manager that does not listen`() async throws {
    let run = try Run()
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
    let run = try Run()
    let daemon = try await run.daemon([
      PluginFile("p", try await Programs.plugin(), ["copy", run.scratch("out")])
    ])
    let events = TestEvent.stream(1..<21)
    do {
      let connection = try await run.accept()
      try write(Array(events[..<10]), to: connection.number)
    }
    try await run.told("FDSTOREREMOVE=1\nFDNAME=audit")
    let connection = try await run.accept()
    try write(Array(events[10...]), to: connection.number)
    try await eventually("all is there") { run.scratch.lines("out").count == 20 }
    try await eventually("both were given away") {
      run.manager.messages.count { $0.hasPrefix("FDSTORE=1\nFDNAME=audit\n") } == 2
    }
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }

  @Test func `knows its connection by whatever name auditd bound it`() async throws {
    let run = try Run()
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
    try write(events, to: connection.number)
    try await eventually("all is there") { run.scratch.lines("out").count == 10 }
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }

  @Test func `does not take a kept connection to somewhere else for its own`() async throws {
    let run = try Run()
    let elsewhere = try UnixSocket.listen(run.scratch("elsewhere"), mode: 0o600)
    let kept = try UnixSocket.connect(run.scratch("elsewhere"))
    #expect(elsewhere.number >= 0)
    let daemon = try await run.daemon(
      [], prefix: [try await Programs.handover(), "\(getpid())", "audit=\(kept.number)", "--"])
    _ = try await run.accept()
    try await run.told("FDSTOREREMOVE=1\nFDNAME=audit")
    #expect(daemon.messages.contains("the connection that was kept is not to"))
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }
}

/// The unit file, judged by systemd's own tool; nothing here runs under systemd.
@Suite("The unit file")
struct UnitFileTests {
  private static let unit = {
    let root = "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
    return "/\(root)/systemd/audispatchd.service"
  }()

  @Test(.enabled(if: Host.has("/usr/bin/systemd-analyze"), "needs systemd-analyze and root"))
  func `is exposed by 2.0 at most`() async throws {
    let outcome = try await run(
      "/usr/bin/systemd-analyze",
      ["security", "--offline=true", "--threshold=20", "--no-pager", Self.unit])
    #expect(outcome.end == .exited(0), "\(outcome.output) \(outcome.error)")
    #expect(outcome.output.contains("Overall exposure level for audispatchd.service: "))
  }

  @Test(.enabled(if: Host.has("/usr/bin/systemd-analyze"), "needs systemd-analyze and root"))
  func `is understood`() async throws {
    let scratch = try Scratch()
    // The programs and pages that it names need not be installed here.
    let text = String(decoding: contents(Self.unit), as: UTF8.self)
      .replacing("/usr/sbin/audispatchd", with: "/bin/true")
      .replacing("Documentation=man:audispatchd(8)\n", with: "")
    try scratch.write(text, to: "audispatchd.service")
    let outcome = try await run(
      "/usr/bin/systemd-analyze", ["verify", scratch("audispatchd.service")])
    #expect(outcome.end == .exited(0))
    #expect(outcome.error == "")
  }
}
