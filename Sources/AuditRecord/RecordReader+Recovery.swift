/// How a reader goes on behind something that is no record.
extension RecordReader {
  mutating func lose(_ kind: MalformedInput, _ bytes: Span<UInt8>, at start: Int) -> Step {
    state = .lost
    previousWasNewline = false
    framingProbe = nil
    return .malformed(kind, sample: start..<min(bytes.count, start + 64))
  }

  /// Passes over bytes until a record stands at `position`; `false` when more bytes are needed.
  mutating func recover(
    _ bytes: Span<UInt8>, _ position: inout Int, ended: Bool
  ) -> Bool {
    let needed = BinaryHeader.size + 6
    while position < bytes.count {
      let available = bytes.count - position
      if available < needed, !ended { return false }
      if let header = BinaryHeader(bytes, at: position), header.isKnownVersion,
        bytes.beginsRecord(
          at: position + BinaryHeader.size, version: header.version,
          size: Int(header.payloadSize))
      {
        state = .binary
        return true
      }
      if previousWasNewline, bytes.has("type=", at: position) || bytes.has("node=", at: position) {
        let newline = bytes.firstNewline(from: position, limit: Self.maximumLine + 1)
        let isShort = available <= Self.maximumLine
        if let end = newline ?? (ended && isShort ? bytes.count : nil) {
          if RecordHeader(bytes.extracting(position..<end)) != nil {
            state = .text
            return true
          }
        } else if isShort {
          return false
        }
      }
      previousWasNewline = bytes[position] == 0x0a
      position += 1
    }
    return false
  }
}
