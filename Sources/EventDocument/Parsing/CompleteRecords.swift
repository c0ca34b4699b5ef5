import AudispatchPlugin
import AuditRecord

/// Reads a record so that nothing of it is lost: whatever may be in hexadecimal is decoded, what
/// auditd added is told from what the record says, all families of addresses are read, and a
/// field that is missing costs no other.
struct CompleteRecords: Sendable {
  var calls = SystemCallCache()
  private var traits = FieldTraits()
  /// The machine of the last call: nearly all are of one.
  private var machine: (number: UInt32, name: [UInt8]?)?

  init() {}

  mutating func read(
    _ record: EventRecord, _ text: inout EventText, into content: inout RecordContent
  ) {
    content.removeAll()
    let type = record.type.rawValue
    if type == RecordNumber.avc || type == RecordNumber.userAVC,
      let vector = DecisionWords(record.body..<record.line.upperBound, text.bytes)
    {
      content.fields.set(text.add("seresult"), Text(vector.result), text)
      let list = text.copy(vector.permissions)
      content.fields.set(text.add("seperms"), Self.commas(list, &text), text)
    }
    var scanner = FieldScanner(body: record.body, end: record.line.upperBound)
    while let field = scanner.next(text.bytes.span) {
      take(field, type, &text, &content)
    }
    interpret(type, &text, &content)
  }

  /// Words with commas in place of the spaces between them.
  private static func commas(_ words: Text, _ text: inout EventText) -> Text {
    var list = words
    while !list.isEmpty, text.bytes[Int(list.start)] == 0x20 { list.start += 1 }
    while !list.isEmpty, text.bytes[Int(list.end) - 1] == 0x20 { list.end -= 1 }
    for at in list.range where text.bytes[at] == 0x20 { text.replace(at, UInt8(ascii: ",")) }
    return list
  }

  private mutating func take(
    _ field: Field, _ type: UInt32, _ text: inout EventText, _ content: inout RecordContent
  ) {
    let traits = traits.of(field, type, text)
    let name = traits.hasPlainName ? Text(field.name) : Self.plainName(field.name, &text)
    let key = traits.hasPlainName ? field.key : NameKey(text.bytes.span, name.range)
    var value = Text(field.value)
    if field.section == .enrichment {
      guard text.ends(name, with: "UID") || text.ends(name, with: "GID") else { return }
      if field.quoting == .none, let plain = text.decodedHex(value) { value = plain }
      if type == RecordNumber.path {
        content.fields.add(FieldMap.Entry(name, value, raw: value, text))
      } else {
        let lower = text.copy(field.name)
        for at in lower.range where (0x41...0x5a).contains(text.bytes[at]) {
          text.replace(at, text.bytes[at] + 0x20)
        }
        content.meanings.add(FieldMap.Entry(lower, value, raw: value, text))
      }
      return
    }
    if field.quoting == .none { value = Self.untilEnrichment(field.key, value, text) }
    if value.isEmpty || text.has(value, "?") || text.has(value, "(null)") { return }
    if field.key == NameKey("key") {
      content.fields.set(name, value, raw: value, text)
      let isPlain = field.quoting == .none
      return takeKeys(isPlain, &text, &content)
    }
    if field.quoting == .none, traits.mayBeEncoded, let plain = text.decodedHex(value) {
      value = plain
      if type != RecordNumber.socketAddress {
        for at in plain.range where text.bytes[at] == 0 { text.replace(at, 0x20) }
      }
    }
    content.fields.set(FieldMap.Entry(name, key, value, raw: value), text)
  }

  /// A name that is one to every reader of documents: a dot would make an object of it.
  private static func plainName(_ range: Range<Int>, _ text: inout EventText) -> Text {
    for at in range where !FieldTraits.isPlain(text.bytes[at]) {
      let name = text.copy(range)
      for at in name.range where !FieldTraits.isPlain(text.bytes[at]) { text.replace(at, 0x5f) }
      return name
    }
    return Text(range)
  }

  /// Some kernels' lines have lost the 0x1d in front of what auditd added: `key=(null)ARCH=x86_64`.
  @inline(__always)
  private static func untilEnrichment(_ name: NameKey, _ value: Text, _ text: EventText) -> Text {
    var value = value
    if text.starts(value, with: "(null)") {
      value.end = value.start + 6
    } else if name == NameKey("res") {
      var end = Int(value.start)
      while end < Int(value.end), !(0x41...0x5a).contains(text.bytes[end]) { end += 1 }
      value.end = Int32(end)
    }
    return value
  }

  private func takeKeys(
    _ mayBeHex: Bool, _ text: inout EventText, _ content: inout RecordContent
  ) {
    guard let value = content.fields.take("key", text) else { return }
    let plain = mayBeHex ? text.decodedHex(value) ?? value : value
    var start = Int(plain.start)
    if text.starts(plain, with: "key=") { start += 4 }
    for at in start..<Int(plain.end) where text.bytes[at] == 1 {
      if at > start { content.keys.append(Text(start..<at)) }
      start = at + 1
    }
    if start < Int(plain.end) { content.keys.append(Text(start..<Int(plain.end))) }
  }

