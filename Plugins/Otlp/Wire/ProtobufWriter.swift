/// Messages in the wire format of Protocol Buffers (protobuf.dev, "Encoding"): just what OTLP needs.
struct ProtobufWriter: Sendable {
  private(set) var bytes: [UInt8] = []

  /// - Parameter capacity: bytes that are expected.
  init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  /// How a field's value is written.
  enum Wire: UInt64 {
    case varint = 0
    case eight = 1
    case bytes = 2
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func tag(_ field: UInt64, _ wire: Wire) { varint(field << 3 | wire.rawValue) }

  /// An `int64`, `int32`, `bool` or `enum`.
  mutating func number(_ field: UInt64, _ value: Int) {
    tag(field, .varint)
    varint(UInt64(bitPattern: Int64(value)))
  }

  /// A `fixed64`.
  mutating func fixed(_ field: UInt64, _ value: UInt64) {
    tag(field, .eight)
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  mutating func double(_ field: UInt64, _ value: Double) { fixed(field, value.bitPattern) }

  /// A `string`, which has to be valid UTF-8, or a message that is written already.
  mutating func text(_ field: UInt64, _ value: some Collection<UInt8>) {
    tag(field, .bytes)
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  /// Begins a message within; what is written until `end` is its own.
  mutating func begin(_ field: UInt64) -> Int {
    tag(field, .bytes)
    // Its length, which is one byte up to 127.
    bytes.append(0)
    return bytes.count
  }

  /// Ends the message that began there. Moves what it holds where its length takes more than a byte.
  mutating func end(_ start: Int) {
    let length = UInt64(bytes.count - start)
    guard length >= 0x80 else {
      bytes[start - 1] = UInt8(length)
      return
    }
    bytes[start - 1] = UInt8(truncatingIfNeeded: length) | 0x80
    let rest = length >> 7
    if rest < 0x80 {
      bytes.insert(UInt8(rest), at: start)
      return
    }
    let count = (UInt64.bitWidth - rest.leadingZeroBitCount + 6) / 7
    bytes.insert(
      contentsOf: (0..<count).lazy.map { at in
        UInt8(truncatingIfNeeded: rest >> (7 * UInt64(at))) & 0x7f | (at == count - 1 ? 0 : 0x80)
      }, at: start)
  }
}
