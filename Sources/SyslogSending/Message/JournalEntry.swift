/// An entry in the form that the journal takes on its socket: fields, one behind another
/// (systemd's "Native Journal Protocol").
package enum JournalEntry {
  /// `NAME=value` and a newline, or, for a value with a newline, the name, a newline, its size in
  /// eight bytes (little-endian), the value and a newline.
  package static func append(
    _ name: StaticString, _ value: some Collection<UInt8>, to entry: inout [UInt8]
  ) {
    entry += "\(name)".utf8
    if value.contains(0x0a) {
      entry.append(0x0a)
      let count = UInt64(value.count)
      entry += (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * UInt64($0))) }
    } else {
      entry.append(UInt8(ascii: "="))
    }
    entry += value
    entry.append(0x0a)
  }
}
