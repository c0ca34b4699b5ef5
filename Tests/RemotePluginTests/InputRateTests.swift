import Testing

@testable import audispatch_remote

@Suite("The rate of input") struct InputRateTests {
  @Test func `is not known at first`() {
    var rate = InputRate(at: .seconds(5))
    rate.note(100, bytes: 1, at: .seconds(5.5))
    #expect(rate.perSecond(at: .seconds(5.9)) == nil)
  }

  @Test func `is that of the last seconds`() {
    var rate = InputRate(at: .zero)
    for second in 0..<10 { rate.note(1000, bytes: 200_000, at: .seconds(second)) }
    #expect(rate.perSecond(at: .seconds(10)) == .init(records: 1000, bytes: 200_000))
    rate.note(30, bytes: 3000, at: .seconds(11))
    #expect(
      rate.perSecond(at: .seconds(11.5)) == .init(records: 10_000 / 11.0, bytes: 2_000_000 / 11.0))
    #expect(rate.perSecond(at: .seconds(13)) == .init(records: 15, bytes: 1500))
  }

  @Test func `is none when nothing comes`() {
    #expect(InputRate(at: .zero).perSecond(at: .seconds(5)) == nil)
  }
}
