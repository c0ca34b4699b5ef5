import AudispatchPlugin
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

  /// Who sends them may claim whatever it wants, in front of what the dispatcher says.
  @Test(arguments: [
    ("type=USER_END msg=audit(10.000:7): x=1", true, false),
    ("node=web1 type=USER_END msg=audit(10.000:7): x=1", true, true),
    ("type=USER_END msg=audit(10.000:7): x=1 peer=192.0.2.1", false, false),
    ("node=web1 type=USER_END msg=audit(10.000:7): x=1 peer=192.0.2.1", false, false),
    ("node=web1 type=USER_END msg=audit(10.000:7): msg='x peer=a\u{1d}UID=\"a\"", false, false),
    ("type=USER_END msg=audit(10.000:7): peer=192.0.2.1\u{1d}peer=b x=1", false, false),
    ("type=DAEMON_ERR msg=audit(10.000:7): op=queue-drop plugin=i res=failed peer=a", false, false),
    ("type=AVC msg=audit(10.000:7): apparmor=\"DENIED\" peer=\"q\"", true, false),
  ])
  func `are not this one's where the dispatcher says so`(
    line: String, whereMarked: Bool, whereMixed: Bool
  ) {
    let event = Recorded.events(line)[0]
    var own = OwnRecords(node: nil, host: "web1", hosts: .own)
    var marked = OwnRecords(node: nil, host: "web1", hosts: .marked)
    var mixed = OwnRecords(node: nil, host: "web1", hosts: .mixed)
    let taken = (own.takes(event), marked.takes(event), mixed.takes(event))
    #expect(taken == (true, whereMarked, whereMixed))
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
