import AudispatchPlugin
import AuditRecord
import EventDocument

/// An event as CEF and LEEF name it, beside what they say of it.
struct EventSubject {
  var milliseconds: UInt64
  var serial: UInt64
  var node: [UInt8]?
  /// The type of the first record.
  var type: [UInt8]
  /// The types of all records, joined by commas.
  var types: [UInt8]
  var keys: [[UInt8]]
  var overview: EventOverview
  /// A sentence for people.
  var summary: [UInt8]

  init(
    _ event: AuditEvent, _ records: [EventRecord], _ keys: [[UInt8]], _ overview: EventOverview,
    summary: String
  ) {
    milliseconds = event.stamp.milliseconds
    serial = event.stamp.serial
    node = event.node.map { Array(event.bytes[$0]) }
    type = event.records.first.map { Array(event.bytes[$0.typeName]) } ?? []
    types = Array(
      records.map { event.bytes[$0.typeName] }.joined(separator: [UInt8(ascii: ",")]))
    self.keys = keys
    self.overview = overview
    self.summary = Array(summary.utf8)
  }

  var outcome: [UInt8]? {
    switch overview.outcome {
    case .success: Array("success".utf8)
    case .failure: Array("failure".utf8)
    case .unknown: nil
    }
  }

  /// 0 to 10, as CEF and LEEF count.
  var severity: Int {
    let grave = ["ANOM_", "AVC", "USER_AVC", "SECCOMP", "INTEGRITY_", "RESP_"]
    if grave.contains(where: { type.starts(with: $0.utf8) }) { return 7 }
    return overview.outcome == .failure ? 5 : 3
  }
}
