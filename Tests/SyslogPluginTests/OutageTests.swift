import Testing

@testable import SyslogSending
@testable import audispatch_syslog

@Suite("An outage")
struct OutageTests {
  private func at(_ seconds: Int) -> Duration { .seconds(1000 + seconds) }

  /// Which of some failures are said: a reason, of a server, at a second.
  private func said(
    _ failures: [(String, Int, Int)], known reasons: [Int: String] = [0: "refused"]
  ) -> [Bool] {
    var outage = Outage(at: at(0), reasons)
    return failures.map { outage.isNews($0.0, of: $0.1, at: at($0.2)) }
  }

  @Test func `has a reason that is said again when it is another one`() {
    let failures = [
      ("refused", 0, 20), ("certificate", 0, 21), ("certificate", 0, 40), ("refused", 0, 41),
    ]
    #expect(said(failures) == [false, true, false, true])
  }

  @Test func `says a change that came too soon with a later attempt`() {
    #expect(said([("certificate", 0, 1), ("certificate", 0, 11)]) == [false, true])
  }

  @Test func `says a reason that changes to and fro at a low rate`() {
    let failures = (1...100).map { ($0.isMultiple(of: 2) ? "refused" : "certificate", 0, $0) }
    let times = said(failures).count { $0 }
    #expect(times >= 5 && times <= 10)
  }

  @Test func `knows the reason of each server`() {
    let failures = [("a", 0, 20), ("b", 1, 21), ("a", 1, 22)]
    #expect(said(failures, known: [0: "a", 1: "b"]) == [false, false, true])
  }

  @Test func `is said to last each minute`() {
    var outage = Outage(at: at(0), [:])
    let times = (1...300).filter { outage.isToBeRepeated(at: at($0)) }
    #expect(times == [60, 120, 180, 240, 300])
    #expect(outage.lasts(at: at(120)) == "120 s")
  }
}
