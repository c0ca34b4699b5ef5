import AudispatchPlugin
import Foundation
import TestSupport
import Testing

@testable import audispatch_integrity

@Suite("Alerts for which there is no room")
struct WaitingAlertsTests {
  private func event(_ finding: String) -> ToldEvent {
    ToldEvent("rules", [finding], well: "", .text, at: 0)
  }

  @Test func `are told when there is, in their order`() {
    var alerts = WaitingAlerts()
    for number in 0..<3 { alerts.add(event("\(number)")) }
    var room = 0
    var told: [String] = []
    func tell() {
      alerts.tell {
        if room == 0 { return false }
        room -= 1
        told += $0.lines
        return true
      } summary: {
        event("\($0) more")
      }
    }
    tell()
    #expect(told == [] && alerts.count == 3)
    room = 2
    tell()
    #expect(told == ["blind    rules: 0", "blind    rules: 1"] && alerts.count == 1)
    for number in 0..<WaitingAlerts.most + 6 { alerts.add(event("later \(number)")) }
    #expect(alerts.count == WaitingAlerts.most && alerts.dropped == 7)
    room = WaitingAlerts.most
    tell()
    #expect(!alerts.isEmpty && alerts.count == 0)
    room = 1
    tell()
    #expect(alerts.isEmpty && told.last == "blind    rules: 7 more")
  }

  @Test func `are written to the file of events when it can be written`() throws {
    let folder = try TestFolder.make()
    defer { TestFolder.remove(folder) }
    var options = IntegrityOptions()
    options.events = "/dev/full"
    var log = PluginLog(name: "test")
    var telling = try Telling(options)
    let filler = ToldEvent(
      "x", [String](repeating: String(repeating: "y", count: 1 << 20), count: 5), well: "", .text,
      at: 0)
    let passed = [telling.pass(filler), telling.pass(filler)]
    #expect(passed == [true, false])
    let first = telling.place
    telling.alert(event("gone"))
    telling.flush(&log)
    #expect(telling.figures.contains { $0.name == "alerts_waiting" && $0.value == 1 })
    #expect(telling.hasLost && !telling.isDone(first))
    options.events = folder + "/events"
    telling.reload(options, &log)
    telling.flush(&log)
    let text = try String(contentsOfFile: folder + "/events", encoding: .utf8)
    #expect(text.hasSuffix("\nblind    rules: gone\n"))
    #expect(telling.isDone(telling.place) && telling.place == first + 1)
    #expect(telling.figures.contains { $0.name == "alerts_waiting" && $0.value == 0 })
  }
}
