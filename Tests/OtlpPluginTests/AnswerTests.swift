import TestSupport
import Testing

@testable import audispatch_otlp

@Suite("A collector's answer")
struct AnswerTests {
  @Test func `is read in both encodings`() {
    let nothing = ExportAnswer([])
    #expect(nothing?.rejected == 0 && nothing?.message == "")
    #expect(ExportAnswer(Array("{}".utf8))?.rejected == 0)
    #expect(ExportAnswer(Array(#"{"partialSuccess":null}"#.utf8))?.rejected == 0)
    for count in [#""3""#, "3"] {
      let answer = ExportAnswer(
        Array(
          #"{"x":[1],"partialSuccess":{"rejectedLogRecords":\#(count),"errorMessage":"no"}}"#.utf8))
      #expect(answer?.rejected == 3 && answer?.message == "no")
    }
    // partial_success { rejected_log_records: 300 error_message: "no" }, and an unknown field.
    let answer = ExportAnswer([0x0a, 0x07, 0x08, 0xac, 0x02, 0x12, 0x02, 0x6e, 0x6f, 0x10, 0x01])
    #expect(answer?.rejected == 300 && answer?.message == "no")
  }

  @Test(arguments: ["<html>", "OK", "{", #"{"partialSuccess":{"rejectedLogRecords":"x"}}"#, "{}x"])
  func `is none if it is not OTLP`(_ text: String) {
    #expect(ExportAnswer(Array(text.utf8)) == nil)
  }

  @Test func `never asks for less than nothing, nor for what is not there`() {
    #expect(
      ExportAnswer(Array(#"{"partialSuccess":{"rejectedLogRecords":"-5"}}"#.utf8))?.rejected == 0)
    // A length beyond the end.
    #expect(ExportAnswer([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]) == nil)
    #expect(ExportAnswer([0x0a, 0x05, 0x08]) == nil)
  }

  @Test func `whatever its bytes are, is read to its end`() {
    var random = Seeded(of: "answers of collectors")
    for _ in 0..<20_000 {
      let bytes = (0..<random.number(below: 24)).map { _ in
        // Tags and small lengths more often than by chance.
        random.number(below: 2) == 0
          ? UInt8(random.number(below: 256)) : UInt8(random.number(below: 20))
      }
      let answer = ExportAnswer(bytes)
      #expect((answer?.rejected ?? 0) >= 0 && (answer?.message.count ?? 0) <= 200)
      #expect(ExportAnswer.reason(of: bytes).text.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }
  }

  @Test func `decides what becomes of the events`() {
    func fate(_ status: Int, _ body: String = "", after: Duration? = nil) -> ExportFate {
      ExportFate(status: status, body: Array(body.utf8), retryAfter: after)
    }
    #expect(fate(200) == .taken(rejected: 0, message: ""))
    #expect(
      fate(429, "slow down", after: .seconds(3))
        == .later(reason: "status 429: slow down", after: .seconds(3), mayBeTaken: false))
    #expect(
      fate(503, #"{"code":14,"message":"full"}"#)
        == .later(reason: "status 503: full", after: nil, mayBeTaken: true))
    #expect(fate(413) == .split(reason: "status 413: too large", isTooLarge: true))
    #expect(
      fate(400, "\u{8}\u{3}\u{12}\u{2}no") == .split(reason: "status 400: no", isTooLarge: false))
    #expect(
      fate(422, #"{"code":3,"message":"no","details":[]}"#)
        == .split(reason: "status 422: no", isTooLarge: false))
    #expect(fate(400, "\u{8}\u{3}") == .split(reason: "status 400", isTooLarge: false))
    // What is no collector knows nothing of events.
    for body in [
      "", "Client sent an HTTP request to an HTTPS server.\n", "<html>400</html>", "Bad Request",
      #"{"error":"no"}"#, #"{"code":3"#, "\u{12}\u{9}no",
    ] {
      guard case .later(_, nil, mayBeTaken: false) = fate(400, body) else {
        Issue.record("an event is the reason for \(body)")
        continue
      }
    }
    for status in [406, 415] {
      #expect(
        fate(status, "json only", after: .seconds(3))
          == .later(reason: "status \(status): json only", after: .seconds(3), mayBeTaken: false))
    }
    #expect(fate(401) == .later(reason: "status 401", after: nil, mayBeTaken: false))
    guard case .later(_, _, mayBeTaken: true) = fate(200, "<html>") else {
      Issue.record("a page is an answer")
      return
    }
  }
}
