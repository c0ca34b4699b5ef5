import Foundation
import Glibc
import Linux
import Testing

/// The files of our `plugins.d`, active, with nothing in them changed but places: the confinement
/// that comes with a plugin is one that it can work in.
@Suite("A plugin with the file that comes with it", .inTurn)
struct ReadyMadeTests {
  private static let root = {
    "/" + "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
  }()

  /// The built executables need no Swift libraries, whose folder may be closed to others.
  private static func built(_ name: String) -> String { "\(root)/.build/release/\(name)" }

  private static let record =
    "type=USER_LOGIN msg=audit(1700000000.000:1): pid=7 uid=0 auid=0 ses=1 "
    + "msg='op=login id=0 exe=\"/usr/sbin/sshd\" hostname=? addr=? terminal=ssh res=success'"

  /// A daemon with the plugin, texts in its file replaced; ours are copied to where all may execute
  /// them.
  private func daemon(
    _ name: String, _ scratch: Scratch, replacing places: [String: String] = [:],
    settings: [String] = [], prefix: [String] = []
  ) async throws -> Audispatchd {
    var text = String(decoding: contents("\(Self.root)/plugins.d/\(name).conf"), as: UTF8.self)
      .replacing("active = no", with: "active = yes")
    let own = "audispatch-" + name.prefix { $0 != "-" }
    if text.contains("path = \(own)\n") {
      try FileManager.default.copyItem(atPath: Self.built(own), toPath: scratch(own))
      text = text.replacing("path = \(own)\n", with: "path = \(scratch(own))\n")
    }
    for (place, other) in places { text = text.replacing(place, with: other) }
    return try await Audispatchd(
      [PluginFile(name, text: text)], settings: settings, scratch: scratch, prefix: prefix)
  }

  private func status(_ daemon: Audispatchd, _ name: String) throws -> [String] {
    let pid = try daemon.plugin(name).pid
    return split(String(decoding: contents("/proc/\(pid)/status"), as: UTF8.self))
      .map { $0.replacingOccurrences(of: "\t", with: " ") }
  }

  @Test(.enabled(if: Host.has(built("audispatch-print")), "needs root and make build"))
  func `print`() async throws {
    let scratch = try Scratch()
    let daemon = try await daemon("print", scratch)
    try await daemon.send([Self.record])
    try await eventually("its line", detail: { daemon.messages }) {
      scratch.text("daemon.out").contains("root")
    }
    let status = try status(daemon, "print")
    #expect(status.contains("Uid: 65534 65534 65534 65534"))
    #expect(status.contains("CapBnd: 0000000000000000"))
    try await daemon.finish()
  }

  @Test(.enabled(if: Host.has(built("audispatch-log")), "needs root and make build"))
  func `log`() async throws {
    let scratch = try Scratch()
    try scratch.folder("log")
    try scratch.write(
      "log_file = \(scratch("log/audit.log"))\nlog_group = adm\nmax_log_file = 1\n", to: "log.conf")
    let daemon = try await daemon(
      "log", scratch,
      replacing: [
        "/var/log/audispatch": scratch("log"),
        "read_paths =":
          "args = --config \(scratch("log.conf"))\nread_paths = \(scratch("log.conf"))",
      ])
    // Enough for it to rotate.
    let records = (1...3000).map { serial in
      Self.record.replacing(":1)", with: ":\(serial))") + String(repeating: "x", count: 400)
    }
    try await daemon.send(records)
    try await eventually("the log is rotated", detail: { daemon.messages }) {
      scratch.exists("log/audit.log.1") && scratch.lines("log/audit.log").last == records.last
    }
    let log = try FileManager.default.attributesOfItem(atPath: scratch("log/audit.log"))
    #expect(log[.groupOwnerAccountID] as? Int == 4)
    #expect(try status(daemon, "log").contains("CapBnd: 0000000000000001"))
    try await daemon.finish()
  }

  @Test(.enabled(if: Host.has(built("audispatch-socket")), "needs root and make build"))
  func `socket`() async throws {
    let scratch = try Scratch()
    try scratch.folder("run")
    let daemon = try await daemon(
      "socket", scratch,
      replacing: [
        "/run/audispatch/audispd_events": scratch("run/events"),
        "_paths = /run/audispatch": "_paths = \(scratch("run"))",
      ])
    // A socket has its name before anybody listens at it.
    try await eventually("its socket", detail: { daemon.messages }) {
      (try? UnixSocket.connect(scratch("run/events"))) != nil
    }
    let client = try UnixSocket.connect(scratch("run/events"))
    _ = try daemon.files.state()
    var text = ""
    try await eventually("the record", detail: { daemon.messages }) {
      try await daemon.send([Self.record])
      try await Task.sleep(for: .milliseconds(20))
      var chunk = [UInt8](repeating: 0, count: 65536)
      if DescriptorKind.isReadable(client.number) {
        let result = unsafe chunk.withUnsafeMutableBytes {
          unsafe Transfer.read(client.number, into: $0)
        }
        if case .bytes(let count) = result {
          text += String(decoding: chunk[..<count], as: UTF8.self)
        }
      }
      return text.contains("type=USER_LOGIN")
    }
    #expect(try status(daemon, "socket").contains("CapBnd: 0000000000000001"))
    try await daemon.finish()
  }

