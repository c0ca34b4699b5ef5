import AuditRecord
import Foundation
import Testing

@testable import AudispatchPlugin
@testable import SyslogSending
@testable import audispatch_syslog

@Suite("Times of messages")
struct MessageTimeTests {
  static let times: [(UInt64, String, String)] = [
    (0, "Jan  1 00:00:00", "1970-01-01T00:00:00.000Z"),
    (951_782_399_999, "Feb 28 23:59:59", "2000-02-28T23:59:59.999Z"),
    (951_782_400_001, "Feb 29 00:00:00", "2000-02-29T00:00:00.001Z"),
    (1_763_680_803_855, "Nov 20 23:20:03", "2025-11-20T23:20:03.855Z"),
    (253_402_300_799_999, "Dec 31 23:59:59", "9999-12-31T23:59:59.999Z"),
    (.max, "Dec 31 23:59:59", "9999-12-31T23:59:59.999Z"),
  ]

  @Test(arguments: times.indices)
  func `are written as both RFCs have them`(_ index: Int) {
    let (milliseconds, short, long) = Self.times[index]
    var time = MessageTime(.utc)
    var (first, second): ([UInt8], [UInt8]) = ([], [])
    time.appendShort(milliseconds / 1000, to: &first)
    time.appendLong(milliseconds, to: &second)
    #expect(text(first) == short)
    #expect(text(second) == long)
  }

  @Test func `are those of every day that Foundation knows`() {
    let format = ISO8601DateFormatter()
    format.formatOptions.insert(.withFractionalSeconds)
    var time = MessageTime(.utc)
    for day in stride(from: 0, to: 40_000, by: 7) {
      let milliseconds = UInt64(day) * 86_400_000 + UInt64(day) * 997
      var written: [UInt8] = []
      time.appendLong(milliseconds, to: &written)
      let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
      #expect(text(written) == format.string(from: date))
    }
  }
}
