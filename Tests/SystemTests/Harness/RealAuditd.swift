import Foundation
import Linux
import Synchronization
import Testing

/// Debian's auditd in a mount namespace of its own, with the test's plugins.
final class RealAuditd: Dispatcher {
  static let program = "/sbin/auditd"
  static let isHere = Host.has(program, "/usr/bin/unshare")
  static let why: Comment = "needs root, unshare and Debian's auditd"

  let files: DispatcherFiles
  let child: Child
  let port: UInt16
  let log: SystemLog
  private let connection = Mutex<Int32?>(nil)

  /// Starts auditd, which takes records over TCP on the loopback. Without `audit` it has nothing
  /// to do with the kernel; with it, it owns the kernel's audit until it is ended.
  ///
  /// - Parameter quiet: No copy of every record on its standard output.
  init(
    _ plugins: [PluginFile], settings: [String: String] = [:], audit: KernelAudit? = nil,
    quiet: Bool = false, scratch: Scratch? = nil
  ) async throws {
    let scratch = try scratch ?? Scratch()
    files = try DispatcherFiles(scratch, plugins)
    log = try SystemLog(scratch("log"))
    port = try freePort()
    var all = [
      "local_events": audit == nil ? "no" : "yes", "write_logs": "no",
      "log_file": "/var/log/audit/audit.log", "log_format": "ENRICHED", "flush": "NONE",
      "name_format": "NONE", "use_libwrap": "no", "q_depth": "2000",
      "overflow_action": "SYSLOG", "max_restarts": "10", "plugin_dir": files.pluginFolder,
      "space_left": "75", "space_left_action": "IGNORE", "admin_space_left": "50",
      "admin_space_left_action": "IGNORE", "disk_full_action": "IGNORE",
      "disk_error_action": "IGNORE", "max_log_file": "8", "max_log_file_action": "IGNORE",
      "tcp_listen_port": "\(port)", "distribute_network": "yes",
    ]
    all.merge(settings) { $1 }
    try scratch.folder("etc")
    try scratch.write(
      all.sorted { $0.key < $1.key }.map { "\($0) = \($1)\n" }.joined(), to: "etc/auditd.conf")
    child = try Child(
      "/usr/bin/unshare",
      [
        "-m", "--propagation", "private", "/bin/sh", Programs.source("auditd.sh"), scratch("etc"),
        quiet ? "-n" : "-f", log.path,
      ], output: scratch("auditd.out"), error: scratch("auditd.err"))
    if let audit {
      try audit.register(child.pid)
      try await eventually("auditd owns the kernel's audit", detail: { messages }) {
        try await KernelAudit.status()["pid"] == Int(child.pid) || child.ended != nil
      }
    }
    if !quiet {
      try await eventually("auditd listens", detail: { messages }) {
        child.ended != nil || connect()
      }
    }
  }

  deinit { finishInput() }

  /// What it wrote on its standard output and error, and sent to the system log.
  var messages: String {
    own + log.messages.map { $0 + "\n" }.joined()
  }

  private var own: String { files.scratch.text("auditd.out") + files.scratch.text("auditd.err") }

  private func connect() -> Bool {
    guard let socket = loopbackConnection(to: port) else { return false }
    connection.withLock { $0 = socket }
    return true
  }

  /// Before it is made to look again for what it may have read.
  private static let patience = Duration.milliseconds(200)

  /// Sends records over its TCP port and waits until they are acknowledged.
  func send(_ records: [String]) async throws {
    guard let socket = connection.withLock({ $0 }) else { throw Timeout(description: "no TCP") }
    for start in stride(from: 0, to: records.count, by: 100) {
      let group = records[start..<min(start + 100, records.count)]
      // What it does not log, it does not acknowledge.
      let expected = group.count { !$0.contains("type=EOE ") }
      var bytes = Data()
      for (index, record) in group.enumerated() {
        bytes += Managed.header(type: 0, length: record.utf8.count, sequence: UInt32(index))
        bytes += Data(record.utf8)
      }
      try Transfer.writeAll(socket, Array(bytes))
      var acknowledged = 0
      let clock = ContinuousClock()
      var nextNudge = clock.now + Self.patience
      try await eventually("auditd acknowledges", within: .seconds(90)) {
        acknowledged += max(0, drain(socket))
        if clock.now >= nextNudge {
          // It may have read more than it took: what follows makes it look again.
          nextNudge = clock.now + Self.patience
          try Transfer.writeAll(socket, Array(Managed.heartbeat))
        }
        return acknowledged >= expected * 16
      }
    }
  }

  func finishInput() {
    let socket = connection.withLock { socket in
      defer { socket = nil }
      return socket
    }
    if let socket { close(socket) }
  }

  /// SIGTERM, and waits for the end.
  func stop() async throws {
    child.signal(SIGTERM)
    let end = try await child.end()
    #expect(end == .exited(0), "\(messages)")
  }
}

/// The protocol in which auditd takes records from other hosts.
enum Managed {
  /// A message without an event; answered like one.
  static let heartbeat = header(type: 1, length: 0, sequence: 0)

  static func header(type: UInt32, length: Int, sequence: UInt32) -> Data {
    var data = Data([0xfe, 0, 0, 0xff, 0, 0])
    unsafe withUnsafeBytes(of: type.littleEndian) { unsafe data.append(contentsOf: $0) }
    unsafe withUnsafeBytes(of: UInt16(length).littleEndian) { unsafe data.append(contentsOf: $0) }
    unsafe withUnsafeBytes(of: sequence.littleEndian) { unsafe data.append(contentsOf: $0) }
    return data
  }
}

/// How many bytes could be read now without waiting.
private func drain(_ socket: Int32) -> Int {
  var buffer = [UInt8](repeating: 0, count: 16 << 10)
  return unsafe recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
}

private func address(_ port: UInt16) -> sockaddr_in {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  return address
}

/// A TCP port that nothing listens on now. It lies below those that the system gives to outgoing
/// connections (`ip_local_port_range` begins at 32768), so that no other test gets it meanwhile.
func freePort() throws -> UInt16 {
  for _ in 0..<100 {
    let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard probe >= 0 else { throw Errno.current }
    defer { close(probe) }
    let port = UInt16.random(in: 10240..<32768)
    var address = address(port)
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        unsafe bind(probe, generic, size)
      }
    }
    if result == 0 { return port }
  }
  throw Errno.current
}

/// A blocking connection to a port of the loopback; nil when nothing listens there.
///
/// - Parameter source: the address that it comes from; `nil`: the usual one.
func loopbackConnection(to port: UInt16, from source: String? = nil) -> Int32? {
  let connection = socket(
    AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
  if let source {
    var own = sockaddr_in()
    own.sin_family = sa_family_t(AF_INET)
    own.sin_addr.s_addr = unsafe inet_addr(source)
    _ = unsafe withUnsafePointer(to: &own) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        unsafe bind(connection, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
  var address = address(port)
  let result = unsafe withUnsafePointer(to: &address) { pointer in
    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
      unsafe connect(connection, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  }
  if result == 0 { return connection }
  close(connection)
  return nil
}
