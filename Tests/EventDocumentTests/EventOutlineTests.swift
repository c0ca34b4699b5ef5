import AudispatchPlugin
import EventDocument
import Testing

@Suite("The outline of an event")
struct EventOutlineTests {
  private static func outline(_ lines: String..., form: DocumentForm = .ecs) -> EventOutline {
    let event = event(lines)
    var writer = DocumentWriter(form, ECSFormTests.options())
    _ = writer.document(event)
    return writer.outline(of: event)
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test(arguments: [DocumentForm.ecs, .laurel])
  func `says what was done to what, and why it failed`(_ form: DocumentForm) {
    let outline = Self.outline(
      ECSFormTests.call, ECSFormTests.folder,
      ECSFormTests.path("name=\"x\" mode=0100644 nametype=NORMAL"), form: form)
    #expect(text(outline.action) == "opened-file")
    #expect(text(outline.objectType) == "file")
    #expect(text(outline.object) == "/home/ann/x")
    #expect(text(outline.program) == "/usr/bin/cat")
    #expect(outline.outcome == .failure)
    #expect(text(outline.reason) == "EACCES")
    #expect(outline.keys.map(text) == ["a", "bb"])
  }

  @Test func `says of a program's record what it is about`() {
    let outline = Self.outline(
      "type=SERVICE_START msg=audit(1.000:1): pid=1 uid=0 auid=4294967295 ses=4294967295 "
        + "msg='unit=cron comm=\"systemd\" exe=\"/lib/systemd/systemd\" res=success'")
    #expect(text(outline.object) == "cron")
    #expect(outline.outcome == .success)
    #expect(outline.reason == [])
  }

  @Test func `does not take what goes on in the background for a failure`() {
    for (exit, outcome) in [(-115, EventOutline.Outcome.unknown), (-111, .failure)] {
      let outline = Self.outline(
        "type=SYSCALL msg=audit(1.000:1): arch=c000003e syscall=42 success=no exit=\(exit) exe=\"/x\"",
        "type=SOCKADDR msg=audit(1.000:1): saddr=0200005010A9FEA90000000000000000")
      #expect(outline.outcome == outcome)
    }
  }

  @Test func `does not make up an end`() {
    #expect(Self.outline("type=BPF msg=audit(1.000:1): prog-id=5 op=LOAD").outcome == .unknown)
  }
}
