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
  ///     auditd added behind 0x1d follows as fields of their own.
  init(
    _ event: AuditEvent, _ records: [EventRecord], _ keys: [[UInt8]], _ interpreter: Interpreter?
  ) {
    self.init(
      milliseconds: event.stamp.milliseconds, serial: event.stamp.serial,
      node: event.node.map { Array(event.bytes[$0]) }, keys: keys,
      isContinuation: event.isContinuation,
      records: records.map { record in
        Record(
          type: Array(event.bytes[record.typeName]),
          fields: Self.fields(record, event, interpreter))
      })
  }

  private static func fields(
    _ record: EventRecord, _ event: AuditEvent, _ interpreter: Interpreter?
  ) -> [Field] {
    if let interpreter {
      let meanings = interpreter.meanings(in: record, event)
      if !meanings.isEmpty {
        return meanings.compactMap { name, meaning in
          // Part of the frame to libauparse, which the message has elsewhere.
          name == "type" || name == "node"
            ? nil : Field(name: Array(name.utf8), value: Array(meaning.utf8))
        }
      }
    }
    let found = event.fields(of: record)
    var fields = found.map { field in
      Field(name: Array(event.bytes[field.name]), value: event.decoded(field, of: record))
    }
    if let vector = event.accessVector(of: record) {
      let place = found.firstIndex { $0.name.lowerBound > vector.result.lowerBound }
      fields.insert(
        contentsOf: [
          Field(name: Array("seresult".utf8), value: Array(event.bytes[vector.result])),
          Field(name: Array("seperms".utf8), value: event.permissions(of: vector)),
        ], at: place ?? fields.count)
    }
    return fields
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
