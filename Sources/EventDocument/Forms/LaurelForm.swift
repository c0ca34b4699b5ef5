import AudispatchPlugin
import AuditRecord
import ProcessContext

/// Writes an event as Laurel does: one object by types of record, numbers so that their base can be
/// seen, and bytes that are no text percent-encoded. What is known of processes stands where Laurel
/// has it (`LaurelContext`).
///
///     {"ID":"1615113648.981:15220","SYSCALL":{"arch":"0xc000003e","ARGV":["0x63", …]}, "PATH":[…]}
struct LaurelForm: Sendable {
  let settings: LaurelSettings
  var accounts: AccountCache
  private var groups = RecordGroups()
  private var fields = LaurelFields()

  init(_ options: DocumentOptions) {
    settings = options.laurel
    accounts = AccountCache(options.accounts)
  }

  mutating func write(
    _ event: AuditEvent, _ context: EventContext?, _ extent: DocumentExtent,
    _ out: inout DocumentBytes
  ) {
    out.beginObject()
    out.key("ID")
    out.openString()
    out.piece(event.stamp)
    out.closeString()
    if let node = event.node {
      out.key("NODE")
      out.string(event.bytes[node])
    }
    if extent != .whole { out.flag("TRUNCATED") }
    groups.read(event)
    // Records of a type stand together, where the first of them was.
    for group in groups.all.indices { write(group, event, context, &out) }
    if let context { LaurelContext.writeMembers(context, settings, &out) }
    out.endObject()
  }

  private mutating func write(
    _ group: Int, _ event: AuditEvent, _ context: EventContext?, _ out: inout DocumentBytes
  ) {
    let first = event.records[groups.all[group].first]
    writeKey(first, event.bytes, &out)
    if Self.isSingle(first.type.rawValue) {
      out.beginObject()
      writeSingle(group, event, context, &out)
      out.endObject()
      return
    }
    out.beginList()
    var count = 0
    var next: Int? = groups.all[group].first
    while let place = next, count < out.itemLimit {
      count += 1
      next = groups.next(behind: place)
      let record = event.records[place]
      out.beginObject()
      fields.begin()
      fields.add(record, event.bytes.span, except: .none)
      writeFields(record, event.bytes, &out)
      if let context, settings.namesProcesses, record.type.rawValue == RecordNumber.object {
        LaurelContext.writeObject(of: record, event, context, &out)
      }
      out.endObject()
    }
    out.endArray()
  }

  /// The name of a type, also where the line has its number; one that is called as a member of the
  /// document is has another.
  private func writeKey(_ record: EventRecord, _ bytes: [UInt8], _ out: inout DocumentBytes) {
    let span = bytes.span
    guard span.has("UNKNOWN[", at: record.typeName.lowerBound) || isMember(span, record.typeName)
    else { return out.key(span.extracting(record.typeName)) }
    let name = RecordKind.name(record, in: bytes)
    out.key(isMember(name.span, 0..<name.count) ? name + [UInt8(ascii: "_")] : name)
  }

  private func isMember(_ bytes: borrowing Span<UInt8>, _ name: Range<Int>) -> Bool {
    switch name.count {
    case 2: bytes.has("ID", at: name.lowerBound)
    case 4: bytes.has("NODE", at: name.lowerBound)
    case 9: bytes.has("TRUNCATED", at: name.lowerBound)
    case 11: bytes.has("PARENT_INFO", at: name.lowerBound)
    case 14: bytes.has("CONTAINER_INFO", at: name.lowerBound)
    default: false
    }
  }

  /// Whether there can be only one record of a type in an event, for which Laurel has no list.
  static func isSingle(_ type: UInt32) -> Bool {
    switch type {
    case RecordNumber.syscall, RecordNumber.execve, RecordNumber.proctitle, 1307: true
    case RecordNumber.login: false
    case ..<1300, 1406...1419, 2000..<3000: true
    default: false
    }
  }

