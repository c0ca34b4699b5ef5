import Foundation
import Linux
import Testing

/// audispatch-syslog on this host: beside audisp-syslog, under both dispatchers.
@Suite("audispatch-syslog on this host", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct SyslogPluginTests {
  static let program = Programs.product("audispatch-syslog")
  static let unshare = ["/usr/bin/unshare", "-m", "--propagation", "private", "/bin/sh"]
  static let corpus = RealPluginTests.corpus

  /// A file of the plugin's own configuration.
  static func configuration(_ scratch: Scratch, _ lines: [String], name: String = "syslog.conf")
    throws -> String
  {
    try scratch.write(lines.map { $0 + "\n" }.joined(), to: name, mode: 0o600)
  }

  /// Without the time of the header, and without white space at the end.
  static func comparable(_ message: String) -> String {
    let text = message.replacing(#/^(<\d+>)\w{3} [ \d]\d \d\d:\d\d:\d\d /#) { "\($0.1)" }
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  @Test(
    .enabled(if: Host.has("/sbin/audisp-syslog", "/usr/bin/unshare"), "needs audisp-syslog"),
    arguments: [[], ["LOG_WARNING"], ["LOG_LOCAL3", "LOG_ERR"]])
  func `writes what audisp-syslog writes`(arguments: [String]) async throws {
    var written: [[String]] = []
    for program in ["/sbin/audisp-syslog", Self.program] {
      let scratch = try Scratch()
      let log = try SystemLog(scratch("log"))
      let lines = Self.corpus.prefix(100) + ["type=EOE msg=audit(1763680803.855:900): "]
      // Five at a time: a socket for datagrams takes few.
      for start in stride(from: 0, to: lines.count, by: 5) {
        let part = lines[start..<min(start + 5, lines.count)].map { $0 + "\n" }.joined()
        try scratch.write(part, to: "input")
        let input = unsafe open(scratch("input"), O_RDONLY)
        defer { close(input) }
        let command =
          Self.unshare + [Programs.source("with-log.sh"), log.path, program] + arguments
        let outcome = try await run(command[0], Array(command.dropFirst()), input: input)
        #expect(outcome.end == .exited(0), "\(outcome.error)")
        try scratch.remove("log.dev")
        _ = log.messages
      }
      written.append(
        log.messages.map(Self.comparable).filter { $0.contains("type=") })
    }
    #expect(written[0].count == 101)
    #expect(difference(written[1], written[0]) == nil)
  }

  @Test func `drops nothing while nobody reads, and keeps the order`() async throws {
    let scratch = try Scratch()
    let log = try SystemLog(scratch("log"), isDrained: false)
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "syslog", Self.program, ["--server", "unix:" + log.path], "q_depth = 100000")
      ], scratch: scratch)
    let events = TestEvent.stream(1..<20_001, fill: 300)
    try await daemon.send(events)
    try await daemon.takenIn()
    #expect(try daemon.plugin("syslog").queued > 0)
    try await eventually("all is there", detail: { "\(log.messages.count) \(daemon.messages)" }) {
      log.messages.count >= 20_000
    }
    #expect(difference(Rsyslogd.bodies(log.messages), events.records) == nil)
    let state = try await daemon.finish()
    #expect(try state.plugin("syslog").delivered == 20_000)
  }

  @Test func `waits for a log that is not there, and goes on with its successor`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("syslog", Self.program, ["--server", "unix:" + scratch("log")])],
      scratch: scratch)
    try await daemon.send(TestEvent.stream(1..<4))
    try await eventually("it is said", detail: { daemon.messages }) {
      daemon.messages.contains("cannot connect to \(scratch("log")): No such file")
    }
    var serial = 10
    for round in 0..<3 {
      let log = try SystemLog(scratch("log"))
      try await eventually("messages", detail: { "\(log.messages) \(daemon.messages)" }) {
        if round == 0 { return log.messages.count == 3 }
        // What the old one was given is gone with it, as long as anybody has it open.
        try await daemon.send(TestEvent.stream(serial..<serial + 1))
        serial += 1
        return !log.messages.isEmpty
      }
      try scratch.remove("log")
    }
    try await daemon.finish()
  }

  @Test func `confirms what the socket took`() async throws {
    let scratch = try Scratch()
    let log = try SystemLog(scratch("log"))
    let daemon = try await Audispatchd(
      [PluginFile("syslog", Self.program, ["--server", "unix:" + log.path], "confirm = yes")],
      scratch: scratch)
    try await daemon.send(TestEvent.stream(1..<501, records: 2, eoe: true))
    try await eventually("all is there") { log.messages.count == 1500 }
    try await eventually("all is confirmed") { try daemon.plugin("syslog").delivered == 1500 }
    try await daemon.finish()
  }

  @Test(arguments: [[], ["--body", "json"]])
  func `never holds auditd up, and counts what it drops instead`(further: [String]) async throws {
    let scratch = try Scratch()
    let log = try SystemLog(scratch("log"), isDrained: false)
    let (near, far) = try UnixSocket.pair().release()
    // As auditd starts it: no AUDISPATCH_PLUGIN in its environment.
    let plugin = try Child(
      Self.program, ["--server", "unix:" + log.path] + further, environment: [:], input: far,
      error: scratch("err"))
    close(far)
    let input = Descriptor(owning: near)
    let records = TestEvent.stream(1..<20_001, fill: 1000).records
    let text = Array(records.map { $0 + "\n" }.joined().utf8)
    input.setNonblocking(true)
    var at = 0
    try await eventually("it reads everything, though nobody reads from it") {
      while at < text.count {
        let end = min(at + 65536, text.count)
        let sent = unsafe text[at..<end].withUnsafeBytes {
          unsafe UnixSocket.send(input.number, $0)
        }
        guard case .bytes(let count) = sent else { return false }
        at += count
      }
      return true
    }
    try await eventually("it says so", detail: { scratch.text("err") }) {
      scratch.text("err").contains("records are dropped")
    }
    plugin.signal(SIGUSR1)
    var count = 0
    try await eventually("the rest comes", detail: { "\(count) \(scratch.text("err"))" }) {
      count = log.messages.count
      plugin.signal(SIGUSR1)
      let last = scratch.lines("err").last { $0.contains(" dropped=") } ?? ""
      let dropped = last.firstMatch(of: #/ dropped=(\d+)/#).flatMap { Int($0.1) } ?? 0
      return dropped > 5000 && count + dropped == 20_000
    }
    _ = input.release()
    close(near)
    #expect(try await plugin.end() == .exited(74))
  }

  @Test func `sends events to the journal`() async throws {
    let scratch = try Scratch()
    let journal = try SystemLog(scratch("journal"))
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "syslog", Self.program,
          ["--server", "journal:" + journal.path, "--messages", "events"])
      ], scratch: scratch)
    try await daemon.send(TestEvent.stream(7..<9, records: 2, eoe: true))
    try await eventually("two entries") { journal.messages.count == 2 }
    let fields = journal.messages[0].split(separator: "\n")
    #expect(fields[0].hasPrefix("MESSAGE=type=SYSCALL msg=\(TestEvent.id(7)): part=0"))
    #expect(fields.contains("AUDIT_SERIAL=7") && fields.contains("PRIORITY=6"))
    try await daemon.finish()
  }

  @Test(.enabled(if: RealAuditd.isHere, RealAuditd.why))
  func `runs under auditd 3.0.9 as audisp-syslog does`() async throws {
    let scratch = try Scratch()
    let auditd = try await RealAuditd(
      [PluginFile("syslog", Self.program, ["LOG_INFO", "LOG_LOCAL5"])], scratch: scratch)
    let lines = Array(
      Self.corpus.filter { !$0.contains("type=EOE") && !$0.contains("DAEMON_") }.prefix(40))
    var found: [String] = []
    for start in stride(from: 0, to: lines.count, by: 5) {
      try await auditd.send(Array(lines[start..<start + 5]))
      try await eventually("they are there", detail: { auditd.messages }) {
        found = Rsyslogd.bodies(auditd.log.messages.filter { $0.hasPrefix("<174>") })
          .filter { !$0.hasPrefix("type=DAEMON_") }
        return found.count >= start + 5
      }
    }
    func plain(_ line: String) -> String { line.trimmingCharacters(in: .whitespaces) }
    let expected = lines.map { plain($0.replacing("\u{1d}", with: " ")) }
    #expect(difference(found.map(plain), expected) == nil)
    try await auditd.stop()
  }

  @Test(.enabled(if: Host.has("/usr/bin/unshare"), "needs unshare"))
  func `takes the place of builtin_syslog`() async throws {
    let scratch = try Scratch()
    let log = try SystemLog(scratch("log"))
    let file = PluginFile(
      "syslog",
      text: """
        active = yes
        direction = out
        path = builtin_syslog
        type = builtin
        args = LOG_NOTICE
        format = string

        """)
    let daemon = try await Audispatchd(
      [file], scratch: scratch,
      prefix: Self.unshare + [Programs.source("with-log.sh"), log.path])
    try await daemon.send(TestEvent.stream(1..<3, records: 1, eoe: true))
    try await eventually("two messages, without EOE", detail: { daemon.messages }) {
      log.messages.count == 2
    }
    #expect(log.messages.allSatisfy { $0.hasPrefix("<13>") && $0.contains("type=SYSCALL") })
    try await daemon.finish()
  }

  @Test(arguments: ["unix:NOWHERE", "tcp://127.0.0.1:1", "relp://127.0.0.1:1"])
  func `ends in time and says what is left when nothing takes messages`(server: String)
    async throws
  {
    let scratch = try Scratch()
    let (near, far) = try UnixSocket.pair().release()
    let plugin = try Child(
      Self.program, ["--server", server.replacing("NOWHERE", with: scratch("nowhere"))],
      environment: ["AUDISPATCH_PLUGIN": "syslog"], input: far, error: scratch("err"))
    close(far)
    let input = Descriptor(owning: near)
    input.setNonblocking(true)
    let text = Array(TestEvent.stream(1..<30_001, fill: 300).records.joined(separator: "\n").utf8)
    var at = 0
    var wasTaken = true
    while wasTaken {
      wasTaken = false
      // Until its memory is full.
      for _ in 0..<20 {
        try await Task.sleep(for: .milliseconds(20))
        while at < text.count {
          let sent = unsafe text[at..<min(at + 65536, text.count)].withUnsafeBytes {
            unsafe UnixSocket.send(input.number, $0)
          }
          guard case .bytes(let count) = sent else { break }
          at += count
          wasTaken = true
        }
      }
    }
    let begun = ContinuousClock.now
    plugin.signal(SIGTERM)
    #expect(try await plugin.end() == .exited(74))
    // Then audispatchd kills it.
    #expect(ContinuousClock.now - begun < .seconds(3))
    let said = scratch.text("err")
    #expect(said.contains("ends before") || said.contains("did not take the last"), "\(said)")
  }

  @Test func `outlives a reader of its output that is gone`() async throws {
    let scratch = try Scratch()
    let line = "{ sleep 0.3; \(Self.program) --help; echo $? >\(scratch("status")); } | true"
    _ = try await run("/bin/sh", ["-c", line])
    try await eventually("it ends") { scratch.lines("status").count == 1 }
    #expect(scratch.lines("status") == ["1"])
  }
}
