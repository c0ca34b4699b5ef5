import Foundation
import Linux
import Testing

/// Where `make build` puts what `make install` installs.
private enum ReleaseBuild {
  static let top =
    "/" + "\(#filePath)".split(separator: "/").dropLast(4).joined(separator: "/")

  static func program(_ name: String) -> String { "\(top)/.build/release/\(name)" }
}

/// An installed root, and a daemon in it that is started as the service's command line has it.
final class Installation {
  static let isPossible = Host.has(
    ReleaseBuild.program("audispatchd"), "/usr/bin/unshare", "/usr/sbin/chroot", "/usr/bin/make",
    "/usr/bin/nsenter")
  static let why: Comment = "needs root and make build"
  static let record =
    "type=USER_LOGIN msg=audit(1700000000.000:1): pid=7 uid=0 auid=0 ses=1 "
    + "msg='op=login id=0 exe=\"/usr/sbin/sshd\" hostname=? addr=? terminal=ssh res=success'"

  let scratch: Scratch
  var root: String { scratch("root") }
  private(set) var daemon: Child?
  private var input: Int32 = -1

  init() async throws {
    scratch = try Scratch()
    let made = try await SystemTests.run(
      "/usr/bin/make",
      ["-C", ReleaseBuild.top, "-o", "build", "install", "DESTDIR=\(scratch("root"))"])
    try #require(made.end == .exited(0), "\(made.error)")
  }

  /// What programs in the root send to /dev/log.
  func systemLog() throws -> SystemLog {
    try scratch.folder(path("run"))
    let log = try SystemLog(scratch(path("run/log")))
    unsafe chmod(log.path, 0o666)
    return log
  }

  deinit { if input >= 0 { close(input) } }

  func path(_ file: String) -> String { "root/" + file }

  func edit(_ plugin: String, _ change: (String) -> String) throws {
    let file = path("etc/audispatch/plugins.d/\(plugin).conf")
    let text = scratch.text(file)
    try scratch.write(change(text), to: file)
  }

  func activate(_ plugins: String...) throws {
    for plugin in plugins {
      try edit(plugin) { $0.replacing("active = no\n", with: "active = yes\n") }
    }
  }

  private func inRoot(_ command: [String]) -> [String] {
    ["-m", "--propagation", "private", "/bin/sh", Programs.source("installed.sh"), root] + command
  }

  /// A command, in the root.
  func run(_ command: String...) async throws -> Outcome {
    try await SystemTests.run("/usr/bin/unshare", inRoot(command))
  }

  func check() async throws -> Outcome { try await run("/usr/sbin/audispatchd", "--check") }

  /// Settings of a plugin, as the example that is installed has them, or as they are given.
  func settings(_ name: String, _ lines: [String]? = nil) throws {
    let text =
      lines.map { $0.map { $0 + "\n" }.joined() }
      ?? scratch.text(path("usr/share/doc/audispatch/examples/\(name).conf"))
    try scratch.write(text, to: path("etc/audispatch/\(name).conf"), mode: 0o600)
  }

  func start() throws {
    let (near, far) = try UnixSocket.pair().release()
    daemon = try Child(
      "/usr/bin/unshare", inRoot(["/usr/sbin/audispatchd"]), input: far,
      output: scratch("daemon.out"), error: scratch("daemon.err"))
    close(far)
    input = near
  }

  func send(_ record: String) throws {
    try Transfer.writeAll(input, Array((record + "\n").utf8))
  }

  /// Asks with the installed tool.
  func state() async throws -> StateReport? {
    let pid = try #require(daemon).pid
    let outcome = try await SystemTests.run(
      "/usr/bin/nsenter",
      ["-t", "\(pid)", "-m", "-r", "/usr/sbin/audispatchctl", "status", "--json"])
    return try? StateReport(Data(outcome.output.utf8))
  }

  func delivered(_ plugin: String) async throws -> Bool {
    guard let found = try await state()?.plugins.first(where: { $0.name == plugin }) else {
      return false
    }
    return found.delivered > 0 && found.queued == 0 && found.restarts == 0
  }

  func end() async throws {
    close(input)
    input = -1
    #expect(try await daemon?.end() == .exited(0), "\(messages)")
  }

  var messages: String { scratch.text("daemon.err") }
}