  private mutating func interpret(
    _ type: UInt32, _ text: inout EventText, _ content: inout RecordContent
  ) {
    LibauditRecords.unset("auid", &content.fields, &text)
    LibauditRecords.unset("old-auid", &content.fields, &text)
    LibauditRecords.unset("ses", &content.fields, &text)
    LibauditRecords.unset("old-ses", &content.fields, &text)
    LibauditRecords.splitContext("subj", LibauditRecords.subject, &content.fields, &text)
    if type == RecordNumber.syscall, let place = content.fields.index(of: "success", text),
      content.fields.index(of: "result", text) == nil
    {
      LibauditRecords.unifyResult(at: place, &content.fields, &text)
    } else {
      LibauditRecords.unifyResult(&content.fields, &text)
    }
    LibauditRecords.nameExit(&content.fields, &text)
    nameSignal(&text, &content)
    switch type {
    case RecordNumber.syscall, RecordNumber.seccomp: nameCall(&text, &content)
    case RecordNumber.socketAddress:
      if let digits = content.fields.take("saddr", text) {
        SocketFamilies.add(digits, to: &content.fields, &text)
      }
    case RecordNumber.path:
      LibauditRecords.splitContext("obj", LibauditRecords.object, &content.fields, &text)
    default: break
    }
  }

  private func nameSignal(_ text: inout EventText, _ content: inout RecordContent) {
    guard let place = content.fields.index(of: "sig", text),
      let number = text.number(content.fields.entries[place].value),
      NumberNames.signals.indices.contains(number), let name = NumberNames.signals[number]
    else { return }
    content.fields.setValue(text.add(name), at: place)
  }

  private mutating func nameCall(_ text: inout EventText, _ content: inout RecordContent) {
    guard let place = content.fields.index(of: "arch", text),
      let number = text.unsigned(content.fields.entries[place].value, base: 16)
    else { return }
    let architecture = UInt32(truncatingIfNeeded: number)
    if machine?.number != architecture {
      machine = (architecture, Architectures.bytes[architecture])
    }
    if let name = machine?.name { content.fields.setValue(text.add(name), at: place) }
    guard let callPlace = content.fields.index(of: "syscall", text),
      let number = text.number(content.fields.entries[callPlace].value)
    else { return }
    let call = calls.call(number, architecture: architecture)
    content.call = call
    if let name = call.name { content.fields.setValue(text.add(name), at: callPlace) }
  }
}

extension CompleteRecords {
  /// At most so many arguments; there are never as many in a record of the kernel.
  static let mostArguments = 100_000

  /// Adds the arguments of an EXECVE to those of the ones before it. An argument that the kernel
  /// cut in parts (`a1[0]`, `a1[1]`, `a1_len`) is put together.
  func addArguments(of record: EventRecord, _ facts: inout EventFacts) {
    var scanner = FieldScanner(body: record.body, end: record.line.upperBound)
    while let field = scanner.next(facts.text.bytes.span), field.section != .enrichment {
      let name = Text(field.name)
      if facts.text.has(name, "argc") {
        facts.data.set(name, Text(field.value), facts.text)
        continue
      }
      guard let (number, part) = Self.argument(name, facts.text), number < Self.mostArguments else {
        continue
      }
      while facts.arguments.count <= number {
        facts.arguments.append(Text(field.value.lowerBound..<field.value.lowerBound))
      }
      guard facts.text.bytes.count < EventFacts.mostText else {
        facts.omitted += 1
        continue
      }
      let raw = Text(field.value)
      guard part > 0 else {
        facts.arguments[number] = decoded(raw, field.quoting, copies: part == 0, &facts.text)
        continue
      }
      // Parts come one behind another, so that the argument is at the end of the text.
      if Int(facts.arguments[number].end) != facts.text.bytes.count {
        facts.arguments[number] = facts.text.copy(facts.arguments[number].range)
      }
      facts.arguments[number].end = decoded(raw, field.quoting, copies: true, &facts.text).end
    }
  }

  private func decoded(
    _ raw: Text, _ quoting: Field.Quoting, copies: Bool, _ text: inout EventText
  ) -> Text {
    if quoting == .none, let plain = text.decodedHex(raw) { return plain }
    return copies ? text.copy(raw.range) : raw
  }

  /// The number of an argument, and of its part, -1 where it is whole; `nil` for `a1_len`.
  private static func argument(_ name: Text, _ text: EventText) -> (number: Int, part: Int)? {
    guard name.count >= 2, text.bytes[Int(name.start)] == 0x61 else { return nil }
    let digits = Text(Int(name.start) + 1..<Int(name.end))
    if let number = text.number(digits) { return number >= 0 ? (number, -1) : nil }
    guard let open = text[digits].firstIndex(of: UInt8(ascii: "[")),
      text.bytes[Int(name.end) - 1] == UInt8(ascii: "]"),
      let number = text.number(Text(Int(digits.start)..<open)),
      let part = text.number(Text(open + 1..<Int(digits.end) - 1)), number >= 0, part >= 0
    else { return nil }
    return (number, part)
  }
}
