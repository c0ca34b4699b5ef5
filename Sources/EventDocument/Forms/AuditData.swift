import AudispatchPlugin
import AuditRecord

/// The records' own fields in a document: `auditd.data` and `auditd.paths`.
enum AuditData {
  /// Fields of addresses are gathered in `socket`; several values of a name are a list.
  ///
  /// - Parameter identities: whether those are among them that have no place of their own.
  static func write(
    _ facts: EventFacts, identities: Bool, _ out: inout DocumentBytes
  ) {
    let text = facts.text
    let hidesUser = hidesUser(facts)
    func isOther(_ entry: FieldMap.Entry) -> Bool {
      !isIdentity(entry, text) || hidesUser && entry.isCalled("uid", text)
    }
    let hasOthers = identities && facts.identities.entries.contains(where: isOther)
    let others = hasOthers ? facts.identities.entries.filter(isOther) : []
    guard !facts.data.isEmpty || !others.isEmpty else { return }
    let mayRepeat = facts.data.mayRepeat || !others.isEmpty
    var entries = others.isEmpty ? facts.data.entries : facts.data.entries + others
    out.object("data")
    if entries.contains(where: { isOfSocket($0, text) }) {
      var socket = entries.filter { isOfSocket($0, text) }
      entries.removeAll { isOfSocket($0, text) }
      writeDistinct(entries, mayRepeat, text, &out)
      for place in socket.indices { socket[place].shortenName(by: 7, text) }
      out.object("socket")
      writeDistinct(socket, true, text, &out)
      out.endObject()
    } else {
      writeDistinct(entries, mayRepeat, text, &out)
    }
    out.endObject()
  }

  /// Whether `user` has somebody whom a record names, in the place of the process's own user.
  private static func hidesUser(_ facts: EventFacts) -> Bool {
    guard !facts.user.isEmpty, let own = facts.identities.value("uid", facts.text) else {
      return false
    }
    return facts.user.id.map { !facts.text.isSame($0, own) } ?? true
  }

  private static func isOfSocket(_ entry: FieldMap.Entry, _ text: EventText) -> Bool {
    // Such a name has more bytes than one whose key is exact.
    !entry.key.isExact && text.starts(entry.name, with: "socket_")
  }

  /// Fields, with the values of a name where the first of them stands.
  ///
  /// - Parameter mayRepeat: whether a name may be there twice.
  private static func writeDistinct(
    _ entries: [FieldMap.Entry], _ mayRepeat: Bool, _ text: EventText, _ out: inout DocumentBytes
  ) {
    let repeats = mayRepeat && hasRepeated(entries, text)
    let bytes = text.bytes.span
    var count = 0
    let plain = repeats ? 0 : writePlain(entries, bytes, &out)
    for place in plain..<entries.count {
      let entry = entries[place]
      if repeats, entries[..<place].contains(where: { $0.hasName(of: entry, text) }) { continue }
      count += 1
      guard count <= out.itemLimit else { return }
      let isRepeated =
        repeats && entries[(place + 1)...].contains { $0.hasName(of: entry, text) }
      // An object of that name is there for addresses.
      let isSocket = entry.isCalled("socket", text)
      if !isRepeated, !isSocket {
        out.member(entry, text)
        continue
      }
      if isSocket { out.key("socket_value") } else { out.key(bytes.extracting(entry.name.range)) }
      if isRepeated {
        let all = entries[place...].filter { $0.hasName(of: entry, text) }
        out.beginList()
        for other in all.prefix(out.itemLimit) { out.string(text[other.value]) }
        out.endArray()
      } else {
        out.string(text[entry.value])
      }
    }
  }

  /// Whether a name is there twice.
  private static func hasRepeated(_ entries: [FieldMap.Entry], _ text: EventText) -> Bool {
    var names = NameFilter()
    // The filter also takes some for others.
    return entries.indices.contains { place in
      names.insert(entries[place].key)
        && entries[..<place].contains { $0.hasName(of: entries[place], text) }
    }
  }

