/// What the log has of the journal's records: known once, for all queues.
///
/// Contract:
/// - A record that came before the log was begun, or that lies in `lacks`, is not in it. The last of
///   `lacks` is open at its end while the log takes nothing.
/// - Every other record that was put into the log is in it, if perhaps not yet for good: below
///   `syncedBelow` it is.
public final class LogKnowledge {
  public enum State: Equatable, Sendable {
    /// It is not known yet what it has.
    case opening
    case takesRecords
    case takesNothing
    /// It never will.
    case unusable
  }

  public private(set) var state: State
  public private(set) var lacks: [Range<RecordNumber>] = []
  /// The end of what is synced, of the records put into it since it was opened.
  public private(set) var syncedBelow = RecordNumber(0)

  public init() { state = .opening }

  /// No log can be used.
  public static var none: LogKnowledge {
    let knowledge = LogKnowledge()
    knowledge.becameUnusable(from: RecordNumber(0))
    return knowledge
  }

  // MARK: What happens to the log

  /// It takes records from that one on.
  public func wentOn(from first: RecordNumber) {
    state = .takesRecords
    syncedBelow = first
    guard let last = lacks.last, last.upperBound == .max else { return }
    lacks.removeLast()
    if last.lowerBound < first { lacks.append(last.lowerBound..<first) }
  }

  /// It has got nothing from that record on, and takes nothing.
  public func stopped(from first: RecordNumber) {
    state = .takesNothing
    guard lacks.last?.upperBound != .max else { return }
    lacks.append(first..<RecordNumber.max)
  }

  /// It has got nothing from that record on, the first that came, and never takes any.
  public func becameUnusable(from first: RecordNumber) {
    lacks = []
    stopped(from: first)
    state = .unusable
  }

  /// What came while it took nothing counts as synced, and an answer may be older.
  public func synced(below number: RecordNumber) { syncedBelow = max(syncedBelow, number) }

  /// Forgets what it lacks below the first record that any queue still wants.
  public func forgetLacks(below number: RecordNumber) {
    lacks.removeAll { $0.upperBound <= number && $0.upperBound != .max }
  }

  // MARK: Asking

  /// What a plugin that waits for that may be given. While the log takes nothing, that is all: there is
  /// nothing to wait for.
  public var safeBelow: RecordNumber { state == .takesRecords ? syncedBelow : .max }

  func hasAll(_ records: Range<RecordNumber>) -> Bool {
    !lacks.contains { $0.overlaps(records) }
  }

  /// Records in pieces that it has or has not got, in order.
  func pieces(of records: Range<RecordNumber>) -> [(records: Range<RecordNumber>, isLogged: Bool)] {
    var pieces: [(records: Range<RecordNumber>, isLogged: Bool)] = []
    var rest = records
    for gone in lacks where gone.overlaps(rest) {
      if gone.lowerBound > rest.lowerBound {
        pieces.append((rest.lowerBound..<gone.lowerBound, true))
      }
      pieces.append((rest.clamped(to: gone), false))
      rest = min(gone.upperBound, rest.upperBound)..<rest.upperBound
    }
    if !rest.isEmpty { pieces.append((rest, true)) }
    return pieces
  }
}
