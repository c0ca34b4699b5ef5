import Testing

import AudispatchPlugin

@Suite("Records that nothing takes")
struct OverflowTests {
  @Test func `are left in the input for a second`() {
    var overflow = Overflow(drops: true, at: .seconds(5))
    #expect(!overflow.isStuck(at: .seconds(5.9)))
    #expect(overflow.deadline == .seconds(6))
    #expect(overflow.isStuck(at: .seconds(6)))
    overflow.progressed(at: .seconds(7))
    #expect(!overflow.isStuck(at: .seconds(7.9)))
  }

  @Test func `wait for ever where nobody else is held up`() {
    let overflow = Overflow(drops: false, at: .zero)
    #expect(!overflow.isStuck(at: .seconds(1000)))
    #expect(overflow.deadline == nil)
  }

  @Test func `are counted, and spoken of at once, each minute, and at the end`() {
    var overflow = Overflow(drops: true, at: .zero)
    #expect(
      overflow.drop(3, at: .seconds(10))
        == "nothing takes messages: records are dropped, 3 until now")
    #expect(overflow.drop(4, at: .seconds(69)) == nil)
    #expect(
      overflow.drop(5, at: .seconds(70))
        == "nothing takes messages: records are dropped, 12 until now")
    #expect(overflow.end() == "messages are taken again; 12 records were dropped")
    #expect(overflow.end() == nil)
    #expect(overflow.drop(1, at: .seconds(71)) != nil)
    #expect(overflow.dropped == 13)
  }
}
