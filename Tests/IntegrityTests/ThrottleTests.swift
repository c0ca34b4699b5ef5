import Linux
import Testing

@testable import audispatch_integrity

@Suite("A scan that is slowed down")
struct ThrottleTests {
  @Test func `spends a second's worth at once, then waits for what it owes`() {
    let start = Moment(nanoseconds: 0)
    var throttle = Throttle(rate: 100, now: start)
    #expect(throttle.take(100, at: start) == .zero)
    #expect(throttle.take(50, at: start) == .milliseconds(500))
    #expect(throttle.take(0, at: start + .milliseconds(500)) == .zero)
  }

  @Test func `keeps its rate over any times of asking`() {
    var now = Moment(nanoseconds: 0)
    var throttle = Throttle(rate: 1000, now: now)
    var taken = 0
    while now.nanoseconds < 10_000_000_000 {
      let pause = throttle.take(70, at: now)
      taken += 70
      now = now + pause + .microseconds(10)
    }
    #expect(taken <= 11_000 + 70)
    #expect(taken >= 10_000)
  }

  @Test func `never waits without a limit`() {
    var throttle = Throttle(rate: 0, now: Moment(nanoseconds: 0))
    #expect(throttle.take(.max, at: Moment(nanoseconds: 1)) == .zero)
  }
}
