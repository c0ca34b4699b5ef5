/// A record as it goes over the wire: one line of text, its newline included.
public enum RecordPayload {
  /// Appends a record without its newline. Newlines and NULs in it become spaces: auditd would take
  /// what stands behind a newline for another record, and forget what stands behind a NUL. What is
  /// longer than `limit` is cut at the end of a character, with `…[+N bytes]` as the mark.
  ///
  /// - Parameter limit: bytes of the payload, 64 at least.
  /// - Returns: how many bytes were cut.
  @discardableResult
  public static func append(
    _ record: some RandomAccessCollection<UInt8>, to out: inout [UInt8], limit: Int
  ) -> Int {
    let start = out.count
    guard record.count >= limit else {
      out += record
      clean(&out, from: start)
      out.append(0x0a)
      return 0
    }
    // The mark's longest form decides how much is kept.
    let room = limit - 1 - mark(record.count).count
    var kept = room
    while kept > 0, record[record.index(record.startIndex, offsetBy: kept)] & 0xc0 == 0x80 {
      kept -= 1
    }
    // A text that is no UTF-8 is cut anywhere.
    if room - kept > 3 { kept = room }
    let cut = record.count - kept
    out += record.prefix(kept)
    clean(&out, from: start)
    out += mark(cut)
    out.append(0x0a)
    return cut
  }

  /// Appends a record as a whole message; how many bytes of it were cut.
  @discardableResult
  public static func appendMessage(
    _ record: some RandomAccessCollection<UInt8>, _ sequence: UInt32, to out: inout [UInt8],
    limit: Int
  ) -> Int {
    let start = out.count
    MessageHeader(.record, sequence: sequence).append(to: &out)
    let cut = append(record, to: &out, limit: limit)
    MessageHeader.setLength(out.count - start - MessageHeader.size, of: start, in: &out)
    return cut
  }

  private static func mark(_ count: Int) -> [UInt8] { Array("…[+\(count) bytes]".utf8) }

  private static func clean(_ bytes: inout [UInt8], from start: Int) {
    for at in start..<bytes.count where bytes[at] == 0x0a || bytes[at] == 0 { bytes[at] = 0x20 }
  }
}
