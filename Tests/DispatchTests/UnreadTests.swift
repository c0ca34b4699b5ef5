import Journal
import Testing

@testable import AuditDispatch

@Suite("What a dead process's plugin had not read")
struct UnreadTests {
  private static func gap(_ plugin: String) -> String {
    "type=DAEMON_ERR msg=audit(1700000000.001:7): op=queue-drop plugin=\(plugin) dropped=3 events=1 "
      + "reason=queue_full res=failed\n"
  }

  static let cases: [(text: String, records: UInt64)] = [
    ("", 0), ("type=A msg=audit(1.000:1): x\n", 1),
    // The rest of a record that was read in part is a record, what was written in part is none.
    ("1): x\ntype=A msg=audit(1.000:2): y\n", 2), ("type=A msg=audit(1.000:1): x\ntype=A m", 1),
    (gap("p"), 0), ("\(gap("p"))type=A msg=audit(1.000:1): x\n", 1),
    ("node=h \(gap("p"))", 0),
    // What another dispatcher announced to its own plugin is a record as any other.
    (gap("other"), 1), ("\(gap("pp"))\(gap("p"))", 1),
    ("type=USER msg=audit(1.000:1): op=queue-drop plugin=p\n", 1),
  ]

  @Test(arguments: cases)
  func `is told in records, without its announcements`(text: String, records: UInt64) {
    #expect(Unread.records(Array(text.utf8), .string, of: "p") == records)
  }

  @Test(arguments: [(0, 0), (1, 1), (8986, 1), (8987, 2), (3 * 8986, 3)])
  func `is told in fixed records by their size`(bytes: Int, records: UInt64) {
    #expect(Unread.records([UInt8](repeating: 7, count: bytes), .fixed, of: "p") == records)
  }

  @Test func `is told in compact records, from the middle of one on`() {
    func record(_ length: Int) -> [UInt8] {
      [1, 0, 0, 0, 16, 0, 0, 0, 0x14, 5, 0, 0, UInt8(length & 0xff), UInt8(length >> 8), 0, 0]
        + [UInt8](repeating: 0x78, count: length)
    }
    let three = record(300) + record(5) + record(1000)
    for start in 0...316 {
      #expect(Unread.records(Array(three[start...]), .compact, of: "p") == (start < 316 ? 3 : 2))
    }
    #expect(Unread.records([], .compact, of: "p") == 0)
  }
}
