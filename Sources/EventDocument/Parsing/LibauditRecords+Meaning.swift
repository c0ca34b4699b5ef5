/// What go-libaudit makes of the fields that it found.
extension LibauditRecords {
  /// - Returns: why the record counts as unreadable; `nil` when it was read.
  mutating func interpret(
    _ type: UInt32, _ content: inout RecordContent, _ text: inout EventText
  ) -> String? {
    Self.unset("auid", &content.fields, &text)
    Self.unset("old-auid", &content.fields, &text)
    Self.unset("ses", &content.fields, &text)
    Self.splitContext("subj", Self.subject, &content.fields, &text)
    Self.unifyResult(&content.fields, &text)
    Self.nameExit(&content.fields, &text)
    Self.takeKeys(&content, &text)
    Self.decode("cwd", &content.fields, &text)
    switch type {
    case RecordNumber.seccomp:
      return Self.nameSignal(&content.fields, &text) ?? nameCall(&content, &text)
    case RecordNumber.syscall: return nameCall(&content, &text)
    case RecordNumber.socketAddress: return Self.address(&content.fields, &text)
    case RecordNumber.proctitle: return Self.mustDecode("proctitle", &content.fields, &text)
    case RecordNumber.userCommand: return Self.mustDecode("cmd", &content.fields, &text)
    case RecordNumber.terminal, RecordNumber.userTerminal:
      return Self.mustDecode("data", &content.fields, &text)
    case RecordNumber.execve: return Self.arguments(&content.fields, &text)
    case RecordNumber.path:
      Self.splitContext("obj", Self.object, &content.fields, &text)
      Self.decode("name", &content.fields, &text)
    case RecordNumber.userLogin: Self.decode("acct", &content.fields, &text)
    default: break
    }
    return nil
  }

  static let subject: [StaticString] = [
    "subj_user", "subj_role", "subj_domain", "subj_level", "subj_category",
  ]
  static let object: [StaticString] = [
    "obj_user", "obj_role", "obj_domain", "obj_level", "obj_category",
  ]

  @inline(__always)
  static func unset(_ name: StaticString, _ fields: inout FieldMap, _ text: inout EventText) {
    if let place = fields.index(of: name, text) { unset(place, &fields, &text) }
  }

  private static func unset(_ place: Int, _ fields: inout FieldMap, _ text: inout EventText) {
    let value = fields.entries[place].value
    if text.has(value, "4294967295") || text.has(value, "-1") {
      fields.setValue(text.add("unset"), at: place)
    }
  }

  /// `user:role:domain:level:category`, the last of which may hold colons.
  @inline(__always)
  static func splitContext(
    _ name: StaticString, _ parts: [StaticString], _ fields: inout FieldMap,
    _ text: inout EventText
  ) {
    if let context = fields.take(name, text) { splitContext(context, parts, &fields, &text) }
  }

  private static func splitContext(
    _ context: Text, _ parts: [StaticString], _ fields: inout FieldMap, _ text: inout EventText
  ) {
    var start = Int(context.start)
    for (index, part) in parts.enumerated() {
      let colon =
        index < parts.count - 1
        ? text.bytes[start..<Int(context.end)].firstIndex(of: UInt8(ascii: ":")) : nil
      fields.set(text.add(part), Text(start..<(colon ?? Int(context.end))), text)
      guard let colon else { return }
      start = colon + 1
    }
  }

  /// `success` or `res`, in any of their words, as `result`.
  static func unifyResult(_ fields: inout FieldMap, _ text: inout EventText) {
    guard let value = fields.take("success", text) ?? fields.take("res", text) else { return }
    fields.set(text.add("result"), result(value, &text), text)
  }

  /// The same in the field's own place.
  static func unifyResult(at place: Int, _ fields: inout FieldMap, _ text: inout EventText) {
    let value = result(fields.entries[place].value, &text)
    fields.replace(
      at: place, with: FieldMap.Entry(text.add("result"), value, raw: value, text))
  }

  private static func result(_ value: Text, _ text: inout EventText) -> Text {
    let isSuccess =
      value.count == 3 && text.starts(value, withAnyCase: "yes") || text.has(value, "1")
      || text.starts(value, withAnyCase: "suc")
    return isSuccess ? text.add("success") : text.add("fail")
  }

  static func nameExit(_ fields: inout FieldMap, _ text: inout EventText) {
    guard let place = fields.index(of: "exit", text),
      let code = text.number(fields.entries[place].value), code < 0,
      -code < NumberNames.errors.count, let name = NumberNames.errors[-code]
    else { return }
    fields.setValue(text.add(name), at: place)
  }

  /// The keys of a rule: one, `key=one` as auditctl of old wrote it, or several with 0x01 between.
  static func takeKeys(_ content: inout RecordContent, _ text: inout EventText) {
    guard let place = content.fields.index(of: "key", text) else { return }
    let (value, raw) = (content.fields.entries[place].value, content.fields.entries[place].raw)
    content.fields.remove(at: place)
    if let plain = text.decodedHex(raw) {
      var start = Int(plain.start)
      for at in plain.range where text.bytes[at] == 1 {
        content.keys.append(Text(start..<at))
        start = at + 1
      }
      content.keys.append(Text(start..<Int(plain.end)))
    } else if let equals = text[value].firstIndex(of: UInt8(ascii: "=")) {
      content.keys.append(Text(equals + 1..<Int(value.end)))
    } else {
      content.keys.append(value)
    }
  }

