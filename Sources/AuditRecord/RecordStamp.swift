/// What makes records one event, but for the node: `audit(SECONDS.MILLISECONDS:SERIAL)`.
public struct RecordStamp: Equatable, Hashable, Sendable {
  /// Milliseconds since 1970.
  public var milliseconds: UInt64
  public var serial: UInt64

  public init(milliseconds: UInt64, serial: UInt64) {
    self.milliseconds = milliseconds
    self.serial = serial
  }

  /// Reads `audit(SECONDS.MILLISECONDS:SERIAL)` at `position` and moves it behind the bracket.
  ///
  /// Allocates nothing. `nil`, with `position` unchanged, when that is not what stands there.
  public init?(_ bytes: Span<UInt8>, at position: inout Int) {
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
