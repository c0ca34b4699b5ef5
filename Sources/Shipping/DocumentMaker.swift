public import AudispatchPlugin
public import EventDocument
import Linux
public import ProcessContext

/// Makes the documents that are sent; names of users and groups are believed for a minute.
public struct DocumentMaker: Sendable {
  private static let namesLast = Duration.seconds(60)

  public let options: DocumentOptions
  private var writer: DocumentWriter
  private var namesSince: Duration
  private let cutBefore: Int

  /// - Parameter predecessor: that of other settings, whose count goes on.
  public init(
    _ form: DocumentForm, _ settings: DocumentSettings, after predecessor: DocumentMaker?
  ) {
    options = settings.options
    writer = DocumentWriter(form, options)
    namesSince = MonotonicTime.now
    cutBefore = predecessor?.cut ?? 0
  }

  /// Documents that were cut so far.
  public var cut: Int { cutBefore + writer.cut }

  /// The document of an event; its bytes are valid until the next one.
  ///
  /// - Parameter context: what is known of its processes.
  public mutating func document(
    _ event: AuditEvent, _ context: EventContext?, at now: Duration
  ) -> [UInt8] {
    forgetNames(at: now)
    return writer.document(event, context)
  }

  /// The same as values, for those who write it in another way than JSON.
  public mutating func values(
    of event: AuditEvent, _ context: EventContext?, at now: Duration
  ) -> DocumentValues {
    forgetNames(at: now)
    return writer.values(of: event, context)
  }

  private mutating func forgetNames(at now: Duration) {
    guard now - namesSince >= Self.namesLast else { return }
    writer.forgetAccounts()
    namesSince = now
  }

  /// What the event says whose document was made last, without names of users.
  public mutating func outline(of event: AuditEvent) -> EventOutline {
    writer.outline(of: event)
  }
}
