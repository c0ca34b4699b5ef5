/// What makes records one event, but for the node: `audit(SECONDS.MILLISECONDS:SERIAL)`.
public struct RecordStamp: Equatable, Hashable, Sendable {
  /// Milliseconds since 1970.
  public var milliseconds: UInt64
  public var serial: UInt64

  public init(milliseconds: UInt64, serial: UInt64) {
    self.milliseconds = milliseconds
    self.serial = serial
  }

  /// As a record has it: `SECONDS.MILLISECONDS:SERIAL`.
  public var text: String {
    let fraction = String(milliseconds % 1000 + 1000).dropFirst()
    return "\(milliseconds / 1000).\(fraction):\(serial)"
  }

  /// Reads `audit(SECONDS.MILLISECONDS:SERIAL)` at `position` and moves it behind the bracket.
  ///
  /// Allocates nothing. `nil`, with `position` unchanged, when that is not what stands there.
  public init?(_ bytes: Span<UInt8>, at position: inout Int) {
    if let quick = Self.quick(bytes, at: &position) {
      self = quick
      return
    }
    var at = position
    guard bytes.has("audit(", at: at) else { return nil }
    at += 6
    guard let seconds = bytes.decimal(at: &at, maximumDigits: 16, before: UInt8(ascii: ".")),
      let fraction = bytes.decimal(at: &at, maximumDigits: 3, before: UInt8(ascii: ":")),
      let serial = bytes.decimal(at: &at, maximumDigits: 19, before: UInt8(ascii: ")"))
    else { return nil }
    position = at
    milliseconds = seconds * 1000 + fraction
    self.serial = serial
  }
}

extension RecordStamp {
  /// The stamp as the kernel writes it today, ten digits of seconds and three of milliseconds, with
  /// at least 32 bytes to look at; anything else is for the general way.
  @inline(__always)
  fileprivate static func quick(_ bytes: Span<UInt8>, at position: inout Int) -> RecordStamp? {
    let start = position
    guard start >= 0, bytes.count - start >= 32 else { return nil }
    return unsafe bytes.withUnsafeBytes { raw in
      // "audi", "t(", the dot and the colon in their places.
      guard unsafe raw.loadUnaligned(fromByteOffset: start, as: UInt32.self) == 0x6964_7561,
        unsafe raw.loadUnaligned(fromByteOffset: start + 4, as: UInt16.self) == 0x2874,
        unsafe raw[start + 16] == 0x2e, unsafe raw[start + 20] == 0x3a
      else { return nil }
      let head = unsafe raw.loadUnaligned(fromByteOffset: start + 6, as: UInt64.self)
      let digits = (
        unsafe raw[start + 14] &- 0x30, unsafe raw[start + 15] &- 0x30,
        unsafe raw[start + 17] &- 0x30, unsafe raw[start + 18] &- 0x30,
        unsafe raw[start + 19] &- 0x30
      )
      guard let eight = eightDigits(head),
        max(digits.0, digits.1, max(digits.2, digits.3, digits.4)) < 10
      else { return nil }
      var serial: UInt64 = 0
      var at = start + 21
      let limit = min(raw.count, start + 40)
      while at < limit {
        let digit = unsafe raw[at] &- 0x30
        guard digit < 10 else { break }
        serial = serial &* 10 &+ UInt64(digit)
        at += 1
      }
      guard at > start + 21, at < limit, unsafe raw[at] == 0x29 else { return nil }
      position = at + 1
      let seconds = eight * 100 + UInt64(digits.0) * 10 + UInt64(digits.1)
      let fraction = UInt64(digits.2) * 100 + UInt64(digits.3) * 10 + UInt64(digits.4)
      return RecordStamp(milliseconds: seconds * 1000 + fraction, serial: serial)
    }
  }

  /// The number that eight ASCII digits are, the first in the lowest byte.
  @inline(__always)
  private static func eightDigits(_ text: UInt64) -> UInt64? {
    let value = text ^ 0x3030_3030_3030_3030
    guard (value | (value &+ 0x0606_0606_0606_0606)) & 0xf0f0_f0f0_f0f0_f0f0 == 0 else {
      return nil
    }
    // Pairs, then fours, then all eight, each by one multiplication.
    let pairs = (value &* 10 &+ value >> 8) & 0x00ff_00ff_00ff_00ff
    let fours = (pairs &* 100 &+ pairs >> 16) & 0x0000_ffff_0000_ffff
    return (fours &* 10_000 &+ fours >> 32) & 0xffff_ffff
  }
}

extension Span<UInt8> {
  /// Whether `text` stands at `position`.
  @inline(__always)
  package func has(_ text: StaticString, at position: Int) -> Bool {
    let count = text.utf8CodeUnitCount
    guard position >= 0, self.count - position >= count else { return false }
    return unsafe withUnsafeBufferPointer { bytes in
      var same = true
      for i in 0..<count { same = unsafe same && bytes[position + i] == text.utf8Start[i] }
      return same
    }
  }

  /// The decimal number at `position`, which moves behind `end`, the byte that must follow it;
  /// `nil` without a digit or with too many.
  @inline(__always)
  package func decimal(
    at position: inout Int, maximumDigits: Int, before end: UInt8
  ) -> UInt64? {
    let start = position
    let limit = Swift.min(count, start + maximumDigits + 1)
    return unsafe withUnsafeBytes { raw in
      var value: UInt64 = 0
      var at = start
      while at < limit {
        let byte = unsafe raw[at]
        let digit = byte &- 0x30
        if digit >= 10 {
          guard byte == end, at > start else { return nil }
          position = at + 1
          return value
        }
        value = value &* 10 &+ UInt64(digit)
        at += 1
      }
      return nil
    }
  }

  /// The decimal number at `position`, which moves behind it; `nil` without a digit or with too many.
  package func decimal(at position: inout Int, maximumDigits: Int) -> UInt64? {
    let limit = Swift.min(count, position + maximumDigits)
    var value: UInt64 = 0
    var at = position
    while at < limit, self[at] &- 0x30 < 10 {
      value = value &* 10 &+ UInt64(self[at] &- 0x30)
      at += 1
    }
    guard at > position else { return nil }
    if at == limit, at < count, self[at] &- 0x30 < 10 { return nil }
    position = at
    return value
  }
}
