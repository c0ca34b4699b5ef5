import AudispatchPlugin
import AuditRecord
import EventDocument
import Linux
import SyslogSending

/// Makes messages of records and events: bytes in, bytes out.
struct MessageWriter {
  private let options: SyslogOptions
  private let host: [UInt8]
  private let limit: Int
  private let interpreter: Interpreter?
  private var redactor: EventRedactor?
  private var header: MessageHeader
  private var summary = EventSummary(zone: .utc)
  private var content = ContentReader()
  private var records = RecordsWriter()
  private var overviews: OverviewReader
  /// When names of users and groups were asked for first.
  private var namesSince = Duration.zero
  /// Names are believed for a minute.
  private static let namesLast = Duration.seconds(60)

  static let version = Release.version
  /// What a body has at least while the header holds structured data. Without it the longest
  /// header leaves 97 bytes of a message of 480: the shortest JSON needs 84.
  private static let leastBody = 160

  /// - Parameters:
  ///   - options: settled ones.
  ///   - process: this process's number.
  init(_ options: SyslogOptions, host: String, process: Int32) {
    self.options = options
    overviews = OverviewReader(accounts: .host, host: Array(host.utf8))
    let host = options.host ?? host
    self.host = Array(host.utf8)
    limit = options.maximumSize ?? 8096
    interpreter = options.interpret ? Interpreter() : nil
    redactor = options.volume.finder.map { EventRedactor($0) }
    header = MessageHeader(
      options.headerForm, options.priority, host: host, tag: options.tag ?? "audispd",
      process: "\(process)", isUTC: options.utc || options.format == .rfc5424)
  }

  /// Whether messages are made of records as they come, without their events being put together.
  static func takesRecords(_ options: SyslogOptions) -> Bool {
    options.isVerbatim && options.unit == .records && !options.volume.redacts
  }

  /// Events out of which secrets were taken.
  var redacted: Int { redactor?.count ?? 0 }

  /// The header of a plain message at that second.
  mutating func plainHeader(milliseconds: UInt64) -> [UInt8] {
    var message: [UInt8] = []
    header.append(MessageHeader.Subject(milliseconds: milliseconds, name: []), to: &message)
    return message
  }

  /// The message of a record that stands in those bytes.
  mutating func message(of record: EventRecord, in bytes: [UInt8]) -> [UInt8] {
    let node = record.node.map { Array(bytes[$0]) }
    let name = Array(bytes[record.typeName])
    let keys = { RecordKeys.keys(of: record, in: bytes) }
    if options.servers.areJournals {
      let body = TextBody.write(record, in: bytes, limit: limit)
      return entry(record.stamp, node, name, keys(), body)
    }
    var message = head(record.stamp, node, name, keys: keys)
    message += TextBody.write(record, in: bytes, limit: limit - message.count)
    return message
  }

  /// The messages of an event: one, or one for each of its records.
  mutating func messages(of event: AuditEvent) -> [[UInt8]] {
    let event = redactor?.redact(event) ?? event
    // What only says that the event is over says nothing here.
    let records = event.records.filter { $0.type != .endOfEvent }
    guard !records.isEmpty else { return [] }
    let keys = event.ruleKeys()
    if options.unit == .events { return [message(of: event, records, keys)] }
    return records.map { message(of: event, [$0], keys) }
  }

  private mutating func message(
    of event: AuditEvent, _ records: [EventRecord], _ keys: [[UInt8]]
  ) -> [UInt8] {
    let node = event.node.map { Array(event.bytes[$0]) }
    let name = Array(event.bytes[records[0].typeName])
    if options.servers.areJournals {
      return entry(event.stamp, node, name, keys, body(event, records, keys, limit))
    }
    var message = head(event.stamp, node, name) { keys }
    message += body(event, records, keys, limit - message.count)
    return message
  }

