/// Why bytes are no message that is expected there.
struct ProtobufFault: Error, Equatable {
  /// The byte at which that shows.
  let place: Int
}

/// Walks the fields of a message. Whatever the bytes are, the walk ends.
struct ProtobufReader {
  enum Value: Equatable {
    case number(UInt64)
    /// Of four or eight bytes.
    case fixed(UInt64)
    case bytes(ArraySlice<UInt8>)
  }

  private let bytes: ArraySlice<UInt8>
  private var at: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    at = bytes.startIndex
  }

  /// The next field and its value; `nil` at the end.
  mutating func next() throws(ProtobufFault) -> (field: UInt64, value: Value)? {
    guard at < bytes.endIndex else { return nil }
    let start = at
    let tag = try varint()
    guard tag >> 3 > 0 else { throw ProtobufFault(place: start) }
    switch tag & 7 {
    case 0: return (tag >> 3, .number(try varint()))
    case 1: return (tag >> 3, .fixed(try fixed(8)))
    case 2:
      let count = try varint()
      guard count <= UInt64(bytes.endIndex - at) else { throw ProtobufFault(place: start) }
      defer { at += Int(count) }
      return (tag >> 3, .bytes(bytes[at..<at + Int(count)]))
    case 5: return (tag >> 3, .fixed(try fixed(4)))
    default: throw ProtobufFault(place: start)
    }
  }

  private mutating func varint() throws(ProtobufFault) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard at < bytes.endIndex else { break }
      let byte = bytes[at]
      at += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    throw ProtobufFault(place: at)
  }

  private mutating func fixed(_ count: Int) throws(ProtobufFault) -> UInt64 {
    guard bytes.endIndex - at >= count else { throw ProtobufFault(place: at) }
    defer { at += count }
    return bytes[at..<at + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
