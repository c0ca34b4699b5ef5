/// Finds `key=value` as go-libaudit does, whose rule is a regular expression:
///
///     ([a-z0-9_-]+)=((?:[^"'\s]+)|'(?:\\'|[^'])*'|"(?:\\"|[^"])*")
///
/// So names are in lower case, an unquoted value goes up to a space or a quote, and nothing stops
/// at the 0x1d in front of what auditd adds.
struct LibauditScanner {
  private var at: Int
  private let end: Int

  init(_ range: Range<Int>) {
    at = range.lowerBound
    end = range.upperBound
  }

  mutating func next(_ bytes: Span<UInt8>) -> (name: Text, value: Text)? {
    while at < end {
      guard Self.isName(bytes[at]) else {
        at += 1
        continue
      }
      let start = at
      while at < end, Self.isName(bytes[at]) { at += 1 }
      guard at < end, bytes[at] == 0x3d else { continue }
      let name = start..<at
      at += 1
      guard let stop = valueEnd(bytes, from: at) else { continue }
      defer { at = stop }
      return (Text(name), Text(at..<stop))
    }
    return nil
  }

  private func valueEnd(_ bytes: Span<UInt8>, from start: Int) -> Int? {
    guard start < end else { return nil }
    let quote = bytes[start]
    guard quote == 0x22 || quote == 0x27 else {
      var stop = start
      while stop < end, !Self.endsValue(bytes[stop]) { stop += 1 }
      return stop > start ? stop : nil
    }
    var place = start + 1
    // A quote behind a backslash closes the value only where no other does.
    var escaped: Int?
    while place < end {
      if bytes[place] == quote {
        if place == start + 1 || bytes[place - 1] != 0x5c { return place + 1 }
        escaped = place
      }
      place += 1
    }
    return escaped.map { $0 + 1 }
  }

  @inline(__always)
  private static func isName(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x61...0x7a, 0x30...0x39, 0x5f, 0x2d: true
    default: false
    }
  }

  @inline(__always)
  private static func endsValue(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x20, 0x22, 0x27, 0x09, 0x0a, 0x0c, 0x0d: true
    default: false
    }
  }
}
