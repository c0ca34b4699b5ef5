import Foundation
import Testing

/// What `make install` installs, as it is installed, in a root of its own: the daemon with no
/// arguments and its defaults, and what its hints say.
@Suite(
  "The installation", .inTurn, .enabled(if: Installation.isPossible, Installation.why))
struct InstalledTests {
  @Test func `works as it is: the default plugin prints every event`() async throws {
    let installed = try await Installation()
    let check = try await installed.check()
    #expect(check.end == .exited(0), "\(check.output)")
    #expect(check.output.hasSuffix("0 errors, 0 warnings\n"), "\(check.output)")
    try installed.start()
    try installed.send(Installation.record)
    try await eventually("its line", detail: { installed.messages }) {
      installed.scratch.text("daemon.out").contains("root")
    }
    #expect(try await installed.delivered("print"))
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
    try installed.send(Installation.record)
    try await eventually("the log", detail: { installed.messages }) {
      installed.scratch.lines(installed.path("srv/log/audit.log")) == [Installation.record]
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
    let check = try await installed.check()
    #expect(check.end == .exited(6))
    #expect(
      check.output.contains("log.conf:1:12: error: cannot open /srv/log: Permission denied")
        && check.output.contains("/srv/log/audit.log is below neither read_paths"),
      "\(check.output)")
    try installed.start()
    try installed.send(Installation.record)
    try await eventually("the reason", detail: { installed.messages }) {
      installed.messages.contains("plugin log is confined: /srv/log")
        && installed.messages.contains("write_paths (/var/log/audispatch)")
    }
    try await installed.end()
  }
}
