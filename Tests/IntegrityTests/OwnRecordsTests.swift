import Testing

@testable import audispatch_integrity

@Suite("Records of several hosts")
struct OwnRecordsTests {
  private func takes(_ own: inout OwnRecords, _ node: String?, _ body: String = "x") -> Bool {
    let prefix = node.map { "node=\($0) " } ?? ""
    let event = Recorded.events(
      "\(prefix)type=\(body == "x" ? "USER_END" : "DAEMON_ERR") msg=audit(10.000:7): \(body)")[0]
    return own.takes(event)
  }

  @Test(arguments: [
    (nil, true), ("web1", true), ("web1.example.org", true), ("web10", false), ("web", false),
    ("other", false), ("WEB1", false),
  ])
  func `count where they are of this one`(node: String?, isOwn: Bool) {
    var own = OwnRecords(node: nil, host: "web1")
    let isTaken = takes(&own, node)
    #expect(isTaken == isOwn && own.others == (isOwn ? 0 : 1))
  }

  @Test(arguments: [("web1", false), ("front", true), ("front.example.org", false), (nil, true)])
  func `count by the name that is configured`(node: String?, isOwn: Bool) {
    var own = OwnRecords(node: "front", host: "web1")
    let isTaken = takes(&own, node)
    #expect(isTaken == isOwn)
  }

  @Test func `count where they say what this plugin's queue has dropped`() {
    var own = OwnRecords(node: nil, host: "web1")
    let isTaken = takes(&own, "front", "op=queue-drop plugin=integrity dropped=3 res=failed")
    #expect(isTaken && own.others == 0)
  }

  @Test func `are not all others' as long as one is own`() {
    var own = OwnRecords(node: nil, host: "web1")
    for count in 1...100 {
      #expect(!own.areAllOthers)
      _ = takes(&own, "other")
      #expect(own.others == count)
    }
    #expect(own.areAllOthers)
    _ = takes(&own, "web1")
    #expect(!own.areAllOthers)
  }
}
