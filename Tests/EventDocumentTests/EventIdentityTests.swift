import AudispatchPlugin
import EventDocument
import Testing

/// What an event, or a part of one, is called for ever.
@Suite("The id of an event in documents")
struct EventIdentityTests {
  @Test func `the parts of an event have ids of their own, the same each time`() {
    var ids: [String] = []
    for _ in 0..<2 {
      var limits = EventAssembler.Limits()
      limits.eventBytes = 300
      var writer = DocumentWriter(.ecs, ECSFormTests.options())
      for event in events([ECSFormTests.call, ECSFormTests.folder, ECSFormTests.folder], limits) {
        ids.append(writer.parsed(event)["event.id"])
      }
    }
    #expect(ids.count == 4)
    #expect(ids.allSatisfy { $0.hasPrefix("here:1490995752.400:5:") })
    #expect(ids[0] != ids[1])
    #expect(ids[2...].elementsEqual(ids[..<2]))
  }

  static let end = "type=EOE \(ECSFormTests.stamp)"
  static let ids: [(String, [String], String)] = [
    ("all of it, behind its end", [ECSFormTests.call, ECSFormTests.folder, end], ""),
    (
      "all of it, behind its PROCTITLE",
      [ECSFormTests.call, "type=PROCTITLE \(ECSFormTests.stamp)proctitle=\"cat\""], ""
    ),
    ("a record of a program", ["type=USER_AUTH \(ECSFormTests.stamp)pid=1"], ""),
    (
      "what io_uring did",
      [
        "type=URINGOP \(ECSFormTests.stamp)uring_op=28 success=yes exit=0 items=1 ppid=10 pid=11",
        end,
      ], ""
    ),
    (
      "a denial and its call",
      ["type=AVC \(ECSFormTests.stamp)apparmor=\"DENIED\"", ECSFormTests.call, end], ""
    ),
    ("a beginning", [ECSFormTests.call, ECSFormTests.folder], ":8ee8495ec8908958"),
    ("a rest", [ECSFormTests.folder, end], ":50821613dde07205"),
    ("a record that may be one of several", [ECSFormTests.folder], ":9ea239e2fa902b1f"),
  ]

  @Test(arguments: ids)
  func `nothing but what is known to be whole is called as the whole`(
    _ what: String, _ lines: [String], _ hash: String
  ) {
    var writer = DocumentWriter(.ecs, ECSFormTests.options())
    let event = events(lines, EventAssembler.Limits())[0]
    let id = "here:1490995752.400:5" + hash
    #expect(writer.parsed(event)["event.id"] == id, "\(what)")
    #expect(ECSFormTests.options().identity(of: event) == Array(id.utf8))
  }
}
