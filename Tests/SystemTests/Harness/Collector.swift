import Foundation
import Linux
import Testing

/// Debian's auditd as a central log server: it takes records on the loopback and writes them down.
final class Collector: Sendable {
  static let isHere = Host.has(RealAuditd.program, "/usr/bin/unshare")
  static let why: Comment = "needs root, unshare and Debian's auditd"

  let scratch: Scratch
  let port: UInt16
  let log: SystemLog
  let child: Child
  private let hasOwnDisk: Bool

  /// Starts it. With `port` it is the successor of one that has ended, whose log it goes on with.
  ///
  /// - Parameters:
  ///   - settings: over those of `auditd.conf` below.
  ///   - denied: lines of hosts.deny, for libwrap.
  ///   - disk: bytes of the file system that the log is on; 0 for the test's own.
  init(
    _ scratch: Scratch, settings: [String: String] = [:], denied: String = "", disk: Int = 0,
    port given: UInt16? = nil
  ) async throws {
    self.scratch = scratch
    let port = try given ?? freePort()
    self.port = port
    hasOwnDisk = disk > 0
    try scratch.folder("collector/log")
    log = try SystemLog(scratch("collector/syslog-\(UUID().uuidString.prefix(8))"))
    var all = [
      "local_events": "no", "write_logs": "yes", "log_file": scratch("collector/log/audit.log"),
      "log_format": "RAW", "flush": "NONE", "name_format": "NONE", "use_libwrap": "no",
      "tcp_listen_port": "\(port)", "tcp_max_per_addr": "64", "tcp_listen_queue": "64",
      "space_left": "2", "space_left_action": "IGNORE", "admin_space_left": "1",
      "admin_space_left_action": "IGNORE", "disk_full_action": "IGNORE",
      "disk_error_action": "IGNORE", "max_log_file": "1000", "max_log_file_action": "IGNORE",
      "plugin_dir": try scratch.folder("collector/plugins.d"),
    ]
    all.merge(settings) { $1 }
    try scratch.write(
      all.sorted { $0.key < $1.key }.map { "\($0) = \($1)\n" }.joined(), to: "collector/auditd.conf"
    )
    try scratch.write(denied, to: "collector/hosts.deny", mode: 0o644)
    let child = try Child(
      "/usr/bin/unshare",
      [
        "-m", "--propagation", "private", "/bin/sh", Programs.source("collector.sh"),
        scratch("collector"), log.path, scratch("collector/hosts.deny"), "\(disk)",
      ], output: scratch("collector/out"), error: scratch("collector/out"))
    self.child = child
    let log = log
    try await eventually("the collector listens", detail: { log.messages.joined(separator: "\n") })
    {
      if child.ended != nil { throw Timeout(description: scratch.text("collector/out")) }
      return Rsyslogd.listens(on: port, datagrams: false)
    }
  }

  private var path: String {
    (hasOwnDisk ? "/proc/\(child.pid)/root" : "") + scratch("collector/log/audit.log")
  }

  /// All lines that it wrote.
  var lines: [String] { split(String(decoding: contents(path), as: UTF8.self)) }
  /// Those that came from elsewhere.
  var stored: [String] { lines.filter { !$0.hasPrefix("type=DAEMON_") } }
  /// How many connections it took, and how many it turned away.
  var accepted: Int { lines.count { $0.contains("DAEMON_ACCEPT") && $0.contains("res=success") } }
  var refused: Int { lines.count { $0.contains("DAEMON_ACCEPT") && $0.contains("res=no") } }

  /// Fills the disk of its own, until nothing more goes onto it.
  func fill() throws {
    let file = try Descriptor.open(filler, O_WRONLY | O_CREAT)
    let piece = [UInt8](repeating: 0, count: 4096)
    while case .bytes = unsafe piece.withUnsafeBytes({ unsafe Transfer.write(file.number, $0) }) {}
  }
  func makeRoom() { try? FileManager.default.removeItem(atPath: filler) }
  private var filler: String { "/proc/\(child.pid)/root" + scratch("collector/log/filler") }

  func kill() async throws {
    child.signal(SIGKILL)
    _ = try await child.end()
  }

  func stop() async throws {
    child.signal(SIGTERM)
    _ = try await child.end()
  }
}
