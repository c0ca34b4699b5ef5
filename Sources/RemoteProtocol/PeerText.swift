/// A record of a peer as the one line that is kept of it.
public enum PeerText {
  /// What a line has at most.
  public static let limit = 16_000
  /// What a line has at most that is a record.
  private static let longestLine = 16 << 10

  /// The payload without the newline at its end. Control characters are written as `\xNN`, so that
  /// none makes a second line or ends this one: none of auditd's own records has any but 0x1d, which
  /// stands in front of what the sender's auditd added.
  public static func line(_ payload: [UInt8]) -> [UInt8] {
    let text = payload.last == 0x0a ? payload.dropLast() : payload[...]
    guard hasControls(text) else { return Array(text) }
    let controls = text.indices.count { isControl(text[$0], at: $0) }
    // Thousands of them are no text any more.
    let isShort = text.count + 3 * controls <= limit
    var line: [UInt8] = []
    line.reserveCapacity(isShort ? text.count + 3 * controls : text.count)
    for index in text.indices {
      let byte = text[index]
      if !isControl(byte, at: index) {
        line.append(byte)
      } else if isShort {
        line += [0x5c, 0x78, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      } else {
        line.append(0x3f)
      }
    }
    return line
  }

  private static let digits = Array("0123456789abcdef".utf8)

  /// Looks at all bytes, without a branch for each: nearly no text has any.
  private static func hasControls(_ text: ArraySlice<UInt8>) -> Bool {
    var found: UInt8 = text.first == 0x1d ? 1 : 0
    for byte in text { found |= byte < 0x20 && byte != 0x1d || byte == 0x7f ? 1 : 0 }
    return found != 0
  }

  private static func isControl(_ byte: UInt8, at index: Int) -> Bool {
    byte < 0x20 && (byte != 0x1d || index == 0) || byte == 0x7f
  }

  /// The name behind `node=` at the beginning of a line; `nil` when there is none.
  public static func node(of line: [UInt8]) -> ArraySlice<UInt8>? {
    guard line.starts(with: "node=".utf8) else { return nil }
    let rest = line[5...]
    guard let end = rest.firstIndex(of: 0x20), end > rest.startIndex else { return nil }
    return rest[..<end]
  }

  /// As a field's value; in hexadecimal, as audit has it, where it could be taken for more than that.
  private static func value(_ name: String) -> [UInt8] {
    let isPlain = name.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x22 && $0 != 0x27 }
    if isPlain { return Array(name.utf8) }
    return name.utf8.flatMap { byte in
      [byte >> 4, byte & 15].map { $0 < 10 ? 0x30 + $0 : 0x37 + $0 }
    }
  }

  /// The line with a field that says who sent it: at the end of what the kernel or a program said,
  /// in front of what the sender's auditd added. One that would become too long stays as it is.
  public static func adding(peer: String, to line: [UInt8]) -> [UInt8] {
    let field = Array(" peer=".utf8) + value(peer)
    guard line.count + field.count <= longestLine else { return line }
    guard let end = line.firstIndex(of: 0x1d) else { return line + field }
    return line[..<end] + field + line[end...]
  }
}
