import Foundation
import Glibc
import Linux
import Testing

/// What processes that the daemon starts for itself have in memory: keys, other hosts' records, the
/// configuration. `SuccessionTests` has the daemon itself.
@Suite("What helps the daemon", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct PrivateMemoryTests {
  /// As a plugin with `user = nobody` runs.
  private static let nobody = [
    "/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
  ]
  /// Without these capabilities root is to a process of root what any user is to his own.
  private static let bounded = [
    "/usr/bin/setpriv", "--bounding-set=-sys_ptrace,-sys_admin,-perfmon",
  ]

  private func isReadable(_ pid: pid_t, by prefix: [String]) async throws -> Bool {
    try await run(
      prefix[0], prefix.dropFirst() + ["/bin/cat", "/proc/\(pid)/environ"]
    ).end == .exited(0)
  }

  /// Whoever is like that can look into others that are; not into this one, from a moment after its
  /// start on.
  private func expectPrivate(_ pid: pid_t, to prefix: [String]) async throws {
    let other = try Child(prefix[0], prefix.dropFirst() + ["/bin/sleep", "600"])
    defer { other.signal(SIGKILL) }
    try await eventually("others' can be read") { try await isReadable(other.pid, by: prefix) }
    try await eventually("its own cannot", within: .seconds(10)) {
      try await !isReadable(pid, by: prefix)
    }
  }

  @Test func `shows nobody other hosts' records and keys`() async throws {
    let host = try await CentralHost(Scratch())
    // It stays this user where nobody else may enter the folder that it lies in.
    let program = Programs.product("audispatch-receive")
    let isFound =
      try await run(
        Self.nobody[0], Self.nobody.dropFirst() + ["/usr/bin/test", "-x", program]
      ).end == .exited(0)
    let line = "\nUid:\t\(isFound ? 65534 : geteuid())\t"
    // Of two tries the first one ends.
    var receiver: pid_t?
    try await eventually("it runs as whom it should") {
      try await Task.sleep(for: .milliseconds(100))
      receiver = host.receivers.first {
        String(decoding: contents("/proc/\($0)/status"), as: UTF8.self).contains(line)
      }
      return receiver != nil
    }
    try await expectPrivate(#require(receiver), to: Self.nobody)
    try await host.stop()
  }

  @Test func `shows nobody the kernel's records`() async throws {
    let (reading, writing) = try Pipe().release()
    defer { close(writing) }
    let reader = try Child(
      Self.bounded[0],
      [Self.bounded[1], Programs.product("audispatch-kernel"), "--capture"], input: reading)
    close(reading)
    defer { reader.signal(SIGKILL) }
    try await expectPrivate(reader.pid, to: Self.bounded)
    #expect(reader.ended == nil)
  }

  /// It stands still where it says what it is about to read, as nobody takes that.
  @Test func `shows nobody the configuration that it reads`() async throws {
    let scratch = try Scratch()
    let files = try DispatcherFiles(scratch, [PluginFile("p", "/bin/cat")])
    let made = unsafe mkfifo(scratch("steps"), 0o600)
    #expect(made == 0)
    let steps = try Descriptor.open(scratch("steps"), O_RDWR | O_NONBLOCK)
    let page = [UInt8](repeating: 0, count: 4096)
    var isFull = false
    while !isFull {
      let result = unsafe page.withUnsafeBytes { unsafe Transfer.write(steps.number, $0) }
      if case .bytes = result { continue }
      isFull = true
    }
    let examiner = try Child(
      "/bin/sh",
      [
        "-c", "exec 3<>\(scratch("answer")); exec \"$@\"", "sh", Self.bounded[0], Self.bounded[1],
        Programs.product("audispatchd"), "--config", files.configuration, "--plugin-dir",
        files.pluginFolder, "--runtime-dir", files.runtimeFolder,
      ], environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "AUDISPATCH_EXAMINER": "1"],
      output: scratch("steps"))
    defer { examiner.signal(SIGKILL) }
    try await expectPrivate(examiner.pid, to: Self.bounded)
    #expect(examiner.ended == nil)
  }
}