  /// Undoes hexadecimal, with spaces for NUL.
  static func decode(_ name: StaticString, _ fields: inout FieldMap, _ text: inout EventText) {
    guard let place = fields.index(of: name, text),
      let plain = text.decodedHex(fields.entries[place].raw)
    else { return }
    for at in plain.range where text.bytes[at] == 0 { text.replace(at, 0x20) }
    fields.setValue(plain, at: place)
  }

  private static func mustDecode(
    _ name: StaticString, _ fields: inout FieldMap, _ text: inout EventText
  ) -> String? {
    guard fields.index(of: name, text) != nil else { return "\(name) key not found" }
    decode(name, &fields, &text)
    return nil
  }

  private mutating func nameCall(
    _ content: inout RecordContent, _ text: inout EventText
  ) -> String? {
    guard let archPlace = content.fields.index(of: "arch", text) else {
      return "arch key not found"
    }
    let digits = content.fields.entries[archPlace].value
    guard let number = text.unsigned(digits, base: 16) else {
      return "failed to parse arch: \(Self.invalid(digits, "ParseInt", text))"
    }
    let architecture = UInt32(truncatingIfNeeded: number)
    let name =
      Architectures.bytes[architecture]
      ?? Array("unknown[\(String(architecture, radix: 16))]".utf8)
    content.fields.setValue(text.add(name), at: archPlace)
    guard let callPlace = content.fields.index(of: "syscall", text) else {
      return "syscall key not found"
    }
    let callDigits = content.fields.entries[callPlace].value
    guard let call = text.number(callDigits) else {
      return "failed to parse syscall: \(Self.invalid(callDigits, "Atoi", text))"
    }
    let known = calls.call(call, architecture: architecture)
    content.call = known
    if let name = known.name { content.fields.setValue(text.add(name), at: callPlace) }
    return Self.mustDecode("exe", &content.fields, &text)
  }

  private static func nameSignal(
    _ fields: inout FieldMap, _ text: inout EventText
  ) -> String? {
    guard let place = fields.index(of: "sig", text) else { return "sig key not found" }
    let digits = fields.entries[place].value
    guard let number = text.number(digits) else {
      return "failed to parse sig: \(invalid(digits, "Atoi", text))"
    }
    if NumberNames.signals.indices.contains(number), let name = NumberNames.signals[number] {
      fields.setValue(text.add(name), at: place)
    }
    return nil
  }

  private static func address(_ fields: inout FieldMap, _ text: inout EventText) -> String? {
    guard let address = fields.take("saddr", text) else { return "saddr key not found" }
    return SocketFields.addLibaudit(address, to: &fields, &text)
      .map { "failed to parse saddr: \($0)" }
  }

  private static func arguments(_ fields: inout FieldMap, _ text: inout EventText) -> String? {
    guard let count = fields.value("argc", text) else { return "argc key not found" }
    guard let number = text.unsigned(count, base: 10), number <= 0xffff_ffff else {
      let digits = String(decoding: text[count], as: UTF8.self)
      return "failed to convert argc='{\(digits) \(digits)}' to number: "
        + invalid(count, "ParseUint", text)
    }
    var finder = ArgumentFinder()
    for index in 0..<Int(number) {
      guard let place = finder.place(of: index, fields, text) else {
        return "failed to find arg a\(index)"
      }
      guard let plain = text.decodedHex(fields.entries[place].raw) else { continue }
      fields.setValue(SocketFields.untilZero(plain, text), at: place)
    }
    return nil
  }

  /// As Go's strconv says it.
  private static func invalid(_ digits: Text, _ function: String, _ text: EventText) -> String {
    let digits = String(decoding: text[digits], as: UTF8.self)
    return "strconv.\(function): parsing \"\(digits)\": invalid syntax"
  }
}

/// Finds `a0`, `a1`, …, which nearly always stand one behind another.
struct ArgumentFinder {
  private var next = 0

  mutating func place(of index: Int, _ fields: FieldMap, _ text: EventText) -> Int? {
    if next < fields.entries.count, isArgument(fields.entries[next].name, index, text) {
      defer { next += 1 }
      return next
    }
    guard let place = fields.entries.firstIndex(where: { isArgument($0.name, index, text) })
    else { return nil }
    next = place + 1
    return place
  }

  private func isArgument(_ name: Text, _ index: Int, _ text: EventText) -> Bool {
    guard name.count >= 2, name.count <= 11, text.bytes[Int(name.start)] == 0x61 else {
      return false
    }
    // No leading zeros: `a01` is not `a1`.
    let digits = Text(Int(name.start) + 1..<Int(name.end))
    guard text.number(digits) == index, text.bytes[Int(digits.start)] &- 0x30 < 10 else {
      return false
    }
    return digits.count == 1 || text.bytes[Int(digits.start)] != 0x30
  }
}
