import Testing

@testable import RemoteProtocol

@Suite("Who makes room in the ledger of senders")
struct SenderSlotsTests {
  private func key(_ owner: String, _ name: String) -> [UInt8] {
    Array("sender \(owner) \(name)".utf8)
  }

  private func use(_ slots: inout SenderSlots, _ key: [UInt8]) -> Int? { slots.use(key) }

  @Test func `is the one that was silent for the longest, where all are of owners of their own`() {
    var slots = SenderSlots(count: 4)
    for number in 0..<4 {
      let (slot, isOthers) = slots.take(key("192.0.2.\(number)", "a"))
      #expect(slot == number && !isOthers)
    }
    #expect(use(&slots, key("192.0.2.0", "a")) == 0)
    let (slot, isOthers) = slots.take(key("192.0.2.9", "a"))
    #expect(slot == 1 && isOthers)
    #expect(use(&slots, key("192.0.2.1", "a")) == nil)
    #expect(slots.taken == [0, 1, 2, 3])
  }

  @Test func `is one of whoever invents names, and nobody else`() {
    var slots = SenderSlots(count: 64)
    let others = (0..<40).map { key("192.0.2.\($0)", "web") }
    for other in others { _ = slots.take(other) }
    var forgotten = 0
    for number in 0..<10_000 {
      let name = key("198.51.100.1", "invented\(number)")
      if slots.use(name) == nil, slots.take(name).isOthers { forgotten += 1 }
    }
    #expect(forgotten == 10_000 - 24)
    for other in others { #expect(use(&slots, other) != nil) }
    // Its latest are there.
    for number in 9976..<10_000 {
      #expect(use(&slots, key("198.51.100.1", "invented\(number)")) != nil)
    }
    // Another host gets one of its.
    _ = slots.take(key("192.0.2.99", "web"))
    for other in others { #expect(use(&slots, other) != nil) }
    #expect(use(&slots, key("198.51.100.1", "invented9976")) == nil)
  }

  @Test(arguments: [
    ("sender 192.0.2.1 a/b", "192.0.2.1"), ("host web1.example.org n", "web1.example.org"),
    ("host 2001:db8:1:2:3:4:5:6 ", "2001:db8:1:2"), ("host 2001:db8:1:2::6 ", "2001:db8:1:2"),
    ("host 2001:db8::6 x", "2001:db8:0:0"), ("host ::1 x", "0:0:0:0"), ("host :: x", "0:0:0:0"),
    ("host 2001::1:2:3:4:5:6 x", "2001:0:1:2"), ("x", "x"), ("", ""), ("host : x", "0:0:0:0"),
  ])
  func `is looked for among those of one owner`(key: String, owner: String) {
    let found = SenderSlots.owner(of: Array(key.utf8))
    #expect(String(decoding: found, as: UTF8.self) == owner)
  }

  /// The slots of senders that come and go are as many as there are, each of one.
  @Test func `leaves each slot to one sender, whatever comes`() {
    var slots = SenderSlots(count: 16)
    var state: UInt64 = 1
    for _ in 0..<20_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let name = key("192.0.2.\(state >> 60)", "\(state >> 33 & 7)")
      if slots.use(name) == nil { _ = slots.take(name) }
      #expect(use(&slots, name).map { slots.key(in: $0) } == name)
      #expect(Set(slots.taken).count == slots.slotOf.count)
    }
    #expect(slots.taken == Array(0..<16))
  }
}
