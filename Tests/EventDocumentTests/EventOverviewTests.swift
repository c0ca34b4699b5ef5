import AudispatchPlugin
import Testing

@testable import EventDocument

@Suite("The overview of an event")
struct EventOverviewTests {
  private static func overview(_ lines: String...) -> EventOverview {
    var reader = OverviewReader(
      accounts: ECSFormTests.options().accounts, host: Array("here".utf8))
    return reader.overview(of: event(lines))
  }

  private func text(_ bytes: [UInt8]?) -> String? {
    bytes.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func `says who did what to what, and why it failed`() {
    let overview = Self.overview(
      ECSFormTests.call, ECSFormTests.folder,
      ECSFormTests.path("name=\"x\" mode=0100644 nametype=NORMAL"))
    #expect(text(overview.login.name) == "ann")
    #expect(text(overview.user.name) == "root")
    #expect(text(overview.path) == "/home/ann/x")
    #expect(text(overview.mode) == "0100644")
    #expect(text(overview.executable) == "/usr/bin/cat")
    #expect(overview.outcome == .failure)
    #expect(text(overview.reason) == "EACCES(Permission denied)")
    #expect(text(overview.folder) == "/home/ann")
  }

  @Test func `does not look up users of another node`() {
    let call = ECSFormTests.call.prefix { $0 != "\u{1d}" }
    #expect(text(Self.overview("node=there " + call).login.name) != "ann")
    #expect(text(Self.overview("node=here " + call).login.name) == "ann")
  }

  @Test func `says of a part of an event what that has`() {
    let path = "type=PATH msg=audit(1.000:1): item=4 name=\"/x\" inode=7 mode=0100755"
    #expect(text(Self.overview(path).path) == "/x")
    #expect(text(Self.overview(path).inode) == "7")
    let arguments = "type=EXECVE msg=audit(1.000:1): argc=2 a0=\"id\" a1=\"-u\""
    #expect(text(Self.overview(arguments).command) == "id -u")
  }

  @Test func `names the file that a program was`() {
    let overview = Self.overview(
      "type=SYSCALL msg=audit(1.000:1): arch=c000003e syscall=59 success=yes exit=0 tty=(none) "
        + "auid=4294967295 uid=0 ses=4294967295 comm=\"id\" exe=\"/usr/bin/id\"",
      "type=EXECVE msg=audit(1.000:1): argc=2 a0=\"id\" a1=\"-u\"",
      "type=PATH msg=audit(1.000:1): item=0 name=\"/usr/bin/id\" inode=7 mode=0100755")
    #expect(text(overview.path) == "/usr/bin/id")
    #expect(text(overview.inode) == "7")
    #expect(text(overview.command) == "id -u")
    #expect(text(overview.action) == "execve")
    #expect(overview.login == EventOverview.Party())
    #expect(overview.terminal == nil && overview.session == nil)
    #expect(overview.outcome == .success && overview.reason == nil)
  }
}
