import Foundation
import Linux
import Testing

/// Where `make build` puts what `make install` installs.
private enum ReleaseBuild {
  static let top =
    "/" + "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")

  static func program(_ name: String) -> String { "\(top)/.build/release/\(name)" }
}

/// What `make install` installs, as it is installed, in a root of its own: the daemon with no
/// arguments and its defaults, and every file of `plugins.d` activated as its comments say.
@Suite(
  "The installation", .inTurn,
  .enabled(
    if: Host.has(
      ReleaseBuild.program("audispatchd"), "/usr/bin/unshare", "/usr/sbin/chroot", "/usr/bin/make",
      "/usr/bin/nsenter"), "needs root and make build"))
struct InstalledTests {
  private static let record =
    "type=USER_LOGIN msg=audit(1700000000.000:1): pid=7 uid=0 auid=0 ses=1 "
    + "msg='op=login id=0 exe=\"/usr/sbin/sshd\" hostname=? addr=? terminal=ssh res=success'"

  /// An installed root, and a daemon in it that is started as the service's command line has it.
  private final class Installation {
    let scratch: Scratch
    var root: String { scratch("root") }
    private(set) var daemon: Child?
    private var input: Int32 = -1

    init() async throws {
      scratch = try Scratch()
      let made = try await run(
        "/usr/bin/make",
        ["-C", ReleaseBuild.top, "-o", "build", "install", "DESTDIR=\(scratch("root"))"])
      try #require(made.end == .exited(0), "\(made.error)")
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

    func check() async throws -> Outcome {
      try await run("/usr/bin/unshare", inRoot(["/usr/sbin/audispatchd", "--check"]))
    }

    func start() throws {
      let (near, far) = try UnixSocket.pair()
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
      let outcome = try await run(
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

  @Test func `works as it is: the default plugin prints every event`() async throws {
    let installed = try await Installation()
    let check = try await installed.check()
    #expect(check.end == .exited(0), "\(check.output)")
    #expect(check.output.hasSuffix("0 errors, 0 warnings\n"), "\(check.output)")
    try installed.start()
    try installed.send(Self.record)
    try await eventually("its line", detail: { installed.messages }) {
      installed.scratch.text("daemon.out").contains("root")
    }
    #expect(try await installed.delivered("print"))
    try await installed.end()
  }

  @Test func `has plugins that work when they are activated`() async throws {
    let installed = try await Installation()
    let names = ["log", "socket", "shell"]
    try installed.activate("log", "socket", "shell")
    let check = try await installed.check()
    #expect(check.end == .exited(0), "\(check.output)")
    try installed.start()
    try await eventually("the socket", detail: { installed.messages }) {
      installed.scratch.exists(installed.path("run/audispd_events"))
    }
    try installed.send(Self.record)
    for name in names + ["print"] {
      try await eventually(name, detail: { installed.messages }) {
        try await installed.delivered(name)
      }
    }
    for file in ["var/log/audispatch/audit.log", "var/log/audit-logins.log"] {
      try await eventually(file, detail: { installed.messages }) {
        installed.scratch.lines(installed.path(file)) == [Self.record]
      }
    }
    try await installed.end()
  }

  @Test func `has hints that work: print and the log into other files`() async throws {
    let installed = try await Installation()
    try installed.edit("print") { text in
      // What its last comment says.
      let parts = text.components(separatedBy: "# Into a file instead")
      let above = parts[0].split(separator: "\n", omittingEmptySubsequences: false)
        .filter { !["output =", "user =", "group ="].contains(where: $0.hasPrefix) }
      return above.joined(separator: "\n") + "#"
        + parts[1].replacing("\n#args", with: "\nargs").replacing("\n#write", with: "\nwrite")
    }
    try installed.scratch.write(
      "log_file = /srv/log/audit.log\n", to: installed.path("etc/audispatch/log.conf"))
    try installed.scratch.folder(installed.path("srv/log"))
    try installed.activate("log")
    try installed.edit("log") {
      $0.replacing("write_paths = /var/log/audispatch", with: "write_paths = /srv/log")
    }
    let check = try await installed.check()
    #expect(check.end == .exited(0), "\(check.output)")
    try installed.start()
    try installed.send(Self.record)
    try await eventually("the log", detail: { installed.messages }) {
      installed.scratch.lines(installed.path("srv/log/audit.log")) == [Self.record]
    }
    try await eventually("the lines", detail: { installed.messages }) {
      installed.scratch.text(installed.path("var/log/audispatch/events.log")).contains("root")
    }
    try await installed.end()
  }

  @Test func `says which keyword stands in the way of another log`() async throws {
    let installed = try await Installation()
    try installed.scratch.folder(installed.path("srv/log"))
    try installed.scratch.write(
      "log_file = /srv/log/audit.log\n", to: installed.path("etc/audispatch/log.conf"))
    try installed.activate("log")
    try installed.start()
    try installed.send(Self.record)
    try await eventually("the reason", detail: { installed.messages }) {
      installed.messages.contains("plugin log is confined: /srv/log")
        && installed.messages.contains("write_paths (/var/log/audispatch)")
    }
    try await installed.end()
  }
}
