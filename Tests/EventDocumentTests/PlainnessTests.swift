import Testing

@testable import EventDocument

@Suite("Texts that need no escapes")
struct PlainnessTests {
  @Test(arguments: [false, true])
  func `are found eight bytes at a time as by looking at each`(_ isPercent: Bool) {
    let plainness = Plainness(isPercent: isPercent)
    var wrong: [[UInt8]] = []
    // Every byte at every place, among bytes whose bits are near those of others that need escapes.
    for other: UInt8 in [0x20, 0x21, 0x61, 0x7e] {
      for byte in UInt8.min...UInt8.max {
        for count in 1...18 {
          for place in 0..<count {
            var text = [UInt8](repeating: other, count: count)
            text[place] = byte
            let has = unsafe text.withUnsafeBufferPointer { unsafe plainness.has($0) }
            if has != isPlain(byte, isPercent) { wrong.append(text) }
          }
        }
      }
    }
    #expect(wrong.isEmpty)
  }

  private func isPlain(_ byte: UInt8, _ isPercent: Bool) -> Bool {
    switch byte {
    case 0x22, 0x5c: false
    case UInt8(ascii: "%"), UInt8(ascii: "+"): !isPercent
    default: byte >= 0x20 && byte < 0x7f
    }
  }
}
