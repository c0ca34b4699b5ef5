import AuditRecord

/// Walks the fields of a record from left to right; allocates nothing.
///
/// Words without `=` belong to the value in front of them inside `msg='…'` (`op=adding user`), and
/// elsewhere where that is a security context (`subj=/usr/sbin/ntpd (enforce)`); others are passed
/// over unless they are asked for. A quote that is not closed ends at the next space. Old senders'
/// brackets and punctuation (`acct=root : (hostname=?, res=failed)`) are no part of a value.
/// Whatever the bytes are, the walk ends, and every place it gives is within them.
public struct FieldScanner: Sendable {
  private var at: Int
  private let body: Int
  private let end: Int
  private let givesWords: Bool
  private var section = Field.Section.record
  private var messageEnd: Int?
  /// Where the enrichment begins, `end` without one; looked for when a 0x1d is met.
  private var separator: Int?
  /// Whether a name had a bracket in front that has not been closed.
  private var isInBrackets = false

  /// Walks from `body` (see `EventRecord.body`) to `end`.
  ///
  /// - Parameter words: whether words that belong to no field are given too, as fields without a
  ///   name.
  public init(body: Int, end: Int, words: Bool = false) {
    at = body
    self.body = body
    self.end = end
    givesWords = words
  }

  public mutating func next(_ bytes: Span<UInt8>) -> Field? {
    if section == .record, let field = plainField(bytes) { return field }
    return anyField(bytes)
  }

  /// The next field if it is one of the record's own as nearly all are: `name=value` or
  /// `name="value"`; with anything else nothing is passed over.
  @inline(__always)
  private mutating func plainField(_ bytes: Span<UInt8>) -> Field? {
    precondition(at >= 0 && end <= bytes.count, "the record is elsewhere")
    let end = end
    var at = at
    while at < end, unsafe bytes[unchecked: at] == 0x20 { at += 1 }
    let name = at
    let (nameEnd, key) = ByteSearch.name(in: bytes, from: name, to: end)
    guard let key, nameEnd + 1 < end else { return nil }
    let first = unsafe bytes[unchecked: name]
    guard first != UInt8(ascii: "("), first != UInt8(ascii: ",") else { return nil }
    at = nameEnd + 1
    let start = unsafe bytes[unchecked: at]
    let value: Range<Int>
    if start == UInt8(ascii: "\"") {
      value = at + 1..<ByteSearch.first(0x22, 0x1d, in: bytes, from: at + 1, to: end)
      at = value.upperBound
      guard at < end, unsafe bytes[unchecked: at] == 0x22 else { return nil }
      self.at = at + 1
      return Field(
        name: name..<nameEnd, value: value, quoting: .double, section: .record, key: key)
    }
    guard start != UInt8(ascii: "'"), start != UInt8(ascii: "{"), !Self.isContext(key) else {
      return nil
    }
    value = at..<ByteSearch.first(0x20, 0x1d, in: bytes, from: at, to: end)
    at = value.upperBound
    if at > value.lowerBound {
      switch unsafe bytes[unchecked: at - 1] {
      case UInt8(ascii: ","), UInt8(ascii: ")"): return nil
      default: break
      }
    }
    self.at = at
    return Field(name: name..<nameEnd, value: value, quoting: .none, section: .record, key: key)
  }

  private mutating func anyField(_ bytes: Span<UInt8>) -> Field? {
    while at < end {
      let byte = bytes[at]
      if byte == 0x1d {
        if isSeparator(bytes, at) {
          section = .enrichment
          messageEnd = nil
        }
        at += 1
        continue
      }
      if at == messageEnd {
        section = .record
        messageEnd = nil
        at += 1
        continue
      }
      if byte == 0x20 || byte == UInt8(ascii: ",") {
        at += 1
        continue
      }
      var name = at
      while at < end, at != messageEnd, !isBreak(bytes[at]), bytes[at] != UInt8(ascii: "=") {
        at += 1
      }
      guard at < end, at > name, bytes[at] == UInt8(ascii: "="), at != messageEnd else {
        if at < end, at == name { at += 1 }
        if givesWords, let words = words(bytes, from: name) { return words }
        continue
      }
      if bytes[name] == UInt8(ascii: "("), at > name + 1 {
        isInBrackets = true
        name += 1
      }
      let nameEnd = at
      at += 1
      if section == .record, isMessage(bytes, name, nameEnd) { continue }
      return value(bytes, of: name..<nameEnd)
    }
    return nil
  }

  private mutating func isSeparator(_ bytes: Span<UInt8>, _ place: Int) -> Bool {
    if let separator { return separator == place }
    let found = AddedMeanings.separator(of: bytes, from: body, to: end) ?? end
    separator = found
    return found == place
  }

  /// Enters `msg='…'`, whose text may itself hold quotes: it ends at the last one.
  private mutating func isMessage(_ bytes: Span<UInt8>, _ name: Int, _ nameEnd: Int) -> Bool {
    guard nameEnd - name == 3, bytes.has("msg='", at: name) else { return false }
    var stop = at
    var last: Int?
    while stop < end {
      if bytes[stop] == 0x1d, isSeparator(bytes, stop) { break }
      if bytes[stop] == UInt8(ascii: "'"), stop > at { last = stop }
      stop += 1
    }
    messageEnd = last
    section = .message
    at += 1
    return true
  }

