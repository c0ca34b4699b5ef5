import Foundation
import Testing

private let unshare = ["/usr/bin/unshare", "-m", "--propagation", "private", "/bin/sh"]

/// Programs that were written for auditd, as they come, with the files they come with.
@Suite("Plugins written for auditd", .inTurn)
struct RealPluginTests {
  /// Minutes of a real auditd 3.0.9's plugin lines.
  static let corpus: [String] = {
    let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let file = here.appendingPathComponent("../EnrichmentTests/Corpus/auditd-3.0.9-enriched.log")
    return split(String(decoding: contents(file.standardized.path), as: UTF8.self))
  }()

  @Test(.enabled(if: Host.has("/sbin/audisp-syslog", "/usr/bin/unshare"), "needs audisp-syslog"))
  func `audisp-syslog writes every record to the system log`() async throws {
    let scratch = try Scratch()
    let log = try SystemLog(scratch("log"))
    let daemon = try await Audispatchd(
      [PluginFile("syslog", "/sbin/audisp-syslog", ["LOG_INFO"])], scratch: scratch,
      prefix: unshare + [Programs.source("with-log.sh"), log.path])
    let records = Self.corpus.prefix(60)
    var found: [String] = []
    // In parts: a socket for datagrams takes few, and audisp-syslog waits for nobody.
    for start in stride(from: 0, to: records.count, by: 5) {
      let part = Array(records[start..<min(start + 5, records.count)])
      try await daemon.send(part)
      try await eventually("it is there", detail: { "\(found.count) of \(start + part.count)" }) {
        found = log.messages.compactMap { message in
          message.range(of: "type=").map { String(message[$0.lowerBound...]) }
        }
        return found.count >= start + part.count
      }
    }
    func trimmed(_ line: String) -> String { line.trimmingCharacters(in: .whitespacesAndNewlines) }
    let expected = records.map { trimmed($0.replacing("\u{1d}", with: " ")) }
    #expect(difference(found.map(trimmed), expected) == nil)
    let state = try await daemon.finish()
    #expect(try state.plugin("syslog").delivered == records.count)
  }

  @Test(.enabled(if: Host.has("/usr/sbin/laurel"), "needs laurel"))
  func `laurel writes the same events as when it is fed by hand`() async throws {
    let scratch = try Scratch()
    let text = Self.corpus.map { $0 + "\n" }.joined()
    try scratch.write(text, to: "input")
    for name in ["by-hand", "ours"] {
      try scratch.folder(name)
      try scratch.write(
        """
        directory = "\(scratch(name))"
        statusreport-period = 0
        [auditlog]
        file = "audit.log"
        size = 50000000
        generations = 1

        """, to: name + ".toml")
    }
    let input = unsafe open(scratch("input"), O_RDONLY)
    defer { close(input) }
    _ = try await run(
      "/usr/sbin/laurel", ["--config", scratch("by-hand.toml")], input: input)
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "laurel", "/usr/sbin/laurel", ["--config", scratch("ours.toml")], "q_depth = 10000")
      ], scratch: scratch)
    try await daemon.send(Self.corpus)
    let state = try await daemon.finish()
    func events(_ name: String) -> [String] {
      scratch.lines(name + "/audit.log").compactMap { line in
        let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return object.map { "\($0["ID"] ?? "") \($0.keys.sorted())" }
      }
    }
    let expected = events("by-hand")
    #expect(expected.count > 100)
    #expect(difference(events("ours"), expected) == nil, "\(daemon.messages)")
    #expect(try state.plugin("laurel").delivered == Self.corpus.count)
  }

  @Test(
    .enabled(
      if: Host.has("/sbin/audisp-remote", RealAuditd.program, "/usr/bin/unshare"),
      "needs audisp-remote and auditd"))
  func `audisp-remote brings every record to an auditd that listens`() async throws {
    let there = try Scratch()
    let receiver = try await RealAuditd(
      [PluginFile("p", try await Programs.plugin(), ["copy", there("out")])],
      settings: ["tcp_max_per_addr": "10"], scratch: there)
    let scratch = try Scratch()
    try scratch.write(
      """
      remote_server = 127.0.0.1
      port = \(receiver.port)
      transport = tcp
      mode = immediate
      queue_file = /var/spool/audit/remote.log
      queue_depth = 10240
      format = managed
      network_retry_time = 1
      max_tries_per_record = 3
      max_time_per_record = 5
      heartbeat_timeout = 0
      network_failure_action = syslog
      disk_low_action = ignore
      disk_full_action = warn_once
      disk_error_action = warn_once
      remote_ending_action = reconnect
      generic_error_action = syslog
      generic_warning_action = syslog
      queue_error_action = stop
      overflow_action = syslog
      startup_failure_action = warn_once_continue

      """, to: "remote.conf")
    let daemon = try await Audispatchd(
      [PluginFile("remote", "/sbin/audisp-remote")], scratch: scratch,
      prefix: unshare + [Programs.source("with-remote.sh"), scratch("remote.conf")])
    let events = TestEvent.stream(1..<101, records: 3, eoe: true)
    try await daemon.send(events.records)
    let expected = events.records.filter { !$0.contains("type=EOE ") }
    var found: [String] = []
    try await eventually("all are there", detail: { "\(found.count) \(daemon.messages)" }) {
      found = there.lines("out").filter { $0.contains("audit(1700000000.000:") }
      return found.count >= expected.count
    }
    #expect(difference(found, expected) == nil)
    let state = try await daemon.finish()
    #expect(try state.plugin("remote").delivered == events.records.count)
    try await receiver.stop()
  }

  @Test(.enabled(if: Host.isRoot, "needs root"))
  func `a shell script reads lines`() async throws {
    let scratch = try Scratch()
    try scratch.write(
      "#!/bin/sh\nwhile read -r type rest; do echo \"$type\" >> \"$1\"; done\n", to: "p",
      mode: 0o755)
    let daemon = try await Audispatchd(
      [PluginFile("p", scratch("p"), [scratch("out")])], scratch: scratch)
    try await daemon.send(TestEvent.stream(1..<101, records: 2, eoe: true))
    try await daemon.finish()
    let expected = (1..<101).flatMap { _ in ["type=SYSCALL", "type=EXECVE", "type=EOE"] }
    #expect(difference(scratch.lines("out"), expected) == nil)
  }
}
