import AudispatchPlugin

/// Socket addresses of all families as fields. What is not understood stays in `saddr`.
enum SocketFamilies {
  /// Names by number; `ipv4` and `ipv6` as Elastic has them.
  static let names = SocketAddress.families.map { name in
    switch name {
    case "inet": "ipv4"
    case "inet6": "ipv6"
    default: name
    }
  }
  private static let nameBytes = names.map { Array($0.utf8) }

  static func add(_ digits: Text, to fields: inout FieldMap, _ text: inout EventText) {
    guard let place = SocketFields.decoded(digits, &text), place.count >= 2 else {
      return SocketFields.add("saddr", digits, to: &fields, &text)
    }
    let bytes = Array(text[place])
    let family = Int(little(bytes, 0, 2))
    let name =
      nameBytes.indices.contains(family) ? nameBytes[family] : SocketFields.decimal(UInt64(family))
    SocketFields.add("family", name, to: &fields, &text)
    if !isRead(family, bytes, place, &fields, &text) {
      SocketFields.add("saddr", digits, to: &fields, &text)
    }
  }

  private static func isRead(
    _ family: Int, _ bytes: [UInt8], _ place: Text, _ fields: inout FieldMap,
    _ text: inout EventText
  ) -> Bool {
    func add(_ name: StaticString, _ value: [UInt8]) {
      SocketFields.add(name, value, to: &fields, &text)
    }
    func add(_ name: StaticString, _ number: UInt64) { add(name, SocketFields.decimal(number)) }
    switch family {
    case 1: return isPath(bytes, place, &fields, &text)
    case 2 where bytes.count >= 8:
      add("addr", SocketFields.dotted(bytes[4..<8]))
      add("port", big(bytes, 2, 2))
    case 10 where bytes.count >= 24:
      add("addr", InternetText.version6(Array(bytes[8..<24])))
      add("port", big(bytes, 2, 2))
      if big(bytes, 4, 4) > 0 { add("flow", big(bytes, 4, 4)) }
      if bytes.count >= 28, little(bytes, 24, 4) > 0 { add("scope", little(bytes, 24, 4)) }
    case 16 where bytes.count >= 12:
      add("port", little(bytes, 4, 4))
      add("groups", little(bytes, 8, 4))
    case 17 where bytes.count >= 12:
      add("protocol", big(bytes, 2, 2))
      add("interface", little(bytes, 4, 4))
      let count = min(Int(bytes[11]), 8, bytes.count - 12)
      if count > 0 { add("addr", colons(bytes[12..<12 + count])) }
    case 29 where bytes.count >= 8: add("interface", little(bytes, 4, 4))
    case 38 where bytes.count >= 88:
      add("type", untilZero(bytes[2..<16]))
      add("path", untilZero(bytes[24..<88]))
    case 40 where bytes.count >= 12:
      add("port", little(bytes, 4, 4))
      add("addr", little(bytes, 8, 4))
    case 42 where bytes.count >= 12:
      add("addr", little(bytes, 4, 4))
      add("port", little(bytes, 8, 4))
    case 44 where bytes.count >= 12:
      add("interface", little(bytes, 4, 4))
      add("queue", little(bytes, 8, 4))
    default:
      let found = RareSocketFamilies.fields(family, bytes)
      for (name, value) in found { add(name, value) }
      return !found.isEmpty
    }
    return true
  }

  /// A path, `@name` for one in the abstract namespace; nothing for a socket without a name.
  ///
  /// - Returns: whether that says it all: of a name with zeros in it, it does not.
  private static func isPath(
    _ bytes: [UInt8], _ place: Text, _ fields: inout FieldMap, _ text: inout EventText
  ) -> Bool {
    guard bytes.count > 2, bytes[2] == 0 else {
      let path = SocketFields.untilZero(SocketFields.part(place, 2, place.count), text)
      if !path.isEmpty { SocketFields.add("path", path, to: &fields, &text) }
      return true
    }
    var name = bytes.dropFirst(3)
    while name.last == 0 { name.removeLast() }
    guard !name.isEmpty else { return true }
    SocketFields.add(
      "path", [UInt8(ascii: "@")] + name.map { $0 == 0 ? UInt8(ascii: "@") : $0 }, to: &fields,
      &text)
    return !name.contains(0)
  }

  static func little(_ bytes: [UInt8], _ at: Int, _ count: Int) -> UInt64 {
    bytes[at..<at + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  static func big(_ bytes: [UInt8], _ at: Int, _ count: Int) -> UInt64 {
    bytes[at..<at + count].reduce(0) { $0 << 8 | UInt64($1) }
  }

  static func untilZero(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    Array(bytes.prefix { $0 != 0 })
  }

  static func colons(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    return Array(digits.joined(separator: ":").utf8)
  }
}