  private mutating func value(_ bytes: Span<UInt8>, of name: Range<Int>) -> Field {
    let limit = messageEnd ?? end
    if section == .message, let text = freeText(bytes, of: name, to: limit) { return text }
    if at < limit {
      let (closing, quoting): (UInt8, Field.Quoting) =
        switch bytes[at] {
        case UInt8(ascii: "\""): (UInt8(ascii: "\""), .double)
        case UInt8(ascii: "'"): (UInt8(ascii: "'"), .single)
        case UInt8(ascii: "{"): (UInt8(ascii: "}"), .braces)
        default: (0, .none)
        }
      if quoting != .none, let close = place(bytes, of: closing, from: at + 1, to: limit) {
        var value = at + 1..<close
        at = close + 1
        if quoting == .braces { value = trimmed(bytes, value) }
        return Field(
          name: name, value: value, quoting: quoting, section: section, key: NameKey(bytes, name))
      }
    }
    let start = at
    while at < limit, !isBreak(bytes[at]) { at += 1 }
    if section == .message || section == .record && Self.isContext(NameKey(bytes, name)) {
      while let word = plainWord(bytes, from: at, to: limit) { at = word }
    }
    return Field(
      name: name, value: start..<plainEnd(bytes, of: name, start, at), quoting: .none,
      section: section, key: NameKey(bytes, name))
  }

  /// The end of a value without the punctuation of old senders: `?,`, `48:`, `failed)`.
  private mutating func plainEnd(
    _ bytes: Span<UInt8>, of name: Range<Int>, _ start: Int, _ end: Int
  ) -> Int {
    guard section != .enrichment, end > start + 1 else { return end }
    switch bytes[end - 1] {
    case UInt8(ascii: ","): return end - 1
    case UInt8(ascii: ":"):
      return section == .message && bytes[end - 2] != UInt8(ascii: ":") ? end - 1 : end
    case UInt8(ascii: ")"):
      let isResult = bytes.has("res", at: name.lowerBound)
      guard isInBrackets || isResult, bytes[start] != UInt8(ascii: "(") else { return end }
      isInBrackets = false
      return end - 1
    default: return end
    }
  }

  /// The text that `auditctl -m` sends, which may hold what looks like fields: it ends where the
  /// last ` exe=` begins, which libaudit writes behind it.
  private mutating func freeText(
    _ bytes: Span<UInt8>, of name: Range<Int>, to limit: Int
  ) -> Field? {
    guard name.count == 4, bytes.has("text", at: name.lowerBound) else { return nil }
    var stop = limit - 5
    while stop > at, !bytes.has(" exe=", at: stop) { stop -= 1 }
    guard stop > at else { return nil }
    var value = at..<stop
    at = stop
    var quoting = Field.Quoting.none
    let quote = UInt8(ascii: "\"")
    if value.count >= 2, bytes[value.lowerBound] == quote,
      place(bytes, of: quote, from: value.lowerBound + 1, to: stop) == stop - 1
    {
      value = value.lowerBound + 1..<stop - 1
      quoting = .double
    }
    return Field(
      name: name, value: value, quoting: quoting, section: .message, key: NameKey(bytes, name))
  }

  /// Words that no field begins with, up to the next one.
  private mutating func words(_ bytes: Span<UInt8>, from start: Int) -> Field? {
    let limit = messageEnd ?? end
    if section == .enrichment || start >= limit { return nil }
    at = min(max(at, start + 1), limit)
    while at < limit, !isBreak(bytes[at]) { at += 1 }
    while let word = plainWord(bytes, from: at, to: limit) { at = word }
    var stop = at
    while stop > start, !isWordByte(bytes[stop - 1]), bytes[stop - 1] != UInt8(ascii: ")") {
      stop -= 1
    }
    guard (start..<stop).contains(where: { isWordByte(bytes[$0]) }) else { return nil }
    return Field(
      name: start..<start, value: start..<stop, quoting: .none, section: section,
      key: NameKey(bytes, start..<start))
  }

  /// The end of the next word if it is neither a field nor a colon alone.
  private func plainWord(_ bytes: Span<UInt8>, from: Int, to limit: Int) -> Int? {
    var at = from
    while at < limit, bytes[at] == 0x20 { at += 1 }
    let start = at
    while at < limit, !isBreak(bytes[at]) {
      if bytes[at] == UInt8(ascii: "="), at > start { return nil }
      at += 1
    }
    if at == start + 1, bytes[start] == UInt8(ascii: ":") { return nil }
    return at > start ? at : nil
  }

  /// Whether a field may hold a security context, which AppArmor writes with spaces.
  private static func isContext(_ name: NameKey) -> Bool {
    name == NameKey("obj") || name == NameKey("subj") || name == NameKey("scontext")
      || name == NameKey("tcontext")
  }

  private mutating func place(
    _ bytes: Span<UInt8>, of byte: UInt8, from: Int, to limit: Int
  ) -> Int? {
    var at = from
    while at < limit {
      if bytes[at] == byte { return at }
      if bytes[at] == 0x1d, isSeparator(bytes, at) { return nil }
      at += 1
    }
    return nil
  }

  private func trimmed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high, bytes[low] == 0x20 { low += 1 }
    while high > low, bytes[high - 1] == 0x20 { high -= 1 }
    return low..<high
  }

  private func isBreak(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x1d }

  private func isWordByte(_ byte: UInt8) -> Bool {
    byte >= 0x80 || byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26
  }
}
