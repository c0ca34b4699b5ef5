import Journal
import Linux
import Testing

@testable import AuditDispatch

@Suite("Small decisions of the dispatcher")
struct DispatchValueTests {
  private func at(_ seconds: Double) -> Moment { Moment(nanoseconds: Int64(seconds * 1e9)) }

  @Test func `a rate limit lets one through a period, with the number held back`() {
    var limit = RateLimit(every: .seconds(10))
    let passed = [0, 1, 2, 9.9, 10, 10.1, 25].map { limit.pass(at($0)) }
    #expect(passed == [0, nil, nil, nil, 3, nil, 1])
  }

  @Test func `plugins are let read for a hundredth of the time at most`() {
    var grace = Grace()
    var waited = Duration.zero
    for index in 0..<10_000 {
      let now = at(1 + Double(index) * 0.001)
      let available = grace.available(now)
      #expect(available <= .milliseconds(2))
      grace.spend(available)
      waited += available
    }
    #expect(waited <= .seconds(10) / 100 + .milliseconds(40))
  }

  @Test(arguments: [
    ("plain text", "plain text"), ("a\u{1b}[31mb", "a\\x1b[31mb"), ("a\\b", "a\\x5cb"),
    ("ü", "\\xc3\\xbc"), ("\u{0}", "\\x00"),
  ])
  func `a sample in a message is printable`(_ text: String, _ expected: String) {
    #expect(printable(text.utf8) == expected)
  }

  @Test func `JSON text is put together with commas and escapes`() {
    var json = JSONText()
    json.object { json in
      json.field("a", 1)
      json.field("b", "x\"\\\n\u{1}")
      json.array("c") { json in
        json.object { $0.field("d", true) }
        json.object { _ in }
      }
    }
    #expect(json.text == #"{"a":1,"b":"x\"\\\n\u0001","c":[{"d":true},{}]}"#)
  }

  @Test func `a gzipped file and a netlink capture are known by their first bytes`() {
    #expect(FileContent.isGzip([0x1f, 0x8b, 8]))
    #expect(!FileContent.isGzip(Array("type=".utf8)))
    let message: [UInt8] = [0xba, 0, 0, 0, 0x5c, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    #expect(FileContent.isNetlink(message + Array("audit(1.0:1)".utf8)))
    #expect(!FileContent.isNetlink(message + Array("type=A".utf8)))
    let binary: [UInt8] = [1, 0, 0, 0, 16, 0, 0, 0, 0x14, 5, 0, 0, 30, 0, 0, 0]
    #expect(!FileContent.isNetlink(binary + Array("audit(1.0:1)".utf8)))
  }
}

@Suite("How long the spool has kept what nobody takes")
struct KeptQueueTests {
  @Test func `is measured by the monotonic clock, from when it was gone`() {
    var kept = KeptQueue(records: [], number: StreamNumber(1), now: 1_700_000_000)
    kept.begins(at: 1_800_000_000)
    let age = kept.age(.now + .seconds(50))
    #expect(age >= .seconds(50) && age < .seconds(60))
  }
}