  @Test(.enabled(if: Host.has(built("audispatch-json")), "needs root and make build"))
  func `json`() async throws {
    let scratch = try Scratch()
    try scratch.folder("log")
    try scratch.write("file = \(scratch("log/audit.json"))\n", to: "json.conf", mode: 0o600)
    let daemon = try await daemon(
      "json", scratch,
      replacing: [
        "path = \(scratch("audispatch-json"))\n":
          "path = \(scratch("audispatch-json"))\nargs = --config \(scratch("json.conf"))\n",
        "/var/log/audispatch": scratch("log"), "read_paths =": "read_paths = \(scratch.path)",
      ])
    let child = try Child("/bin/sleep", ["600"])
    let stamp = "msg=audit(\(Int(Date().timeIntervalSince1970)).000:2): "
    try await daemon.send([
      Self.record,
      "type=SYSCALL \(stamp)arch=c000003e syscall=257 success=yes exit=3 ppid=\(getpid()) "
        + "pid=\(child.pid) auid=0 uid=0 ses=1 comm=\"sleep\" exe=\"/usr/bin/sleep\" key=(null)",
      "type=EOE \(stamp)",
    ])
    try await eventually("its documents", detail: { daemon.messages }) {
      scratch.lines("log/audit.json").count == 2
    }
    // Though it is confined to paths, it sees who started whom.
    let text = scratch.text("log/audit.json")
    #expect(text.contains("\"program\":\"/usr/sbin/sshd\""))
    #expect(text.contains("-\(getpid())-"))
    #expect(try status(daemon, "json").contains("CapBnd: 0000000000000001"))
    child.signal(SIGKILL)
    try await daemon.finish()
  }

  private static let withLog = [
    "/usr/bin/unshare", "-m", "--propagation", "private", "/bin/sh",
    Programs.source("with-log.sh"),
  ]

  @Test(
    .enabled(
      if: Host.has(built("audispatch-syslog"), "/usr/bin/unshare"), "needs root and make build"))
  func `syslog-local`() async throws { try await expectSyslog("syslog-local", replacing: [:]) }

  @Test(
    .enabled(if: Host.has(built("audispatch-syslog")), "needs root and make build"),
    .enabled(if: Rsyslogd.isHere, Rsyslogd.why))
  func `syslog-remote`() async throws {
    let scratch = try Scratch()
    let server = try await Rsyslogd(.relpOverTLS, scratch)
    try scratch.write(
      server.settings.map { $0 + "\n" }.joined(), to: "syslog-remote.conf", mode: 0o600)
    let daemon = try await daemon(
      "syslog-remote", scratch,
      replacing: ["/etc/audispatch": scratch.path, "read_paths =": "read_paths = \(scratch.path)"],
      settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"])
    try await daemon.send([Self.record])
    try await eventually("the server has acknowledged it", detail: { daemon.messages }) {
      try daemon.plugin("syslog-remote").delivered == 1
    }
    #expect(server.stored == [Self.record])
    // What the server does not take waits.
    server.child.signal(SIGKILL)
    _ = try await server.child.end()
    try await daemon.send([Self.record, Self.record])
    try await eventually("they wait") { try daemon.plugin("syslog-remote").queued == 2 }
    let successor = try await Rsyslogd(.relpOverTLS, scratch, port: server.port)
    try await eventually("they are there", within: .seconds(40), detail: { daemon.messages }) {
      try daemon.plugin("syslog-remote").queued == 0
    }
    #expect(try status(daemon, "syslog-remote").contains("CapBnd: 0000000000000000"))
    try await daemon.finish()
    successor.child.signal(SIGTERM)
    _ = try await successor.child.end()
  }

  @Test(.enabled(if: Host.has("/sbin/audisp-syslog", "/usr/bin/unshare"), "needs audisp-syslog"))
  func `Debian's syslog`() async throws { try await expectSyslog("syslog-debian", replacing: [:]) }

  private func expectSyslog(_ name: String, replacing places: [String: String]) async throws {
    let scratch = try Scratch()
    let log = try SystemLog(scratch("log"))
    unsafe chmod(scratch("log"), 0o666)
    let daemon = try await daemon(
      name, scratch, replacing: places, prefix: Self.withLog + [log.path])
    try await daemon.send([Self.record])
    try await eventually("it is there", detail: { daemon.messages }) {
      log.messages.contains { $0.contains("type=USER_LOGIN") }
    }
    #expect(try status(daemon, name).contains("CapBnd: 0000000000000000"))
    #expect(try status(daemon, name).contains("NoNewPrivs: 1"))
    try await daemon.finish()
  }

  @Test(.enabled(if: Host.has("/usr/sbin/laurel"), "needs laurel"))
  func `laurel, which changes its user itself`() async throws {
    let scratch = try Scratch()
    try scratch.folder("laurel")
    try scratch.write(
      """
      directory = "\(scratch("laurel"))"
      user = "_laurel"
      statusreport-period = 0
      [auditlog]
      file = "audit.log"

      """, to: "laurel.toml", mode: 0o644)
    try #require(try await run("/bin/chown", ["_laurel", scratch("laurel")]).end == .exited(0))
    let daemon = try await daemon(
      "laurel-confined", scratch, replacing: ["/etc/laurel/config.toml": scratch("laurel.toml")])
    try await daemon.send(
      [Self.record, "type=EOE msg=audit(1700000000.000:1):"])
    try await eventually("its event", detail: { daemon.messages }) {
      scratch.text("laurel/audit.log").contains("USER_LOGIN")
    }
    #expect(try status(daemon, "laurel-confined").contains("NoNewPrivs: 1"))
    try await daemon.finish()
  }

  @Test(.enabled(if: Host.isRoot, "needs root"))
  func `a shell`() async throws {
    let scratch = try Scratch()
    try scratch.folder("log")
    let daemon = try await daemon(
      "shell", scratch, replacing: ["/var/log/audispatch": scratch("log")])
    try await daemon.send([Self.record])
    try await eventually("the line", detail: { daemon.messages }) {
      scratch.lines("log/logins.log") == [Self.record]
    }
    try await daemon.finish()
  }
}
