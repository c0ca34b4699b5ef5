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
    if extent != .whole { out.raw(",\"TRUNCATED\":true") }
    // Records of a type stand together, where the first of them was.
    for (key, records) in Self.groups(event) {
      out.key(key)
      if Self.isSingle(records[0].type.rawValue) {
        out.beginObject()
        writeSingle(records, event, context, &out)
        out.endObject()
      } else {
        out.beginList()
        for record in records.prefix(out.itemLimit) {
          out.beginObject()
          writeFields(of: [record], event.bytes, &out)
          if let context, settings.namesProcesses, record.type.rawValue == RecordNumber.object {
            LaurelContext.writeObject(of: record, event, context, &out)
          }
          out.endObject()
        }
        out.endArray()
      }
    }
    if let context { LaurelContext.writeMembers(context, settings, &out) }
    out.endObject()
  }

  private static func groups(_ event: AuditEvent) -> [(key: [UInt8], records: [EventRecord])] {
    var groups: [(key: [UInt8], records: [EventRecord])] = []
    var places: [[UInt8]: Int] = [:]
    let isMany = event.records.count > 64
    for record in event.records where record.type != .endOfEvent {
      let key = key(record, event.bytes)
      let place = isMany ? places[key] : groups.firstIndex { $0.key == key }
      if let place {
        groups[place].records.append(record)
      } else {
        if isMany { places[key] = groups.count }
        groups.append((key, [record]))
      }
    }
    return groups
  }

  /// The name of a type, also where the line has its number; one that is called as a member of the
  /// document is has another.
  private static func key(_ record: EventRecord, _ bytes: [UInt8]) -> [UInt8] {
    let name = RecordKind.name(record, in: bytes)
    let isMember = members.contains { name.elementsEqual($0.utf8) }
    return isMember ? name + [UInt8(ascii: "_")] : name
  }

  private static let members = ["ID", "NODE", "TRUNCATED", "CONTAINER_INFO", "PARENT_INFO"]

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
    _ records: [EventRecord], _ event: AuditEvent, _ context: EventContext?,
    _ out: inout DocumentBytes
  ) {
    let bytes = event.bytes
    switch records[0].type.rawValue {
    case RecordNumber.syscall:
      writeFields(of: records, bytes, &out) {
        Self.isArgument(bytes[$0]) || Self.isList(bytes[$0])
      }
      out.array("ARGV")
      for record in records {
        var scanner = LaurelScanner(record)
        while let field = scanner.next(bytes) {
          guard Self.isArgument(bytes[field.name]) else { continue }
          LaurelValue.writeHexadecimal(bytes[field.value], &out)
        }
      }
      out.endArray()
      if settings.translatesCalls {
        LaurelTranslation.writeCall(records[0], bytes, &out)
      }
      if let context { LaurelContext.writeCall(context, settings, &out) }
    case RecordNumber.execve:
      writeFields(of: records, bytes, &out) {
        bytes[$0].first == UInt8(ascii: "a") && bytes[$0] != Self.count || Self.isList(bytes[$0])
      }
      LaurelArguments(event, settings, out.itemLimit).write(&out)
      if let context { LaurelContext.writeEnvironment(context, &out) }
    case RecordNumber.proctitle:
      let title = Self.title(records[records.count - 1], bytes)
      writeFields(of: records, bytes, &out) {
        title != nil && bytes[$0].elementsEqual("proctitle".utf8) || Self.isList(bytes[$0])
      }
      if let title { writeTitle(title, &out) }
    default: writeFields(of: records, bytes, &out)
    }
  }

  private static let count = Array("argc".utf8)[...]

  /// The name of the list that stands in the place of other fields.
  private static func isList(_ name: ArraySlice<UInt8>) -> Bool {
    guard let first = name.first, first &- 0x41 < 26 else { return false }
    return ownNames.contains { name.elementsEqual($0.utf8) }
  }

  /// Members that are made here.
  private static let ownNames = [
    "ARGV", "ARGV_STR", "ENV", "SCRIPT", "PID", "PPID", "LABELS",
  ]

  /// `a0` to `a9`.
  private static func isArgument(_ name: ArraySlice<UInt8>) -> Bool {
    name.count == 2 && name[name.startIndex] == UInt8(ascii: "a")
      && name[name.startIndex + 1] &- 0x30 < 10
  }

  /// The fields of records, the last of a name counting.
  private mutating func writeFields(
    of records: [EventRecord], _ bytes: [UInt8], _ out: inout DocumentBytes,
    except isElsewhere: (Range<Int>) -> Bool = { _ in false }
  ) {
    var fields: [LaurelScanner.Field] = []
    for record in records {
      var scanner = LaurelScanner(record)
      while let field = scanner.next(bytes) {
        if !isElsewhere(field.name) { fields.append(field) }
      }
    }
    let isLast = Self.isLast(fields, bytes)
    let hasAddress =
      settings.translatesCalls && records[0].type.rawValue == RecordNumber.socketAddress
      && LaurelTranslation.hasAddress(fields, bytes)
    var count = 0
    let span = bytes.span
    for (place, field) in fields.enumerated() where isLast[place] {
      count += 1
      guard count <= out.itemLimit else { break }
      if hasAddress, let isBytes = LaurelTranslation.isAddress(bytes[field.name]) {
        if !isBytes || LaurelTranslation.writeAddress(bytes[field.value], &out) { continue }
      }
      out.key(span.extracting(field.name))
      LaurelValue.write(field, bytes, &out)
    }
    if settings.translatesUsers {
      LaurelTranslation.writeUsers(fields, isLast, bytes, &accounts, &out)
    }
    writeDecision(of: records[0], fields, bytes, &out)
  }

  /// Which of some fields no other of the same name follows.
  private static func isLast(_ fields: [LaurelScanner.Field], _ bytes: [UInt8]) -> [Bool] {
    var isLast = [Bool](repeating: true, count: fields.count)
    if fields.count > 64 {
      var seen: Set<ArraySlice<UInt8>> = []
      for place in fields.indices.reversed() {
        isLast[place] = seen.insert(bytes[fields[place].name]).inserted
      }
      return isLast
    }
    let span = bytes.span
    for (place, field) in fields.enumerated() {
      for other in fields[(place + 1)...] where field.sign == other.sign {
        guard field.name.count == other.name.count else { continue }
        var at = 0
        while at < field.name.count,
          span[field.name.lowerBound + at] == span[other.name.lowerBound + at]
        {
          at += 1
        }
        if at == field.name.count {
          isLast[place] = false
          break
        }
      }
    }
    return isLast
  }

  /// What SELinux decided: `"denied":["read","write"]`.
  private func writeDecision(
    of record: EventRecord, _ fields: [LaurelScanner.Field], _ bytes: [UInt8],
    _ out: inout DocumentBytes
  ) {
    guard record.type.rawValue == RecordNumber.avc,
      let vector = DecisionWords(record.body..<record.line.upperBound, bytes),
      !fields.contains(where: { bytes[$0.name] == bytes[vector.result] })
    else { return }
    out.key(bytes[vector.result])
    out.beginList()
    for word in bytes[vector.permissions].split(separator: 0x20) { out.string(word) }
    out.endArray()
  }

  /// A command line in hexadecimal or quotes; `nil` for one that is null or not there.
  private static func title(_ record: EventRecord, _ bytes: [UInt8]) -> [UInt8]? {
    var scanner = LaurelScanner(record)
    while let field = scanner.next(bytes) {
      guard bytes[field.name].elementsEqual("proctitle".utf8) else { continue }
      if field.quoting == .double { return Array(bytes[field.value]) }
      return LaurelValue.plain(bytes[field.value])
    }
    return nil
  }

  /// Split at NUL as Laurel does it: one that begins a piece belongs to it.
  private func writeTitle(_ title: [UInt8], _ out: inout DocumentBytes) {
    out.array("ARGV")
    var rest = title[...]
    while !rest.isEmpty {
      let end = rest.dropFirst().firstIndex(of: 0) ?? rest.endIndex
      out.string(rest[..<end])
      rest = rest[end...].dropFirst()
    }
    out.endArray()
  }
}
