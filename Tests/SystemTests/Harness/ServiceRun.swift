import Foundation
import Glibc
import Linux
import Testing

/// A daemon that reads from a socket as auditd's, where the test is auditd.
final class ServiceRun {
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

  static func write(_ events: [TestEvent], to connection: Int32) throws {
    try Transfer.writeAll(connection, Array(events.records.map { $0 + "\n" }.joined().utf8))
  }
}
