import Foundation
import Linux
import Synchronization
import Testing

/// The kernel's audit, of which a host has one: held under a host-wide lock by a guard
/// process, which puts everything back when the test ends, whatever way it ends.
final class KernelAudit: Sendable {
  static let lock = "/run/lock/audispatch-audit.lock"
  /// The key of every rule that a test adds.
  static let key = "audispatch-test"
  /// A user id that no account has: whose doings the rules are about.
  static let user = 54321
  static let why: Comment = "needs root, auditctl and a kernel audit that nothing else uses"

  /// Whether this host's audit can be had; a daemon that owns it keeps it, unless it is another
  /// test's.
  static let isHere: Bool = {
    guard Host.has("/sbin/auditctl", "/usr/bin/flock", "/usr/bin/unshare") else { return false }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c",
      """
      status=$(auditctl -s) || exit 1
      case $status in *"enabled 2"*) exit 1;; esac
      case $status in *"pid 0"*) exit 0;; esac
      ! flock -n "\(lock)" true
      """,
    ]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  private let guardian: Child
  private let channel: Int32
  private let scratch: Scratch

  private init(seconds: Int) async throws {
    let scratch = try Scratch()
    self.scratch = scratch
    let (reading, writing) = try Pipe().release()
    let guardian = try Child(
      "/bin/sh", [Programs.source("audit-guard.sh"), Self.lock, "\(seconds)", Self.key],
      input: reading, output: scratch("out"), error: scratch("out"))
    self.guardian = guardian
    close(reading)
    channel = writing
    try await eventually("the lock on the kernel's audit", within: .seconds(600)) {
      guardian.ended != nil || scratch.text("out").contains("held")
    }
    try #require(guardian.ended == nil, "\(scratch.text("out"))")
  }

  /// Holds the kernel's audit for at most `seconds`, then expects it as it was before. The case's turn
  /// ends: those that wait for the audit hold up no others.
  static func hold<Result: Sendable>(
    seconds: Int = 120, _ body: (KernelAudit) async throws -> Result
  ) async throws -> Result {
    await InTurn.end()
    let audit = try await KernelAudit(seconds: seconds)
    let result: Result
    do {
      result = try await body(audit)
    } catch {
      try await audit.release()
      throw error
    }
    try await audit.release()
    return result
  }

  /// Does what the kernel audits without any rule, as a change of its packet filter, beside no test that
  /// counts what is audited.
  static func apart(_ body: () async throws -> Void) async throws {
    guard isHere else { return try await body() }
    try await hold(seconds: 150) { _ in try await body() }
  }

  private func release() async throws {
    close(channel)
    _ = try await guardian.end(within: .seconds(30))
    try #require(scratch.text("out").contains("restored"), "\(scratch.text("out"))")
  }

  /// Has the guard end this process when the test has ended.
  func register(_ pid: pid_t) throws { try Transfer.writeAll(channel, Array("\(pid)\n".utf8)) }

  func auditctl(_ arguments: String...) async throws {
    let outcome = try await run("/sbin/auditctl", arguments)
    try #require(outcome.end == .exited(0), "auditctl \(arguments): \(outcome.error)")
  }

  /// Audits what the test user executes, and makes room for a burst.
  func auditExecs() async throws {
    try await auditctl("-b", "8192")
    try await auditctl(
      "-a", "always,exit", "-F", "arch=b64", "-S", "execve", "-F", "uid=\(Self.user)", "-k",
      Self.key)
  }

  /// Audits who changes what is in a folder, with room for a burst.
  func auditChanges(below folder: String, backlog: Int = 8192) async throws {
    try await auditctl("-e", "1")
    try await auditctl("-b", "\(backlog)")
    for arch in ["b64", "b32"] {
      try await auditctl(
        "-a", "always,exit", "-F", "arch=\(arch)", "-F", "dir=\(folder)", "-F", "perm=wa", "-k",
        Self.key)
    }
  }

  /// Executes a program so many times as the test user; gives the time that took.
  func execs(_ count: Int, within limit: Duration = .seconds(120)) async throws -> Duration {
    let outcome = try await run(
      try await Programs.execs(), ["\(count)", "\(Self.user)"], within: limit)
    try #require(outcome.end == .exited(0))
    return .nanoseconds(try #require(Int64(outcome.output.dropLast())))
  }

  /// The numbers of `auditctl -s`.
  static func status() async throws -> [String: Int] {
    var status: [String: Int] = [:]
    for line in split(try await run("/sbin/auditctl", ["-s"]).output) {
      let words = line.split(separator: " ")
      if words.count >= 2 { status[String(words[0])] = Int(words[1]) }
    }
    return status
  }
}

extension Receipt {
  /// How many events of the test user's execs a plugin has, whole: with a system call record and
  /// an end.
  static func execs(_ lines: [String]) -> Int {
    var calls = Set<String>()
    var whole = 0
    for line in lines {
      guard let start = line.range(of: "msg=audit("), let end = line.range(of: "):") else {
        continue
      }
      let id = String(line[start.upperBound..<end.lowerBound])
      if line.contains("type=SYSCALL"), line.contains("key=\"\(KernelAudit.key)\""),
        line.contains(" syscall=59 ")
      {
        calls.insert(id)
      } else if line.contains("type=EOE"), calls.contains(id) {
        whole += 1
      }
    }
    return whole
  }
}
