import AuditRecord

/// libauparse's meanings of a record, held beside the fields as they stand there.
///
/// libauparse 3.0.9 ends a value at its first space also in quotes, keeps the quotes of some
/// fields, and leaves out fields without a value, and what a USER_AVC decided.
struct Meanings {
  typealias Named = (name: String, meaning: String)

  /// A field as libauparse has it.
  struct Found {
    var name: String
    /// The value as it read it, with quotes.
    var raw: [UInt8]
    var meaning: String
  }

  private let record: EventRecord
  private let bytes: [UInt8]
  private let fields: [Field]
  private var vector: AccessVector?
  // Fields before it have been passed.
  private var next = 0
  private var all: [Named] = []

  /// How many fields libauparse may have left out in a row.
  private static let reach = 16

  /// - Parameter found: not empty.
  static func merged(
    _ found: [Found], _ record: EventRecord, _ bytes: [UInt8]
  ) -> [Named] {
    var meanings = Meanings(record, bytes, isDecided: found.contains { $0.name == "seresult" })
    for one in found { meanings.take(one) }
    meanings.pass(upTo: meanings.fields.count)
    return meanings.all
  }

  private init(_ record: EventRecord, _ bytes: [UInt8], isDecided: Bool) {
    self.record = record
    self.bytes = bytes
    var scanner = FieldScanner(body: record.body, end: record.line.upperBound)
    var fields: [Field] = []
    while let field = scanner.next(bytes.span), field.section != .enrichment {
      fields.append(field)
    }
    self.fields = fields
    vector = isDecided ? nil : AccessVector(record, bytes)
  }

  private mutating func take(_ found: Found) {
    let name = Array(found.name.utf8)
    let place = fields[next...].prefix(Self.reach).firstIndex { field in
      bytes[field.name].elementsEqual(name) && bytes[field.text].starts(with: found.raw)
    }
    guard let place else { return all.append((found.name, found.meaning)) }
    pass(upTo: place)
    decide(before: fields[place].name.lowerBound)
    let field = fields[place]
    // What is in double quotes means what it says.
    let isWhole = field.quoting != .double && found.raw.count == field.text.count
    all.append((found.name, isWhole ? found.meaning : value(of: field)))
    next = place + 1
  }

  /// Passes fields that libauparse does not have; those without a value are given.
  private mutating func pass(upTo place: Int) {
    for field in fields[next..<place] where field.value.isEmpty {
      decide(before: field.name.lowerBound)
      all.append((String(decoding: bytes[field.name], as: UTF8.self), ""))
    }
    next = place
    if place == fields.count { decide(before: record.line.upperBound) }
  }

  /// Gives what SELinux decided where that stands in front of a place.
  private mutating func decide(before place: Int) {
    guard let decided = vector, decided.result.lowerBound < place else { return }
    let result = String(decoding: bytes[decided.result], as: UTF8.self)
    all.append(("seresult", result))
    let permissions = String(decoding: decided.list(in: bytes), as: UTF8.self)
    all.append(("seperms", permissions))
    vector = nil
  }

  private func value(of field: Field) -> String {
    String(decoding: field.decoded(in: bytes, record.type), as: UTF8.self)
  }
}

extension Field {
  /// The value with its quotes or braces.
  fileprivate var text: Range<Int> {
    quoting == .none ? value : value.lowerBound - 1..<value.upperBound + 1
  }
}
