import AudispatchPlugin
import AuditRecord

/// Writes an event as Laurel does: one object by types of record, numbers so that their base can be
/// seen, and bytes that are no text percent-encoded. What Laurel adds of processes is not here.
///
///     {"ID":"1615113648.981:15220","SYSCALL":{"arch":"0xc000003e","ARGV":["0x63", …]}, "PATH":[…]}
struct LaurelForm: Sendable {
  func write(
    _ event: AuditEvent, _ extent: DocumentExtent, _ out: inout DocumentBytes
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
        writeSingle(records, event, &out)
        out.endObject()
      } else {
        out.beginList()
        for record in records.prefix(out.itemLimit) {
          out.beginObject()
          writeFields(of: [record], event.bytes, &out)
          out.endObject()
        }
        out.endArray()
      }
    }
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
    for member in ["ID", "NODE", "TRUNCATED"] where name.elementsEqual(member.utf8) {
      return name + [UInt8(ascii: "_")]
    }
    return name
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

  private func writeSingle(
    _ records: [EventRecord], _ event: AuditEvent, _ out: inout DocumentBytes
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
    case RecordNumber.execve:
      writeFields(of: records, bytes, &out) {
        bytes[$0].first == UInt8(ascii: "a") && bytes[$0] != Self.count || Self.isList(bytes[$0])
      }
      out.array("ARGV")
      writeArguments(event, &out)
      out.endArray()
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

  private func writeArguments(_ event: AuditEvent, _ out: inout DocumentBytes) {
    let arguments = event.arguments() ?? []
    for argument in arguments.prefix(out.itemLimit) { out.string(argument[...]) }
    if arguments.count > out.itemLimit { out.omitted(arguments.count - out.itemLimit) }
  }

  /// The name of the list that stands in the place of other fields.
  private static func isList(_ name: ArraySlice<UInt8>) -> Bool {
    name.elementsEqual("ARGV".utf8)
  }

  /// `a0` to `a9`.
  private static func isArgument(_ name: ArraySlice<UInt8>) -> Bool {
    name.count == 2 && name.first == UInt8(ascii: "a") && name.last! &- 0x30 < 10
  }

  /// The fields of records, the last of a name counting.
  private func writeFields(
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
    var count = 0
    for (place, field) in fields.enumerated() where isLast[place] {
      count += 1
      guard count <= out.itemLimit else { break }
      out.key(bytes[field.name])
      LaurelValue.write(field, bytes, &out)
    }
    writeDecision(of: records[0], fields, bytes, &out)
  }

  /// Which of some fields no other of the same name follows.
  private static func isLast(_ fields: [LaurelScanner.Field], _ bytes: [UInt8]) -> [Bool] {
    if fields.count > 64 {
      var seen: Set<ArraySlice<UInt8>> = []
      return fields.reversed().map { seen.insert(bytes[$0.name]).inserted }.reversed()
    }
    return fields.indices.map { place in
      !fields[(place + 1)...].contains { bytes[$0.name] == bytes[fields[place].name] }
    }
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
      return Hex.decode(bytes[field.value])
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
