import Testing

@testable import audispatch_remote

@Suite("The rate of input") struct InputRateTests {
  @Test func `is not known at first`() {
    var rate = InputRate(at: .seconds(5))
    rate.note(100, at: .seconds(5.5))
    #expect(rate.perSecond(at: .seconds(5.9)) == nil)
  }

  @Test func `is that of the last seconds`() {
    var rate = InputRate(at: .zero)
    for second in 0..<10 { rate.note(1000, at: .seconds(second)) }
    #expect(rate.perSecond(at: .seconds(10)) == 1000)
    rate.note(30, at: .seconds(11))
    #expect(rate.perSecond(at: .seconds(11.5)) == 10_000 / 11.0)
    #expect(rate.perSecond(at: .seconds(13)) == 15)
  }
}
