import AuditRecord

/// libauparse's meanings of a record, held beside the fields as they stand there.
///
/// libauparse 3.0.9 ends a value at its first space also in quotes, keeps the quotes of some
/// fields, ends what it decodes at a NUL, and leaves out fields without a value, words without a
/// field, and what a USER_AVC decided. So the fields are ours, and of libauparse are the meanings.
struct Meanings {
  typealias Named = (name: [UInt8], meaning: [UInt8])

  /// A field as libauparse has it.
  struct Found {
    var name: [UInt8]
    /// The value as it read it, with quotes.
    var raw: [UInt8]
    var meaning: [UInt8]
  }

  private let record: EventRecord
  private let bytes: [UInt8]
  private let found: [Found]
  // Those before it belong to fields that were passed.
  private var next = 0
  private var all: [Named] = []

  /// How many fields libauparse may have beyond ours in a row.
  private static let reach = 16

  /// - Parameter found: empty where libauparse refuses the line.
  static func merged(
    _ found: [Found], _ record: EventRecord, _ bytes: [UInt8], words: Bool
  ) -> [Named] {
    var meanings = Meanings(record, bytes, found)
    var walk = RecordWalk(record, in: bytes, words: words)
    walking: while let step = walk.next(bytes.span) {
      switch step {
      case .decision(let vector): meanings.decide(vector)
      case .field(let field):
        if field.section == .enrichment { break walking }
        meanings.take(field)
      }
    }
    return meanings.all
  }

  private init(_ record: EventRecord, _ bytes: [UInt8], _ found: [Found]) {
    self.record = record
    self.bytes = bytes
    self.found = found
  }

  private mutating func take(_ field: Field) {
    all.append((Array(bytes[field.name]), meaning(of: field)))
  }

  private mutating func meaning(of field: Field) -> [UInt8] {
    let own = field.decoded(in: bytes, record.type)
    // What is in double quotes means what it says.
    guard !field.name.isEmpty, let meant = meant(by: field), field.quoting != .double else {
      return own
    }
    // What is typed at a terminal has keys without characters, which libauparse names.
    let isText = EncodedFields.contains(bytes[field.name], type: record.type)
    if isText, !bytes[field.name].elementsEqual("data".utf8) { return own }
    guard meant.raw.count == field.text.count || field.value.count == meant.raw.count,
      !AddedMeanings.isUnknown(meant.meaning)
    else {
      return bytes[field.name].elementsEqual("syscall".utf8)
        ? SystemCallName.name(of: field, record, bytes).map { Array($0.utf8) } ?? own : own
    }
    return meant.meaning
  }

  /// libauparse's view of one of our fields.
  private mutating func meant(by field: Field) -> Found? {
    let place = found[next...].prefix(Self.reach).firstIndex { found in
      bytes[field.name].elementsEqual(found.name) && bytes[field.text].starts(with: found.raw)
    }
    guard let place else { return nil }
    next = place + 1
    return found[place]
  }

  private mutating func decide(_ vector: AccessVector) {
    all.append((Array("seresult".utf8), Array(bytes[vector.result])))
    all.append((Array("seperms".utf8), vector.list(in: bytes)))
  }
}

extension Field {
  /// The value with its quotes or braces.
  fileprivate var text: Range<Int> {
    quoting == .none ? value : value.lowerBound - 1..<value.upperBound + 1
  }
}
