import AuditRecord

/// How the bytes of a value become those of a JSON string.
extension DocumentBytes {
  /// How much of a value is kept so that no character is cut in two.
  static func whole(_ value: borrowing Span<UInt8>, _ limit: Int) -> Int {
    var end = limit
    while end > 0, end > limit - 4, value[end] & 0xc0 == 0x80 { end -= 1 }
    return end
  }

  mutating func escape(_ value: borrowing Span<UInt8>) {
    unsafe value.withUnsafeBufferPointer { text in unsafe escape(text) }
  }

  mutating func escape(_ text: UnsafeBufferPointer<UInt8>) {
    var at = 0
    while at < text.count {
      let run = unsafe plainRun(text, at)
      if run > at {
        unsafe append(UnsafeBufferPointer(rebasing: text[at..<run]))
        at = run
        continue
      }
      let byte = unsafe text[at]
      if byte < 0x80 {
        unsafe escape(byte, text[at...])
        at += 1
        continue
      }
      let length = unsafe Self.sequence(text[at...])
      if length > 0 {
        unsafe append(UnsafeBufferPointer(rebasing: text[at..<at + length]))
        at += length
      } else {
        undecoded(byte)
        at += 1
      }
    }
  }

  var plainness: Plainness {
    @inline(__always) get { Plainness(isPercent: undecodable == .percent) }
  }

  /// Whether a text is plain: needs no escapes, so that all bytes are written as they are.
  @inline(__always)
  func isPlain(_ text: UnsafeBufferPointer<UInt8>) -> Bool { unsafe plainness.has(text) }

  /// Where the bytes end that are written as they are: eight at a time, then one by one.
  @inline(__always)
  private func plainRun(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
    var at = start
    let raw = UnsafeRawBufferPointer(text)
    while at + 8 <= text.count {
      let eight = unsafe raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      if plainness.hasOther(eight) { break }
      at += 8
    }
    while at < text.count, unsafe isPlain(text[at]) { at += 1 }
    return at
  }

  @inline(__always)
  private func isPlain(_ byte: UInt8) -> Bool {
    guard byte >= 0x20, byte < 0x7f, byte != 0x22, byte != 0x5c else { return false }
    return undecodable != .percent || (byte != 0x25 && byte != 0x2b)
  }

  private mutating func escape(_ byte: UInt8, _ rest: some Collection<UInt8>) {
    if undecodable == .percent, byte < 0x20 || byte == 0x7f || byte == 0x25 || byte == 0x2b {
      return percent(byte)
    }
    if byte == 0x5c {
      backslash()
      let isMarked = undecodable == .escaped || undecodable == .escapedWithNUL
      if isMarked, Self.looksEscaped(rest) { raw("x5c") }
      return
    }
    if byte == 0, undecodable == .escapedWithNUL { return undecoded(byte) }
    if notesValues { return self.byte(byte) }
    switch byte {
    case 0x22: raw("\\\"")
    case 0x0a: raw("\\n")
    case 0x09: raw("\\t")
    case 0x0d: raw("\\r")
    default:
      raw("\\u00")
      hex(byte)
    }
  }

  /// Whether a text begins like a byte that was written as `\xNN`.
  private static func looksEscaped(_ text: some Collection<UInt8>) -> Bool {
    var places = text.dropFirst().prefix(3).makeIterator()
    guard places.next() == UInt8(ascii: "x"), let high = places.next(), let low = places.next()
    else { return false }
    return EventText.digit(high) != nil && EventText.digit(low) != nil
  }

  private mutating func undecoded(_ byte: UInt8) {
    switch undecodable {
    case .replaced: raw("\u{fffd}")
    case .percent: percent(byte)
    case .escaped, .escapedWithNUL:
      backslash()
      self.byte(UInt8(ascii: "x"))
      hex(byte)
    }
  }

  private mutating func backslash() { if notesValues { byte(0x5c) } else { raw("\\\\") } }

  private mutating func percent(_ byte: UInt8) {
    self.byte(0x25)
    hex(byte)
  }

  private mutating func hex(_ byte: UInt8) {
    self.byte(EventText.digit(of: byte >> 4))
    self.byte(EventText.digit(of: byte & 15))
  }

  /// The length of the UTF-8 sequence that a text begins with; 0 when it is none (RFC 3629).
  private static func sequence(_ text: some Collection<UInt8>) -> Int {
    var places = text.makeIterator()
    guard let first = places.next(), let second = places.next() else { return 0 }
    let length: Int
    let allowed: ClosedRange<UInt8>
    switch first {
    case 0xc2...0xdf: (length, allowed) = (2, 0x80...0xbf)
    case 0xe0: (length, allowed) = (3, 0xa0...0xbf)
    case 0xed: (length, allowed) = (3, 0x80...0x9f)
    case 0xe1...0xef: (length, allowed) = (3, 0x80...0xbf)
    case 0xf0: (length, allowed) = (4, 0x90...0xbf)
    case 0xf1...0xf3: (length, allowed) = (4, 0x80...0xbf)
    case 0xf4: (length, allowed) = (4, 0x80...0x8f)
    default: return 0
    }
    guard allowed.contains(second) else { return 0 }
    for _ in 2..<max(length, 2) {
      guard let next = places.next(), next & 0xc0 == 0x80 else { return 0 }
    }
    return length
  }
}
