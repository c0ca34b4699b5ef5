/// A record of a peer as the one line that is kept of it.
public enum PeerText {
  /// What a line has at most whose control characters were written out: that leaves room for `peer=`.
  public static let limit = 15_000
  /// What a line has at most that is a record.
  private static let longestLine = 16 << 10
  /// A host's name in hexadecimal.
  private static let longestValue = 512

  /// The payload without the newline at its end. Control characters are written as `\xNN`, so that
  /// none makes a second line or ends this one: none of auditd's own records has any but 0x1d, which
  /// stands in front of what the sender's auditd added.
  public static func line(_ payload: [UInt8]) -> [UInt8] {
    var line: [UInt8] = []
    append(payload, to: &line)
    return line
  }

  /// Appends that line.
  static func append(_ payload: [UInt8], to line: inout [UInt8]) {
    let text = payload.last == 0x0a ? payload.dropLast() : payload[...]
    guard hasControls(text) else { return line += text }
    let controls = text.indices.count { isControl(text[$0], at: $0) }
    // Thousands of them are no text any more.
    let isShort = text.count + 3 * controls <= limit
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

  /// Whether `peer=` stands anywhere in a line, which could be taken for what `adding` says.
  public static func hasPeer(_ line: [UInt8]) -> Bool {
    let name = Array("peer".utf8)
    return line.indices.dropFirst(name.count).contains {
      line[$0] == UInt8(ascii: "=") && line[$0 - name.count..<$0].elementsEqual(name)
    }
  }

  /// The line with a field that says who sent it: the last one of what the kernel or a program said, in
  /// front of what the sender's auditd added. So of two such fields ours is the last, whatever quotes stand
  /// open, and whatever stands behind 0x1d.
  public static func adding(peer: String, to line: [UInt8]) -> [UInt8] {
    let field = Array(" peer=".utf8) + value(peer).prefix(longestValue)
    // No line of the receiver's is that long; it is the text that gives way.
    let line = line.prefix(longestLine - field.count)
    guard let end = line.firstIndex(of: 0x1d) else { return line + field }
    return line[..<end] + field + line[end...]
  }
}
