import AudispatchPlugin
import AuditRecord

/// The fields of an event's records, decoded or interpreted: what every body but the plain text
/// is made of.
struct EventContent: Equatable {
  struct Field: Equatable {
    var name: [UInt8]
    var value: [UInt8]
  }

  struct Record: Equatable {
    var type: [UInt8]
    var fields: [Field]
    /// What auditd found values to mean, by names in upper case.
    var enriched: [Field] = []
  }

  var milliseconds: UInt64
  var serial: UInt64
  var node: [UInt8]?
  var keys: [[UInt8]] = []
  /// Whether another part of the event was sent before.
  var isContinuation = false
  var records: [Record]
}

extension EventContent {
  /// What some records of an event hold.
  ///
  /// - Parameters:
  ///   - keys: those of the event's rules.
  ///   - interpreter: gives the meanings of values; without it they are decoded only, and what
  ///     auditd added is beside them.
  init(
    _ event: AuditEvent, _ records: [EventRecord], _ keys: [[UInt8]], _ interpreter: Interpreter?
  ) {
    self.init(
      milliseconds: event.stamp.milliseconds, serial: event.stamp.serial,
      node: event.node.map { Array(event.bytes[$0]) }, keys: keys,
      isContinuation: event.isContinuation,
      records: records.map { record in
        let all =
          interpreter?.fields(of: record, in: event.bytes, words: true)
          ?? event.decodedFields(of: record)
        return Record(
          type: Array(event.bytes[record.typeName]), fields: Self.fields(all),
          enriched: interpreter == nil ? Self.enriched(record, event) : [])
      })
  }

  /// Words that belong to no field are `text`; of `old auid=1 new auid=2`, as kernels wrote it
  /// before 3.13, the names are those of later ones. Several keys are several fields, and the
  /// arguments of a process title, between which NULs stand, have spaces between them.
  private static func fields(_ all: [(name: [UInt8], meaning: [UInt8])]) -> [Field] {
    var fields: [Field] = []
    fields.reserveCapacity(all.count)
    for (index, (name, value)) in all.enumerated() {
      if name.isEmpty {
        let next = index + 1 < all.count ? all[index + 1].name : []
        if isAge(value), isAged(next) { continue }
        fields.append(Field(name: Array("text".utf8), value: value))
      } else if name.elementsEqual("key".utf8), value.contains(1) {
        fields += value.split(separator: 1).map { Field(name: name, value: Array($0)) }
      } else if name.elementsEqual("proctitle".utf8) {
        fields.append(Field(name: name, value: spaced(value)))
      } else if index > 0, all[index - 1].name.isEmpty, isAged(name),
        all[index - 1].meaning.elementsEqual("old".utf8)
      {
        fields.append(Field(name: Array("old-".utf8) + name, value: value))
      } else {
        fields.append(Field(name: name, value: value))
      }
    }
    return fields
  }

  private static func isAge(_ word: [UInt8]) -> Bool {
    word.elementsEqual("old".utf8) || word.elementsEqual("new".utf8)
  }

  private static func isAged(_ name: [UInt8]) -> Bool {
    name.elementsEqual("auid".utf8) || name.elementsEqual("ses".utf8)
  }

  /// With a space for each NUL but those at the end.
  static func spaced(_ value: [UInt8]) -> [UInt8] {
    guard let last = value.lastIndex(where: { $0 != 0 }) else { return [] }
    return value[...last].map { $0 == 0 ? 0x20 : $0 }
  }

  private static func enriched(_ record: EventRecord, _ event: AuditEvent) -> [Field] {
    event.fields(of: record).filter { $0.section == .enrichment }.map { field in
      Field(name: Array(event.bytes[field.name]), value: Array(event.bytes[field.value]))
    }
  }
}

/// How a body is written.
enum BodyForm: String, CaseIterable, Sendable {
  /// The records as auditd writes them.
  case text
  case keyValue = "key_value"
  case json
  /// JSON behind `@cee: `, for rsyslog's mmjsonparse.
  case cee
  case cef
  case leef
}

/// How much of a value is kept, from everything to little: a body that is too long is written
/// again with less of each value, so that what is cut is values, not the body's form.
enum ValueLimits {
  static let steps = [Int.max, 2048, 512, 128, 32]

  /// The first body that has at most `limit` bytes; the shortest one, cut, when there is none.
  static func fit(_ limit: Int, _ write: (Int) -> [UInt8]) -> [UInt8] {
    var body: [UInt8] = []
    for step in steps {
      body = write(step)
      if body.count <= limit { return body }
    }
    MessageCut.cut(&body, to: limit)
    return body
  }
}
