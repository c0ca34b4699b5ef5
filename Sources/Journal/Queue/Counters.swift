/// Why a record did not reach a plugin. No record goes without one of these.
public enum DropReason: Int, CaseIterable, Sendable {
  /// The plugin was behind its bound.
  case queueFull
  /// Its queue was suspended, by its own overflow action.
  case suspended
  /// The dispatcher stopped and the plugin had not read it in time.
  case stopDeadline
  /// The plugin was taken out of the configuration and had not read it in time.
  case removed
  /// Its bound on disk was reached.
  case spoolFull
  /// It could not be read back from disk.
  case spoolCorrupt
  /// It was only in the memory of a dispatcher that died.
  case dispatcherDied

  /// The name in status and gap records.
  public var name: String {
    switch self {
    case .queueFull: "queue_full"
    case .suspended: "suspended"
    case .stopDeadline: "stop_deadline"
    case .removed: "removed"
    case .spoolFull: "spool_full"
    case .spoolCorrupt: "spool_corrupt"
    case .dispatcherDied: "dispatcher_died"
    }
  }
}

/// What became of the records put to one plugin; all in records unless named otherwise.
///
/// `received` = `delivered` + `queued` + the sum of `dropped`, at any time.
public struct Counters: Equatable, Sendable {
  public internal(set) var received: UInt64 = 0
  public internal(set) var delivered: UInt64 = 0
  /// Sent once more, to a successor.
  public internal(set) var redelivered: UInt64 = 0
  public internal(set) var queued: UInt64 = 0
  /// Bytes of the texts queued.
  public internal(set) var queuedBytes = 0
  public internal(set) var queuedMax: UInt64 = 0
  /// Bytes of the texts delivered.
  public internal(set) var bytes: UInt64 = 0
  /// Whole events among the dropped.
  public internal(set) var droppedEvents: UInt64 = 0
  /// At the reason's raw value; a vector, so that a copy is free.
  private var droppedByReason = SIMD8<UInt64>()

  public init() {}

  /// Counters that go on where a predecessor's ended; drops in the order of `DropReason.allCases`.
  public init(
    received: UInt64, delivered: UInt64, redelivered: UInt64, queued: UInt64, queuedBytes: Int,
    queuedMax: UInt64, bytes: UInt64, droppedEvents: UInt64, dropped: [UInt64]
  ) {
    self.received = received
    self.delivered = delivered
    self.redelivered = redelivered
    self.queued = queued
    self.queuedBytes = queuedBytes
    self.queuedMax = queuedMax
    self.bytes = bytes
    self.droppedEvents = droppedEvents
    for reason in DropReason.allCases where reason.rawValue < dropped.count {
      droppedByReason[reason.rawValue] = dropped[reason.rawValue]
    }
  }

  public internal(set) subscript(reason: DropReason) -> UInt64 {
    get { droppedByReason[reason.rawValue] }
    set { droppedByReason[reason.rawValue] = newValue }
  }

  public var dropped: UInt64 { droppedByReason.wrappedSum() }

  /// Whether every record received has exactly one fate.
  public var isBalanced: Bool { received == delivered + queued + dropped }
}
