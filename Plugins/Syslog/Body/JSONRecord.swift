/// A record of a JSON body in pieces, so that fields of it can be left out.
struct JSONRecord {
  /// Bytes of the shortest one, `{"type":"","fields":{}}`.
  static let shortest = 23
  /// What stands between the fields and what auditd added.
  static let enriched = "},\"enriched\":{"

  /// As they are written, with quotes, names and values; those that auditd added last.
  private let type: [UInt8]
  private let fields: [[UInt8]]
  /// How many of `fields` auditd did not add.
  private let own: Int
  /// For each of `fields`, whether it tells most of what happened.
  private let isTelling: [Bool]
  /// Fields that it has beyond `fields`.
  private let further: Int
  /// Bytes of all of it; more than any limit when it has further fields.
  let size: Int

  /// - Parameters:
  ///   - limit: bytes of a value.
  ///   - most: fields that are looked at, which are all that can be written.
  init(_ record: EventContent.Record, valuesTo limit: Int, fields most: Int = .max) {
    var type: [UInt8] = []
    JSONBody.add(record.type, limit, to: &type)
    var names = FieldNames()
    var added = FieldNames()
    let all = (record.fields + record.enriched).prefix(most)
    let own = min(record.fields.count, all.count)
    fields = all.enumerated().map { index, field in
      var text: [UInt8] = []
      if index < own {
        JSONBody.add(field, limit, &names, to: &text)
      } else {
        JSONBody.add(field, limit, &added, to: &text)
      }
      return text
    }
    self.own = own
    isTelling = all.map { field in Self.telling.contains(field.name) }
    further = record.fields.count + record.enriched.count - fields.count
    let whole =
      Self.shortest + type.count - 2 + fields.reduce(0) { $0 + $1.count + 1 }
      + Self.border(own < fields.count)
    size = further > 0 ? 1 << 30 : whole - (fields.isEmpty ? 0 : 1)
    self.type = type
  }

  private static func border(_ isThere: Bool) -> Int { isThere ? enriched.utf8.count : 0 }

  /// Who did what with what, and how it ended.
  private static let telling = Set(
    [
      "auid", "uid", "exe", "comm", "syscall", "success", "key", "pid", "ses", "op", "acct", "res",
      "AUID", "UID", "SYSCALL",
    ].map { Array($0.utf8) })

  private var mark: String { ",\"cut_fields\":\(fields.count + further)" }

  /// Bytes of it when all fields but the first are left out.
  var least: Int {
    min(
      size,
      Self.shortest + type.count - 2 + mark.utf8.count + (fields.first?.count ?? 0)
        + Self.border(own < fields.count))
  }

  /// Appends it, with as many fields as there is room for. What is left out is at the end, or, when
  /// the telling fields are kept, whatever else there is no room for beside them.
  ///
  /// - Parameter room: not less than `least`.
  func write(_ room: Int, keepsTelling: Bool, to text: inout [UInt8]) {
    var kept = Array(fields.indices)
    if size > room {
      let room =
        room - Self.shortest - type.count + 2 - mark.utf8.count - Self.border(own < fields.count)
      kept = keepsTelling ? tellingFirst(room) : Array(kept.prefix(fitting(room)))
    }
    text += "{\"type\":".utf8
    text += type
    let cut = fields.count + further - kept.count
    if cut > 0 { text += ",\"cut_fields\":\(cut)".utf8 }
    text += ",\"fields\":{".utf8
    append(kept.filter { $0 < own }, to: &text)
    let added = kept.filter { $0 >= own }
    if !added.isEmpty {
      text += Self.enriched.utf8
      append(added, to: &text)
    }
    text += "}}".utf8
  }

  private func append(_ kept: [Int], to text: inout [UInt8]) {
    text += kept.map { fields[$0] }.joined(separator: [UInt8(ascii: ",")])
  }

  /// How many of the first fields fit.
  private func fitting(_ room: Int) -> Int {
    var left = room + 1
    return fields.prefix { field in
      left -= field.count + 1
      return left >= 0
    }.count
  }

  /// The telling fields that fit, and what fits beside them, in their order.
  private func tellingFirst(_ room: Int) -> [Int] {
    var left = room + 1
    var isKept = [Bool](repeating: false, count: fields.count)
    for wanted in [true, false] {
      for (index, field) in fields.enumerated()
      where isTelling[index] == wanted && field.count < left {
        isKept[index] = true
        left -= field.count + 1
      }
    }
    return fields.indices.filter { isKept[$0] }
  }
}
