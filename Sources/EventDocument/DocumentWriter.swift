public import AudispatchPlugin
public import ProcessContext

/// Writes events as JSON documents, each one object on one line, in valid UTF-8 whatever the event
/// holds.
///
/// Keeps what it needs from event to event, so that little is allocated: give it the events one by
/// one. In `ecs`, names of users may be looked up, which may block (`AccountLookup`).
public struct DocumentWriter: Sendable {
  public let form: DocumentForm
  private let options: DocumentOptions
  private let host: [UInt8]
  var coalescer: Coalescer
  private var out: DocumentBytes
  /// What takes its place for values.
  private var noted: DocumentBytes
  private var ecs: ECSForm
  private var auditbeat6: Auditbeat6Form
  private var laurel: LaurelForm
  /// Documents that were cut so far.
  public private(set) var cut = 0

  public init(_ form: DocumentForm, _ options: DocumentOptions = DocumentOptions()) {
    self.form = form
    self.options = options
    host = Array(options.host.utf8)
    // In Laurel's form it only serves outlines, which say all that there is.
    coalescer = Coalescer(isComplete: form == .ecs || form == .laurel)
    let undecodable: DocumentBytes.Undecodable =
      switch form {
      case .ecs: .escaped
      case .laurel: .percent
      case .auditbeat6, .libaudit: .replaced
      }
    out = DocumentBytes(undecodable)
    noted = DocumentBytes(undecodable, notesValues: true)
    ecs = ECSForm(options)
    auditbeat6 = Auditbeat6Form(options)
    laurel = LaurelForm(options)
  }

  /// The document of an event, without a newline; its bytes are valid until the next one.
  ///
  /// - Parameter context: what is known of its processes, for `ecs` and `laurel`.
  public mutating func document(
    _ event: AuditEvent, _ context: EventContext? = nil
  ) -> [UInt8] {
    write(event, context)
    return out.bytes
  }

  /// The same as values, for those who write it in another way than JSON; it is cut where the
  /// document is.
  public mutating func values(
    of event: AuditEvent, _ context: EventContext? = nil
  ) -> DocumentValues {
    swap(&out, &noted)
    defer { swap(&out, &noted) }
    write(event, context)
    return DocumentValues(bytes: out.bytes, items: out.notes.items)
  }

  /// Writes as much of it as its bound allows.
  private mutating func write(_ event: AuditEvent, _ context: EventContext?) {
    let isWhole = form == .laurel || coalescer.coalesce(event)
    let isHere = OwnNode.isOwn(event, host: host)
    ecs.people.cache.isAsked = isHere
    auditbeat6.people.cache.isAsked = isHere
    laurel.accounts.isAsked = isHere
    for extent in DocumentExtent.steps {
      out.begin()
      (out.valueLimit, out.itemLimit) = extent.limits
      // What is left at last has no room for other processes.
      write(event, extent.keepsDetails ? context : nil, isWhole, extent)
      if let repetition = event.repetition { out.append(repetition, form) }
      if out.size <= options.maximumSize || form == .libaudit { break }
      if extent == .whole { cut += 1 }
    }
  }

  private mutating func write(
    _ event: AuditEvent, _ context: EventContext?, _ isWhole: Bool, _ extent: DocumentExtent
  ) {
    switch form {
    case .ecs: ecs.write(event, coalescer.facts, context, extent, &out)
    case .auditbeat6: auditbeat6.write(event, coalescer.facts, isWhole, extent, &out)
    case .laurel: laurel.write(event, context, extent, &out)
    case .libaudit:
      if isWhole {
        LibauditForm.write(coalescer.facts, &out)
      } else {
        LibauditForm.writeRefused(event, coalescer.facts, &out)
      }
    }
  }

  /// Lets names of users and groups be looked up again.
  public mutating func forgetAccounts() {
    ecs.forgetAccounts()
    auditbeat6.people.cache.forget()
    laurel.accounts.forget()
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
