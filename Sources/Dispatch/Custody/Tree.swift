/// A value taken apart: what a configuration is kept as, for a successor.
///
/// As bytes: a letter, then for a number 8 bytes, for a text its length and bytes, for a list how many
/// there are, for a record how many and before each its name. Lengths are 8 bytes; the order is the
/// machine's.
enum Tree: Equatable {
  case nothing
  case flag(Bool)
  case number(UInt64)
  case text(String)
  case list([Tree])
  case record([String: Tree])

  /// The bytes are no tree.
  struct Malformed: Error {}

  /// Deeper ones are not read.
  private static let depth = 32

  // MARK: Bytes

  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    write(to: &bytes)
    return bytes
  }

  private func write(to bytes: inout [UInt8]) {
    switch self {
    case .nothing: bytes.append(UInt8(ascii: "-"))
    case .flag(let isSet): bytes.append(UInt8(ascii: isSet ? "y" : "n"))
    case .number(let number): Self.write("#", number, to: &bytes)
    case .text(let text): Self.write("t", text, to: &bytes)
    case .list(let list):
      Self.write("l", UInt64(list.count), to: &bytes)
      for tree in list { tree.write(to: &bytes) }
    case .record(let record):
      Self.write("r", UInt64(record.count), to: &bytes)
      for (name, tree) in record.sorted(by: { $0.key < $1.key }) {
        Self.write("t", name, to: &bytes)
        tree.write(to: &bytes)
      }
    }
  }

  private static func write(_ letter: Unicode.Scalar, _ number: UInt64, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: letter))
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }

  private static func write(_ letter: Unicode.Scalar, _ text: String, to bytes: inout [UInt8]) {
    write(letter, UInt64(text.utf8.count), to: &bytes)
    bytes += text.utf8
  }

  /// Reads what `bytes` gave.
  init(_ bytes: [UInt8]) throws(Malformed) {
    var rest = bytes[...]
    self = try Self.read(&rest, Self.depth)
    guard rest.isEmpty else { throw Malformed() }
  }

  private static func read(_ bytes: inout ArraySlice<UInt8>, _ depth: Int) throws(Malformed) -> Tree
  {
    guard depth > 0, let letter = bytes.popFirst() else { throw Malformed() }
    switch Unicode.Scalar(letter) {
    case "-": return .nothing
    case "y": return .flag(true)
    case "n": return .flag(false)
    case "#": return .number(try readNumber(&bytes))
    case "t": return .text(try readText(&bytes))
    case "l":
      var list: [Tree] = []
      for _ in 0..<(try readCount(&bytes)) { list.append(try read(&bytes, depth - 1)) }
      return .list(list)
    case "r":
      var record: [String: Tree] = [:]
      for _ in 0..<(try readCount(&bytes)) {
        guard bytes.popFirst() == UInt8(ascii: "t") else { throw Malformed() }
        let name = try readText(&bytes)
        record[name] = try read(&bytes, depth - 1)
      }
      return .record(record)
    default: throw Malformed()
    }
  }

  private static func readNumber(_ bytes: inout ArraySlice<UInt8>) throws(Malformed) -> UInt64 {
    guard bytes.count >= 8 else { throw Malformed() }
    let number = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    bytes = bytes.dropFirst(8)
    return number
  }

  /// Of things that take a byte each, at least.
  private static func readCount(_ bytes: inout ArraySlice<UInt8>) throws(Malformed) -> Int {
    let count = try readNumber(&bytes)
    guard count <= bytes.count else { throw Malformed() }
    return Int(count)
  }

  private static func readText(_ bytes: inout ArraySlice<UInt8>) throws(Malformed) -> String {
    let count = try readCount(&bytes)
    defer { bytes = bytes.dropFirst(count) }
    return String(decoding: bytes.prefix(count), as: UTF8.self)
  }
}
