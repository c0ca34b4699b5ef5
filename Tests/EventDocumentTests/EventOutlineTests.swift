import AudispatchPlugin
import EventDocument
import Testing

@Suite("The outline of an event")
struct EventOutlineTests {
  private static func outline(_ lines: String...) -> EventOutline {
    var reader = OutlineReader(accounts: ECSFormTests.options().accounts)
    return reader.outline(of: event(lines))
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test func `says who did what to what, and why it failed`() {
    let outline = Self.outline(
      ECSFormTests.call, ECSFormTests.folder,
      ECSFormTests.path("name=\"x\" mode=0100644 nametype=NORMAL"))
    #expect(text(outline.login) == "ann")
    #expect(text(outline.actingAs) == "root")
    #expect(text(outline.action) == "opened-file")
    #expect(text(outline.objectType) == "file")
    #expect(text(outline.object) == "/home/ann/x")
    #expect(text(outline.program) == "/usr/bin/cat")
    #expect(outline.outcome == .failure)
    #expect(text(outline.reason) == "EACCES")
    #expect(outline.keys.map(text) == ["a", "bb"])
  }

  @Test func `has no login where none has begun it`() {
    let outline = Self.outline(
      "type=SERVICE_START msg=audit(1.000:1): pid=1 uid=0 auid=4294967295 ses=4294967295 "
        + "msg='unit=cron comm=\"systemd\" exe=\"/lib/systemd/systemd\" res=success'")
    #expect(outline.login == [])
    #expect(text(outline.actingAs) == "root")
    #expect(text(outline.object) == "cron")
    #expect(outline.outcome == .success)
    #expect(outline.reason == [])
  }

  @Test func `does not make up an end`() {
    #expect(Self.outline("type=BPF msg=audit(1.000:1): prog-id=5 op=LOAD").outcome == .unknown)
  }
}