  /// Writes fields that are written as they stand, with room made once for all of them; gives the place
  /// of the first one that takes more.
  private static func writePlain(
    _ entries: [FieldMap.Entry], _ bytes: borrowing Span<UInt8>, _ out: inout DocumentBytes
  ) -> Int {
    guard !out.isLimited else { return 0 }
    let entries = entries.span
    let plainness = out.plainness
    var needsComma = out.needsComma
    var room = 0
    for place in entries.indices {
      room += entries[place].name.count + entries[place].value.count + 6
    }
    var place = 0
    unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe out.write(atMost: room) { pen in
        while place < entries.count {
          let entry = entries[place]
          precondition(max(entry.name.end, entry.value.end) <= bytes.count, "it is elsewhere")
          let name = unsafe UnsafeBufferPointer(rebasing: bytes[entry.name.range])
          let value = unsafe UnsafeBufferPointer(rebasing: bytes[entry.value.range])
          let isPlain = unsafe plainness.has(name) && plainness.has(value)
          guard isPlain, entry.key != NameKey("socket") else { return }
          unsafe pen.member(name, value, needsComma)
          needsComma = true
          place += 1
        }
      }
    }
    return place
  }

  static func writePaths(_ facts: EventFacts, _ out: inout DocumentBytes) {
    guard facts.pathCount > 0 else { return }
    out.array("paths")
    for path in facts.paths.prefix(min(facts.pathCount, out.itemLimit)) {
      if let written = path.written, !out.isLimited {
        out.written(facts.text.bytes.span.extracting(written.range))
      } else {
        writePath(path, facts.text, &out)
      }
    }
    out.endArray()
  }

  static func writePath(_ path: FieldMap, _ text: EventText, _ out: inout DocumentBytes) {
    out.beginObject()
    for entry in path.entries where !isName(entry, text) { out.member(entry, text) }
    out.endObject()
  }

  /// What auditd added to a path, which stands at the file.
  private static func isName(_ entry: FieldMap.Entry, _ text: EventText) -> Bool {
    entry.isCalled("OUID", text) || entry.isCalled("OGID", text)
  }

  /// The identities that have a place of their own.
  private static func isIdentity(_ entry: FieldMap.Entry, _ text: EventText) -> Bool {
    switch entry.key {
    case NameKey("auid"), NameKey("uid"), NameKey("gid"), NameKey("euid"), NameKey("egid"),
      NameKey("suid"), NameKey("sgid"), NameKey("fsuid"), NameKey("fsgid"):
      true
    default: false
    }
  }
}

/// What an event is called for ever: node, time and serial; of what is not known to be all of its
/// event also a hash of what it holds. So a part never has the name of the whole, or of another
/// part: where both come, a store that knows names has both.
enum EventIdentity {
  /// Node names are at most 255 bytes; a longer one is cut.
  static func append(
    _ event: AuditEvent, node: ArraySlice<UInt8>, to out: inout DocumentBytes
  ) {
    if !node.isEmpty {
      out.piece(node.prefix(255))
      out.raw(":")
    }
    out.piece(event.stamp)
    guard !event.isWhole else { return }
    out.raw(":")
    out.piece(Array(String(FieldMap.hash(event.bytes), radix: 16).utf8)[...])
  }
}

/// Whether a text is an Internet address: a field for addresses takes no other.
enum IPText {
  static func isAddress(_ value: Text, _ text: EventText) -> Bool {
    guard value.count <= 45 else { return false }
    let bytes = text.bytes.span
    var colons = 0
    var dots = 0
    // Of the part behind the last dot.
    var digits = 0
    var number = 0
    var isVersion4 = true
    var isVersion6 = true
    for place in value.range {
      let byte = bytes[place]
      switch byte {
      case UInt8(ascii: "."):
        isVersion4 = isVersion4 && digits > 0
        (dots, digits, number) = (dots + 1, 0, 0)
      case UInt8(ascii: ":"): colons += 1
      case 0x30...0x39:
        digits += 1
        number = digits > 3 ? 256 : number * 10 + Int(byte - 0x30)
        if number > 255 { isVersion4 = false }
      default:
        isVersion4 = false
        if EventText.digit(byte) == nil { isVersion6 = false }
      }
    }
    if colons > 0 { return colons >= 2 && isVersion6 }
    return isVersion4 && dots == 3 && digits > 0
  }
}
