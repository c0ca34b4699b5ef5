public import AuditRecord

/// All records with one node, time and serial, in the order in which they came.
///
/// The lines are held together in `bytes`; everything else is a place in there, so that walking
/// an event copies nothing.
public struct AuditEvent: Sendable {
  /// Why an event was given out when it was.
  public enum Ending: Equatable, Sendable {
    /// Its EOE came.
    case end
    /// Its PROCTITLE came, from a node that sends no EOE (a log, `audisp-remote`).
    case proctitle
    /// A record of this type is an event of its own.
    case single
    /// Nothing came for it for as long as the assembler waits.
    case time
    /// Too much was open; the oldest event, or one of more than its share, had to go.
    case bound
    case endOfInput
    /// It came behind the end of its event, and nothing else is to be expected.
    case late
  }

  /// The lines of the records, one behind another, without newlines.
  public internal(set) var bytes: [UInt8]
  public internal(set) var records: [EventRecord]
  public let stamp: RecordStamp
  public internal(set) var ending: Ending
  /// Whether another part of this event was given out before.
  public let isContinuation: Bool
  /// Set where it stands for several that are alike; see `EventAggregator`.
  public internal(set) var repetition: Repetition?
  /// What a plugin found out about it, for itself (`AuditPlugin.look`).
  public var companion: (any AnyObject & Sendable)?
  /// What the event is called when it is done.
  public internal(set) var token = DeliveryToken()

  /// Where the node's name stands in `bytes`, if the lines name one.
  public var node: Range<Int>? { records.first?.node }

  /// Whether it is known to be all of its event: nothing of it was given out before, its end was
  /// seen, and it has the call, which no part but the first can have. What is given out before its
  /// end may come again with more, and a rest without the call may have had its beginning in
  /// another process; of records without a call that is never known.
  public var isWhole: Bool {
    guard !isContinuation else { return false }
    switch ending {
    case .single: return true
    case .end, .proctitle:
      return records.contains { $0.type == .syscall || $0.type == .uringOperation }
    case .time, .bound, .endOfInput, .late: return false
    }
  }

  /// The first record of a type.
  public func record(_ type: RecordType) -> EventRecord? { records.first { $0.type == type } }
}
