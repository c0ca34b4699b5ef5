public import AudispatchPlugin
import AuditRecord

/// Reads what the records of events hold. Keeps what it needs from event to event: give it the
/// events one by one.
public struct ContentReader: Sendable {
  /// That of the last event.
  public private(set) var content = EventContent()
  private var traits = FieldTraits()
  /// Words that belong to no field, until the next field shows what they are.
  private var words: Text?

  public init() {}

  /// Reads some records of an event.
  ///
  /// - Parameters:
  ///   - keys: those of the event's rules.
  ///   - interpreter: gives the meanings of values; without it they are decoded only, and what
  ///     auditd added is beside them.
  public mutating func read(
    _ event: AuditEvent, _ records: some Sequence<EventRecord>, keys: [[UInt8]],
    _ interpreter: Interpreter? = nil
  ) {
    content.begin(event.bytes, event.stamp, isContinuation: event.isContinuation)
    content.nodePlace = event.node.map { Text($0) }
    for key in keys { content.keyPlaces.append(content.text.add(key)) }
    for record in records {
      content.beginRecord(Text(record.typeName))
      if let interpreter {
        for (name, meaning) in interpreter.fields(of: record, in: event.bytes, words: true) {
          take(content.text.add(name), content.text.add(meaning))
        }
      } else {
        read(record, event)
      }
      flushWords()
    }
  }

  private mutating func read(_ record: EventRecord, _ event: AuditEvent) {
    var walk = RecordWalk(record, in: content.text.bytes, words: true)
    while let step = walk.next(content.text.bytes.span) {
      switch step {
      case .decision(let vector):
        take(content.text.add("seresult"), Text(vector.result))
        take(content.text.add("seperms"), content.text.add(event.permissions(of: vector)))
      case .field(let field) where field.section == .enrichment:
        flushWords()
        content.addEnriched(Text(field.name), Text(field.value))
      case .field(let field): take(Text(field.name), decoded(field, record.type))
      }
    }
  }

  /// The value with its encoding undone, as `AuditEvent.decoded` has it.
  private mutating func decoded(_ field: Field, _ type: RecordType) -> Text {
    let value = Text(field.value)
    guard field.quoting == .none, !field.name.isEmpty, mayBeEncoded(field, type) else {
      return value
    }
    return content.text.decodedHex(value) ?? value
  }

  private mutating func mayBeEncoded(_ field: Field, _ type: RecordType) -> Bool {
    let traits = traits.of(field, type.rawValue, content.text)
    return traits.hasPlainName
      ? traits.mayBeEncoded : EncodedFields.contains(content.text.bytes[field.name], type: type)
  }

  /// Words that belong to no field are `text`; of `old auid=1 new auid=2`, as kernels wrote it
  /// before 3.13, the names are those of later ones. Several keys are several fields, and the
  /// arguments of a process title, between which NULs stand, have spaces between them.
  private mutating func take(_ name: Text, _ value: Text) {
    var name = name
    if let age = words, !name.isEmpty, isAge(age), isAged(name) {
      words = nil
      if content.text.has(age, "old") {
        let start = content.text.add("old-").range.lowerBound
        name = Text(start..<content.text.copy(name.range).range.upperBound)
      }
      return content.add(name, value)
    }
    flushWords()
    if name.isEmpty {
      words = value
    } else if content.text.has(name, "key") {
      addKeys(name, value)
    } else if content.text.has(name, "proctitle") {
      content.add(name, spaced(value))
    } else {
      content.add(name, value)
    }
  }

  private mutating func flushWords() {
    guard let words = words.take() else { return }
    content.add(content.text.add("text"), words)
  }

  private func isAge(_ word: Text) -> Bool {
    content.text.has(word, "old") || content.text.has(word, "new")
  }

  private func isAged(_ name: Text) -> Bool {
    content.text.has(name, "auid") || content.text.has(name, "ses")
  }

  /// One field for each of the keys between which 0x01 stands.
  private mutating func addKeys(_ name: Text, _ value: Text) {
    guard content.text[value].contains(1) else { return content.add(name, value) }
    var start = value.range.lowerBound
    for at in value.range where content.text.bytes[at] == 1 {
      if at > start { content.add(name, Text(start..<at)) }
      start = at + 1
    }
    if start < value.range.upperBound { content.add(name, Text(start..<value.range.upperBound)) }
  }

  /// With a space for each NUL but those at the end.
  private mutating func spaced(_ value: Text) -> Text {
    var title = value
    while !title.isEmpty, content.text.bytes[Int(title.end) - 1] == 0 { title.end -= 1 }
    guard content.text[title].contains(0) else { return title }
    title = content.text.copy(title.range)
    for at in title.range where content.text.bytes[at] == 0 { content.text.replace(at, 0x20) }
    return title
  }
}
