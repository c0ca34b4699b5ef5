/// A record in pieces, so that fields of it can be left out.
struct ShortRecord {
  /// Bytes of the shortest one, `{"type":"","fields":{}}`.
  static let shortest = 23
  /// What stands between the fields and what auditd added.
  private static let border: StaticString = "},\"enriched\":{"

  /// The type with its quotes, and the fields with names and values, as they are written.
  private let bytes: [UInt8]
  private let type: Range<Int>
  /// Places in `bytes`; those that auditd added last.
  private let fields: [Range<Int>]
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
  init(
    _ content: EventContent, _ record: EventContent.Record, valuesTo limit: Int,
    fields most: Int = .max
  ) {
    var writer = RecordsWriter()
    writer.out.valueLimit = limit
    writer.out.string(content.text[record.type])
    let type = 0..<writer.out.size
    let all = record.all.prefix(most)
    let own = min(record.own.count, all.count)
    var places: [Range<Int>] = []
    for place in all {
      if place == record.enriched.lowerBound { writer.names.removeAll() }
      // A comma is in front.
      let start = writer.out.size + 1
      writer.write(content.fields[place], content.text)
      places.append(start..<writer.out.size)
    }
    isTelling = all.map { Self.telling.contains(Array(content.text[content.fields[$0].name])) }
    further = record.all.count - all.count
    let whole =
      Self.shortest + type.count - 2 + places.reduce(0) { $0 + $1.count + 1 }
      + Self.border(own < places.count)
    size = further > 0 ? 1 << 30 : whole - (places.isEmpty ? 0 : 1)
    bytes = writer.out.bytes
    fields = places
    self.type = type
    self.own = own
  }

  private static func border(_ isThere: Bool) -> Int { isThere ? border.utf8CodeUnitCount : 0 }

  /// Who did what with what, and how it ended.
  private static let telling = Set(
    [
      "auid", "uid", "exe", "comm", "syscall", "success", "key", "pid", "ses", "op", "acct", "res",
      "AUID", "UID", "SYSCALL",
    ].map { Array($0.utf8) })

  private var mark: Int { ",\"cut_fields\":\(fields.count + further)".utf8.count }

  /// Bytes of it when all fields but the first are left out.
  var least: Int {
    min(
      size,
      Self.shortest + type.count - 2 + mark + (fields.first?.count ?? 0)
        + Self.border(own < fields.count))
  }

  /// Writes it, with as many fields as there is room for. What is left out is at the end, or, when
  /// the telling fields are kept, whatever else there is no room for beside them.
  ///
  /// - Parameter room: not less than `least`.
  func write(_ room: Int, keepsTelling: Bool, to out: inout DocumentBytes) {
    var kept = Array(fields.indices)
    if size > room {
      let room = room - Self.shortest - type.count + 2 - mark - Self.border(own < fields.count)
      kept = keepsTelling ? tellingFirst(room) : Array(kept.prefix(fitting(room)))
    }
    out.beginObject()
    out.key("type")
    append(type, to: &out)
    let cut = fields.count + further - kept.count
    if cut > 0 {
      out.key("cut_fields")
      out.integer(cut)
    }
    out.object("fields")
    append(kept.filter { $0 < own }, to: &out)
    let added = kept.filter { $0 >= own }
    if !added.isEmpty {
      out.raw(Self.border)
      append(added, to: &out)
    }
    out.endObject()
    out.endObject()
  }

  private func append(_ kept: [Int], to out: inout DocumentBytes) {
    for place in kept {
      if out.needsComma { out.byte(UInt8(ascii: ",")) }
      append(fields[place], to: &out)
    }
  }

  private func append(_ place: Range<Int>, to out: inout DocumentBytes) {
    unsafe bytes.withUnsafeBufferPointer {
      unsafe out.append(UnsafeBufferPointer(rebasing: $0[place]))
    }
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
