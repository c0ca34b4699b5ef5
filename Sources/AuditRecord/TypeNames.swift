/// Types by name and names by type, as libaudit has them, without a look-up in its table for
/// every record.
public struct TypeNames: Sendable {
  /// A name of at most 24 bytes, padded with zeros.
  private struct Key: Equatable, Sendable {
    var a: UInt64 = 0
    var b: UInt64 = 0
    var c: UInt64 = 0
  }

  /// What stands for the type of a name that libaudit does not know, as auditd has it.
  public static let unknown: UInt32 = .max

  private var keys = [Key](repeating: Key(), count: 256)
  private var numbers = [UInt32](repeating: unknown, count: 256)
  private var prefixes = [[UInt8]](repeating: [], count: 2000)

  public init() {}

  /// The number of a type's name, `TypeNames.unknown` if it has none.
  @inline(__always)
  public mutating func number(of name: Span<UInt8>) -> UInt32 {
    guard name.count <= 24 else { return Self.lookUp(name) }
    var key = Key()
    for i in 0..<min(name.count, 8) { key.a |= UInt64(name[i]) << UInt64(i * 8) }
    if name.count > 8 {
      for i in 8..<min(name.count, 16) { key.b |= UInt64(name[i]) << UInt64(i * 8 - 64) }
    }
    if name.count > 16 {
      for i in 16..<name.count { key.c |= UInt64(name[i]) << UInt64(i * 8 - 128) }
    }
    let mixed = (key.a ^ key.b &* 31 ^ key.c &* 131) &* 0x9E37_79B9_7F4A_7C15
    let slot = Int(truncatingIfNeeded: mixed >> 56)
    if keys[slot] == key { return numbers[slot] }
    let number = Self.lookUp(name)
    keys[slot] = key
    numbers[slot] = number
    return number
  }

  private static func lookUp(_ name: Span<UInt8>) -> UInt32 {
    var text = ""
    for i in 0..<name.count {
      guard name[i] > 0x20, name[i] < 0x7f else { return unknown }
      text.unicodeScalars.append(Unicode.Scalar(name[i]))
    }
    return RecordType(name: text)?.rawValue ?? unknown
  }

  /// `type=NAME msg=`, which auditd puts before the kernel's bare text.
  @inline(__always)
  public mutating func prefix(of type: UInt32) -> [UInt8] {
    let slot = Int(type) - 1000
    if slot >= 0, slot < prefixes.count, !prefixes[slot].isEmpty { return prefixes[slot] }
    let made = Array("type=\(RecordType(rawValue: type).name) msg=".utf8)
    if slot >= 0, slot < prefixes.count { prefixes[slot] = made }
    return made
  }
}
