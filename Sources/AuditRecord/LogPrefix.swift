/// What a system log puts before a record: time, host and program.
///
///     Nov 27 14:00:00 web1 audispd[123]: type=…
///     <13>2026-11-27T14:00:00.1+01:00 web1 audisp-syslog: node=web1 type=…
///     <13>1 2026-11-27T14:00:00.1Z web1 audisp-syslog 123 - [a@1 b="c"] type=…
///     Nov 27 14:00:00 web1 kernel: [  12.345678] audit: type=1400 audit(…): …
///
/// The record stands directly behind it (RFC 3164: the program's word with a colon; RFC 5424: six
/// words and the structured data). What stands further inside a message is somebody's text, and no
/// record.
enum LogPrefix {
  /// Longer ones are not looked for.
  private static let limit = 1024
  /// More words do not stand before the program's name.
  private static let words = 8

  /// Where a line's record begins that stands behind such a prefix.
  static func end(_ line: Span<UInt8>) -> Int? {
    let start = behindPriority(line)
    guard let end = behindStructuredData(line, start) ?? behindProgram(line, start),
      RecordHeader(line, at: end) != nil
    else { return nil }
    return end
  }

  /// Behind `<13>`.
  private static func behindPriority(_ line: Span<UInt8>) -> Int {
    guard line.has("<", at: 0) else { return 0 }
    var at = 1
    return line.decimal(at: &at, maximumDigits: 3, before: UInt8(ascii: ">")) == nil ? 0 : at
  }

  /// Behind the first word that ends with a colon, and behind what the kernel's log has there.
  private static func behindProgram(_ line: Span<UInt8>, _ start: Int) -> Int? {
    var at = line.behindBlanks(start)
    var left = words
    while left > 0, at < min(line.count, limit) {
      let end = line.firstIndex(of: 0x20, from: at) ?? line.count
      let isProgram = end > at + 1 && line[end - 1] == UInt8(ascii: ":")
      at = line.behindBlanks(end)
      left -= 1
      if isProgram { return behindKernelWords(line, at) }
    }
    return nil
  }

  /// Behind `[   12.345678]` and `audit:`.
  private static func behindKernelWords(_ line: Span<UInt8>, _ start: Int) -> Int {
    var at = start
    if line.has("[", at: at), let close = line.firstIndex(of: UInt8(ascii: "]"), from: at) {
      at = line.behindBlanks(close + 1)
    }
    return line.has("audit: ", at: at) ? line.behindBlanks(at + 7) : at
  }

  /// Behind `1 TIME HOST PROGRAM PROCESS MESSAGE` and the structured data.
  private static func behindStructuredData(_ line: Span<UInt8>, _ start: Int) -> Int? {
    guard start > 0, line.has("1 ", at: start) else { return nil }
    var at = start
    for _ in 0..<6 {
      guard let end = line.firstIndex(of: 0x20, from: at), end < limit else { return nil }
      at = end + 1
    }
    if line.has("- ", at: at) {
      at += 2
    } else {
      var isQuoted = false
      while at < line.count, isQuoted || line[at] != 0x20 || line[at - 1] != UInt8(ascii: "]") {
        if line[at] == UInt8(ascii: "\\") {
          at += 1
        } else if line[at] == UInt8(ascii: "\"") {
          isQuoted.toggle()
        }
        at += 1
      }
      at += 1
    }
    let mark: StaticString = "\u{feff}"
    return line.has(mark, at: at) ? at + mark.utf8CodeUnitCount : at
  }
}
