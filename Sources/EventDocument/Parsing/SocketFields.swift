/// A socket address as fields: `family`, and `addr`, `port`, `flow`, `path` or `saddr`.
enum SocketFields {
  /// Adds the fields of an address that is written in hexadecimal, as go-libaudit does, which
  /// knows four families.
  ///
  /// - Returns: why it could not be read.
  static func addLibaudit(
    _ address: Text, to fields: inout FieldMap, _ text: inout EventText
  ) -> String? {
    guard address.count >= 4, let family = decimal(part(address, 2, 4), part(address, 0, 2), text)
    else { return "invalid address family" }
    func has(_ digits: Int) -> Bool { address.count >= digits }
    switch family {
    case 1:
      let digits = part(address, 4, address.count)
      guard let path = digits.isEmpty ? digits : text.decodedHex(digits) else {
        return notHexadecimal(digits, text)
      }
      add("family", "unix", to: &fields, &text)
      add("path", untilZero(path, text), to: &fields, &text)
    case 2:
      guard has(16), let port = text.unsigned(part(address, 4, 8), base: 16) else {
        return "invalid size"
      }
      let octets = (0..<4).map { text.unsigned(part(address, 8 + $0 * 2, 10 + $0 * 2), base: 16) }
      add("family", "ipv4", to: &fields, &text)
      add("addr", dotted(octets.map { UInt8($0 ?? 0) }), to: &fields, &text)
      add("port", decimal(port), to: &fields, &text)
    case 10:
      guard has(48), let port = text.unsigned(part(address, 4, 8), base: 16),
        let flow = text.unsigned(part(address, 8, 16), base: 16)
      else { return "invalid size" }
      guard flow <= 0x7fff_ffff else { return outOfRange(part(address, 8, 16), text) }
      guard let bytes = decoded(part(address, 16, 48), &text) else {
        return notHexadecimal(part(address, 16, 48), text)
      }
      add("family", "ipv6", to: &fields, &text)
      add("addr", InternetText.version6(Array(text[bytes])), to: &fields, &text)
      add("port", decimal(port), to: &fields, &text)
      if flow > 0 { add("flow", decimal(flow), to: &fields, &text) }
    case 16:
      add("family", "netlink", to: &fields, &text)
      add("saddr", address, to: &fields, &text)
    default:
      add("family", decimal(family), to: &fields, &text)
      add("saddr", address, to: &fields, &text)
    }
    return nil
  }

  static func add(
    _ name: StaticString, _ value: StaticString, to fields: inout FieldMap, _ text: inout EventText
  ) { add(name, text.add(value), to: &fields, &text) }

  static func add(
    _ name: StaticString, _ value: [UInt8], to fields: inout FieldMap, _ text: inout EventText
  ) { add(name, text.add(value), to: &fields, &text) }

  static func add(
    _ name: StaticString, _ value: Text, to fields: inout FieldMap, _ text: inout EventText
  ) { fields.set(text.add(name), value, text) }

  static func decimal(_ number: UInt64) -> [UInt8] { Array(String(number).utf8) }

  static func dotted(_ octets: some Collection<UInt8>) -> [UInt8] {
    Array(octets.map { String($0) }.joined(separator: ".").utf8)
  }

  static func untilZero(_ value: Text, _ text: EventText) -> Text {
    guard let zero = text[value].firstIndex(of: 0) else { return value }
    return Text(Int(value.start)..<zero)
  }

  /// Places that lie behind the end are empty.
  static func part(_ text: Text, _ from: Int, _ to: Int) -> Text {
    let start = min(Int(text.start) + from, Int(text.end))
    return Text(start..<max(start, min(Int(text.start) + to, Int(text.end))))
  }

  /// Hexadecimal digits in either case; an empty text is empty.
  static func decoded(_ digits: Text, _ text: inout EventText) -> Text? {
    guard digits.count.isMultiple(of: 2) else { return nil }
    let start = text.bytes.count
    for place in stride(from: Int(digits.start), to: Int(digits.end), by: 2) {
      guard let high = EventText.digit(text.bytes[place]),
        let low = EventText.digit(text.bytes[place + 1])
      else {
        text.cut(to: start)
        return nil
      }
      text.append(high << 4 | low)
    }
    return Text(start..<text.bytes.count)
  }

  private static func decimal(_ high: Text, _ low: Text, _ text: EventText) -> UInt64? {
    guard let high = text.unsigned(high, base: 16), let low = text.unsigned(low, base: 16) else {
      return nil
    }
    return high << 8 | low
  }

  /// As Go's hex says it.
  private static func notHexadecimal(_ digits: Text, _ text: EventText) -> String {
    if !digits.count.isMultiple(of: 2) { return "encoding/hex: odd length hex string" }
    let wrong = text[digits].first { byte in
      EventText.digit(byte) == nil || (0x61...0x66).contains(byte)
    }
    let byte = wrong ?? 0
    let code = String(byte, radix: 16, uppercase: true)
    let name = "U+" + String(repeating: "0", count: 4 - code.count) + code
    let isSeen = (0x20..<0x7f).contains(byte)
    let shown = isSeen ? " '\(String(decoding: [byte], as: UTF8.self))'" : ""
    return "encoding/hex: invalid byte: \(name)\(shown)"
  }

  private static func outOfRange(_ digits: Text, _ text: EventText) -> String {
    let digits = String(decoding: text[digits], as: UTF8.self)
    return "strconv.ParseInt: parsing \"\(digits)\": value out of range"
  }
}

/// Internet addresses as text.
enum InternetText {
  /// Sixteen bytes as RFC 5952 writes them; an IPv4 address within one as such.
  static func version6(_ bytes: [UInt8]) -> [UInt8] {
    if bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xff, bytes[11] == 0xff {
      return SocketFields.dotted(bytes[12...])
    }
    let groups = (0..<8).map { UInt16(bytes[$0 * 2]) << 8 | UInt16(bytes[$0 * 2 + 1]) }
    var longest = 0..<0
    var start = 0
    while start < 8 {
      var end = start
      while end < 8, groups[end] == 0 { end += 1 }
      if end - start > max(longest.count, 1) { longest = start..<end }
      start = max(end, start + 1)
    }
    func joined(_ part: ArraySlice<UInt16>) -> String {
      part.map { String($0, radix: 16) }.joined(separator: ":")
    }
    let text =
      longest.isEmpty
      ? joined(groups[...])
      : joined(groups[..<longest.lowerBound]) + "::" + joined(groups[longest.upperBound...])
    return Array(text.utf8)
  }
}
