/// A packet that is written: of each item a byte for its kind, four for its length, and what it has.
/// Numbers are little endian.
extension [UInt8] {
  mutating func begin(_ kind: UInt8) {
    append(kind)
    add(UInt32(0))
  }

  mutating func add(_ number: some FixedWidthInteger) {
    unsafe Swift.withUnsafeBytes(of: number.littleEndian) { unsafe append(contentsOf: $0) }
  }

  mutating func add(_ text: String) {
    let utf8 = text.utf8.prefix(16 << 10)
    add(UInt16(utf8.count))
    self += utf8
  }

  mutating func finish(from start: Int) {
    let length = UInt32(count - start - 5)
    for place in 0..<4 {
      self[start + 1 + place] = UInt8(truncatingIfNeeded: length >> UInt32(8 * place))
    }
  }
}

struct ItemReader {
  private var left: ArraySlice<UInt8>

  static func items<Item>(
    in packet: ArraySlice<UInt8>, _ read: (UInt8, inout ItemReader) -> Item?
  ) -> [Item]? {
    var items: [Item] = []
    var packet = packet
    while !packet.isEmpty {
      guard packet.count >= 5 else { return nil }
      let start = packet.startIndex
      let length = (0..<4).reduce(0) { $0 | Int(packet[start + 1 + $1]) << (8 * $1) }
      guard length <= packet.count - 5 else { return nil }
      var reader = ItemReader(left: packet[(start + 5)..<(start + 5 + length)])
      guard let item = read(packet[start], &reader) else { return nil }
      items.append(item)
      packet = packet[(start + 5 + length)...]
    }
    return items
  }

  mutating func number<Number: FixedWidthInteger & BitwiseCopyable>() -> Number? {
    let size = MemoryLayout<Number>.size
    guard left.count >= size else { return nil }
    let number = unsafe left.withUnsafeBytes { unsafe $0.loadUnaligned(as: Number.self) }
    left = left.dropFirst(size)
    return Number(littleEndian: number)
  }

  mutating func text() -> String? {
    guard let length: UInt16 = number(), left.count >= Int(length) else { return nil }
    defer { left = left.dropFirst(Int(length)) }
    return String(decoding: left.prefix(Int(length)), as: UTF8.self)
  }

  mutating func rest() -> [UInt8] {
    defer { left = [] }
    return Array(left)
  }
}
