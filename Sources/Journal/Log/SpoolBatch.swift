import Linux

/// What came with one commit.
struct SpoolBatch: Sendable {
  /// Records as they lie on disk, made with the log's salt.
  var bytes: [UInt8] = []
  /// The number of the first audit record in it, and those behind its last.
  var first = LogRecordNumber(0)
  var nextSequence = LogRecordNumber(0)
  var nextEvent = LogEventNumber(0)
  /// The cursors and holes among the records, in order.
  var notes: [(kind: SpoolRecord.Kind, note: SpoolNote)] = []

  /// What is written in front of it into the file beside the log.
  var beside = SideChanges()

  var isEmpty: Bool { bytes.isEmpty && beside.isEmpty }
  var byteCount: Int { bytes.count + beside.bytes.count }
}

/// Where reading goes on, to spare the way from the file's beginning.
struct SpoolPlace: Equatable, Sendable {
  var file: SpoolFile
  var offset: Int
  var next: LogRecordNumber
}

/// What was read back.
struct SpoolLoaded: Sendable {
  var bytes: [UInt8] = []
  var records: [SpoolRecord] = []
  /// Everything below this number was looked at.
  var through: LogRecordNumber
  var place: SpoolPlace?
}