  private mutating func writeSingle(
    _ group: Int, _ event: AuditEvent, _ context: EventContext?, _ out: inout DocumentBytes
  ) {
    let first = event.records[groups.all[group].first]
    let bytes = event.bytes
    fields.begin()
    switch first.type.rawValue {
    case RecordNumber.syscall:
      read(group, event, except: .call)
      writeFields(first, bytes, &out)
      out.array("ARGV")
      LaurelRun.writeArguments(fields.all, bytes.span, &out)
      out.endArray()
      if settings.translatesCalls { LaurelTranslation.writeCall(first, bytes, &out) }
      if let context { LaurelContext.writeCall(context, settings, &out) }
    case RecordNumber.execve:
      read(group, event, except: .exec)
      writeFields(first, bytes, &out)
      LaurelArguments(event, settings, out.itemLimit).write(&out)
      if let context { LaurelContext.writeEnvironment(context, &out) }
    case RecordNumber.proctitle:
      read(group, event, except: .own)
      let title = title(event.records[groups.all[group].last], bytes)
      if title != nil { fields.leaveOut("proctitle", bytes.span) }
      writeFields(first, bytes, &out)
      if let title { writeTitle(title, &out) }
    default:
      read(group, event, except: .none)
      writeFields(first, bytes, &out)
    }
  }

  /// Reads the fields of all records of a type.
  private mutating func read(_ group: Int, _ event: AuditEvent, except lists: LaurelLists) {
    var next: Int? = groups.all[group].first
    while let place = next {
      fields.add(event.records[place], event.bytes.span, except: lists)
      next = groups.next(behind: place)
    }
  }

  /// Writes the fields that were read, of records of which this is the first.
  private mutating func writeFields(
    _ first: EventRecord, _ bytes: [UInt8], _ out: inout DocumentBytes
  ) {
    let hasAddress =
      settings.translatesCalls && first.type.rawValue == RecordNumber.socketAddress
      && LaurelTranslation.hasAddress(fields, bytes)
    var count = 0
    let span = bytes.span
    var place = 0
    while place < fields.all.count {
      if !hasAddress { place = LaurelRun.write(fields.all, from: place, span, &out) }
      guard place < fields.all.count else { break }
      let field = fields.all[place]
      place += 1
      if field.isLeftOut { continue }
      count += 1
      guard count <= out.itemLimit else { break }
      if hasAddress, let isBytes = LaurelTranslation.isAddress(bytes[field.name.range]) {
        if !isBytes || LaurelTranslation.writeAddress(bytes[field.value.range], &out) { continue }
      }
      LaurelValue.write(field, span, &out)
    }
    if settings.translatesUsers {
      LaurelTranslation.writeUsers(fields, bytes, &accounts, &out)
    }
    if first.type.rawValue == RecordNumber.avc { writeDecision(of: first, bytes, &out) }
  }

  /// What SELinux decided: `"denied":["read","write"]`.
  private func writeDecision(
    of record: EventRecord, _ bytes: [UInt8], _ out: inout DocumentBytes
  ) {
    guard let vector = DecisionWords(record.body..<record.line.upperBound, bytes),
      !fields.all.contains(where: { bytes[$0.name.range] == bytes[vector.result] })
    else { return }
    out.key(bytes[vector.result])
    out.beginList()
    for word in bytes[vector.permissions].split(separator: 0x20) { out.string(word) }
    out.endArray()
  }

  /// A command line in hexadecimal or quotes; `nil` for one that is null or not there.
  private func title(_ record: EventRecord, _ bytes: [UInt8]) -> [UInt8]? {
    let span = bytes.span
    for field in fields.all
    where Int(field.name.start) >= record.body && span.isName(field.name.range, "proctitle") {
      if field.quoting == .double { return Array(bytes[field.value.range]) }
      return LaurelValue.plain(span.extracting(field.value.range))
    }
    return nil
  }

  /// Split at NUL as Laurel does it: one that begins a piece belongs to it.
  private func writeTitle(_ title: [UInt8], _ out: inout DocumentBytes) {
    out.array("ARGV")
    let title = title.span
    var start = 0
    while start < title.count {
      var end = start + 1
      while end < title.count, title[end] != 0 { end += 1 }
      out.string(title.extracting(start..<end))
      start = end + 1
    }
    out.endArray()
  }
}
