/// Writes into room that was made for it. It does not look how much that is: who makes it counts.
@unsafe
struct Pen {
  private(set) var at: UnsafeMutablePointer<UInt8>

  @inline(__always)
  init(_ start: UnsafeMutablePointer<UInt8>) { unsafe at = start }

  @inline(__always)
  mutating func byte(_ byte: UInt8) {
    unsafe at.pointee = byte
    unsafe at += 1
  }

  @inline(__always)
  mutating func word(_ word: StaticString) {
    unsafe bytes(UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
  }

  /// A member that is a string, both plain.
  @inline(__always)
  mutating func member(
    _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, _ needsComma: Bool
  ) {
    unsafe key(name, needsComma)
    unsafe byte(0x22)
    unsafe bytes(value)
    unsafe byte(0x22)
  }

  /// A member's name, which is plain, up to its value.
  @inline(__always)
  mutating func key(_ name: UnsafeBufferPointer<UInt8>, _ needsComma: Bool) {
    if needsComma { unsafe byte(0x2c) }
    unsafe byte(0x22)
    unsafe bytes(name)
    unsafe byte(0x22)
    unsafe byte(0x3a)
  }

  /// Short ones by two loads that may overlap.
  @inline(__always)
  mutating func bytes(_ bytes: UnsafeBufferPointer<UInt8>) {
    let count = bytes.count
    guard count > 0 else { return }
    let from = unsafe UnsafeRawPointer(bytes.baseAddress!)
    let to = unsafe UnsafeMutableRawPointer(at)
    if count > 16 {
      unsafe to.copyMemory(from: from, byteCount: count)
    } else if count >= 8 {
      unsafe Self.copy(from, to, count, UInt64.self, 8)
    } else if count >= 4 {
      unsafe Self.copy(from, to, count, UInt32.self, 4)
    } else if count >= 2 {
      unsafe Self.copy(from, to, count, UInt16.self, 2)
    } else {
      unsafe at.pointee = bytes[0]
    }
    unsafe at += count
  }

  @inline(__always)
  private static func copy<Word: BitwiseCopyable>(
    _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, _ count: Int, _ type: Word.Type,
    _ size: Int
  ) {
    let first = unsafe from.loadUnaligned(as: type)
    let last = unsafe from.loadUnaligned(fromByteOffset: count - size, as: type)
    unsafe to.storeBytes(of: first, as: type)
    unsafe to.storeBytes(of: last, toByteOffset: count - size, as: type)
  }

  /// A number with zeros in front, of so many digits at least, and of 20 at most.
  mutating func decimal(_ number: UInt, digits: Int) {
    var least: UInt = 1
    for _ in 1..<digits { least *= 10 }
    while least > max(number, 1) {
      unsafe byte(0x30)
      least /= 10
    }
    unsafe decimal(number)
  }

  /// At most 20 digits.
  mutating func decimal(_ number: UInt) {
    if number < 10 { return unsafe byte(0x30 + UInt8(truncatingIfNeeded: number)) }
    var count = 1
    var rest = number
    while rest >= 10 {
      rest /= 10
      count += 1
    }
    rest = number
    var place = count
    while place > 0 {
      place -= 1
      unsafe at[place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    unsafe at += count
  }
}
