import AudispatchPlugin
import AuditRecord
import EventDocument
import Linux
import ProcessContext
import Shipping

/// Makes log records of events.
struct RecordMaker {
  private var documents: DocumentMaker
  private let body: OtlpOptions.Body

  /// - Parameter predecessor: that of other settings, whose counts go on.
  init(_ options: OtlpOptions, after predecessor: RecordMaker?) {
    documents = DocumentMaker(options.form, options.document, after: predecessor?.documents)
    body = options.body
  }

  var cut: Int { documents.cut }

  /// What the event is called for ever, as JSON has it, without quotes.
  func identity(of event: AuditEvent) -> [UInt8] { documents.options.identity(of: event) }

  func node(of event: AuditEvent) -> String {
    String(decoding: documents.options.node(of: event), as: UTF8.self)
  }

  /// - Parameters:
  ///   - context: what is known of its processes.
  ///   - observed: when it was taken, in milliseconds since 1970.
  mutating func record(
    _ event: AuditEvent, _ context: EventContext?, observed: Int64, at now: Duration
  ) -> LogRecord {
    let content: LogRecord.Body =
      body == .document
      ? .document(documents.values(of: event, context, at: now))
      : .text(documents.document(event, context, at: now))
    let id = documents.options.identityText(of: event)
    let outline = documents.outline(of: event)
    var attributes: [(name: String, value: LogRecord.Value)] = [
      ("event.id", .text(String(decoding: id, as: UTF8.self))),
      ("auditd.sequence", .number(Int(clamping: event.stamp.serial))),
    ]
    if !outline.action.isEmpty {
      attributes.append(
        ("event.action", .text(String(decoding: outline.action, as: UTF8.self))))
    }
    switch outline.outcome {
    case .success: attributes.append(("event.outcome", .text("success")))
    case .failure: attributes.append(("event.outcome", .text("failure")))
    case .unknown: break
    }
    if !outline.keys.isEmpty {
      attributes.append(
        ("auditd.keys", .list(outline.keys.map { String(decoding: $0, as: UTF8.self) })))
    }
    let isBad = outline.outcome == .failure || event.records.contains { Self.isAnomaly($0.type) }
    return LogRecord(
      time: Self.nanoseconds(event.stamp.milliseconds),
      observed: Self.nanoseconds(UInt64(clamping: observed)),
      severity: isBad ? .warning : .info,
      body: content, attributes: attributes)
  }

  /// Anomalies that the kernel or a program reports (linux/audit.h, libaudit.h).
  private static func isAnomaly(_ type: RecordType) -> Bool {
    (1700...1799).contains(type.rawValue) || (2100...2199).contains(type.rawValue)
  }

  /// Times beyond the year 2554 are the last one that there is.
  private static func nanoseconds(_ milliseconds: UInt64) -> UInt64 {
    let (value, isTooLarge) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    return isTooLarge ? .max : value
  }
}
