public import AudispatchPlugin

/// In which way an event is written as a JSON document.
public enum DocumentForm: String, CaseIterable, Sendable {
  /// What go-libaudit's coalescing gives, faults and warnings included; for comparison.
  case libaudit = "go-libaudit"
}

/// Writes events as JSON documents, each one object on one line, in valid UTF-8 whatever the event
/// holds.
public struct DocumentWriter: Sendable {
  public let form: DocumentForm
  private var coalescer: Coalescer
  private var out: DocumentBytes

  public init(_ form: DocumentForm) {
    self.form = form
    coalescer = Coalescer(isComplete: false)
    out = DocumentBytes(.replaced)
  }

  /// The document of an event, without a newline.
  public mutating func document(_ event: AuditEvent) -> [UInt8] {
    out.begin()
    let isWhole = coalescer.coalesce(event)
    if isWhole {
      LibauditForm.write(coalescer.facts, &out)
    } else {
      LibauditForm.writeRefused(event, coalescer.facts, &out)
    }
    return out.bytes
  }
}

/// Writes records as go-libaudit parses them, for comparison.
public struct RecordDocumentWriter: Sendable {
  private var form = LibauditRecordForm()

  public init() {}

  /// The document of a record whose place is in `lines`, without a newline.
  public mutating func document(_ record: EventRecord, in lines: [UInt8]) -> [UInt8] {
    form.document(record, in: lines)
  }
}
