/// Walks a record from left to right as libauparse has it: what SELinux decided, which stands in
/// words, takes the place of those.
///
/// Allocates nothing. The fields that auditd added come last, with their section.
public struct RecordWalk: Sendable {
  public enum Step: Equatable, Sendable {
    case field(Field)
    case decision(AccessVector)
  }

  private var scanner: FieldScanner
  private var vector: AccessVector?
  /// The field behind a decision.
  private var held: Field?

  /// - Parameter words: whether words that belong to no field are given, without a name.
  public init(_ record: EventRecord, in bytes: [UInt8], words: Bool) {
    scanner = FieldScanner(body: record.body, end: record.line.upperBound, words: words)
    vector = AccessVector(record, bytes)
  }

  public mutating func next(_ bytes: Span<UInt8>) -> Step? {
    if let field = held.take() { return .field(field) }
    guard let field = scanner.next(bytes) else { return vector.take().map { .decision($0) } }
    guard let decided = vector,
      field.section == .enrichment || decided.result.lowerBound < field.value.upperBound
    else { return .field(field) }
    vector = nil
    // Words in its place are those that say so.
    if !field.name.isEmpty { held = field }
    return .decision(decided)
  }
}