  private mutating func body(
    _ event: AuditEvent, _ records: [EventRecord], _ keys: [[UInt8]], _ limit: Int
  ) -> [UInt8] {
    switch options.body {
    case .text where interpreter == nil:
      return TextBody.write(records, in: event.bytes, limit: limit)
    case .cef:
      return CEFBody.write(
        subject(event, records, keys), host: host, version: Self.version, limit: limit)
    case .leef:
      return LEEFBody.write(
        subject(event, records, keys), host: host, version: Self.version,
        delimiter: options.delimiter, limit: limit)
    default:
      content.read(event, records, keys: keys, interpreter)
      switch options.body {
      case .keyValue: return PairsBody.write(content.content, limit: limit)
      case .json: return self.records.document(content.content, limit: limit)
      case .cee:
        return Array("@cee: ".utf8) + self.records.document(content.content, limit: limit - 6)
      default: return InterpretedBody.write(content.content, limit: limit)
      }
    }
  }

  private mutating func subject(
    _ event: AuditEvent, _ records: [EventRecord], _ keys: [[UInt8]]
  ) -> EventSubject {
    let now = MonotonicTime.now
    if now - namesSince >= Self.namesLast {
      overviews.forgetAccounts()
      namesSince = now
    }
    return EventSubject(
      event, records, keys, overviews.overview(of: event), summary: summary.line(for: event))
  }

  /// What stands in front of a message's body.
  private mutating func head(
    _ stamp: RecordStamp, _ node: [UInt8]?, _ name: [UInt8], keys: () -> [[UInt8]]
  ) -> [UInt8] {
    var subject = MessageHeader.Subject(
      milliseconds: stamp.milliseconds, node: node, name: name)
    if options.format == .rfc5424, options.structuredData {
      subject.data = StructuredData.element(
        enterprise: options.enterprise, node: node, type: name, milliseconds: stamp.milliseconds,
        serial: stamp.serial, keys: keys())
    }
    var message: [UInt8] = []
    message.reserveCapacity(128 + subject.data.count)
    header.append(subject, to: &message)
    // Keys and names can be long; the body has the serial too.
    if !subject.data.isEmpty,
      subject.data.count > limit / 2 || limit - message.count < Self.leastBody
    {
      subject.data = []
      message.removeAll(keepingCapacity: true)
      header.append(subject, to: &message)
    }
    return message
  }

  private func entry(
    _ stamp: RecordStamp, _ node: [UInt8]?, _ name: [UInt8], _ keys: [[UInt8]], _ body: [UInt8]
  ) -> [UInt8] {
    var entry: [UInt8] = []
    JournalEntry.append("MESSAGE", body, to: &entry)
    JournalEntry.append("PRIORITY", "\(options.priority.level.rawValue)".utf8, to: &entry)
    JournalEntry.append(
      "SYSLOG_FACILITY", "\(options.priority.facility.rawValue)".utf8, to: &entry)
    JournalEntry.append("SYSLOG_IDENTIFIER", (options.tag ?? "audispd").utf8, to: &entry)
    JournalEntry.append("AUDIT_TIME", AuditTime.text(stamp.milliseconds).utf8, to: &entry)
    JournalEntry.append("AUDIT_SERIAL", "\(stamp.serial)".utf8, to: &entry)
    JournalEntry.append("AUDIT_TYPE", name, to: &entry)
    if let node { JournalEntry.append("AUDIT_NODE", node, to: &entry) }
    for key in keys { JournalEntry.append("AUDIT_KEY", key, to: &entry) }
    return entry
  }
}

/// The keys of the rules that made a record, without its event.
enum RecordKeys {
  static func keys(of record: EventRecord, in bytes: [UInt8]) -> [[UInt8]] {
    guard record.type == .syscall || record.type.rawValue == 1305 else { return [] }
    var scanner = FieldScanner(body: record.body, end: record.line.upperBound)
    while let field = scanner.next(bytes.span) {
      guard field.section == .record, bytes[field.name].elementsEqual("key".utf8) else { continue }
      let raw = bytes[field.value]
      if field.quoting == .none {
        if raw.isEmpty || raw.elementsEqual("(null)".utf8) { return [] }
        if let decoded = Hex.decode(raw) { return decoded.split(separator: 1).map(Array.init) }
      }
      return raw.split(separator: 1).map(Array.init)
    }
    return []
  }
}
