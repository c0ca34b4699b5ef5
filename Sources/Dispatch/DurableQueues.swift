import Journal
import Linux

/// The spool and what the dispatcher knows of it: which records of its journal it has, and what
/// was said of each durable plugin last.
final class DurableQueues {
  enum State {
    /// Its folder is being opened; records wait in memory, to be appended then.
    case opening
    case open
    /// The disk takes nothing now; tried again at that moment.
    case failed(retry: Moment)
    /// It cannot be used at all.
    case unusable
  }

  /// What the log was told of a plugin.
  struct Told: Equatable {
    var next: UInt64
    var number: UInt64
  }

  let spool: Spool
  var state = State.opening
  /// Taken in while the spool was being opened.
  var early: [(slice: Journal.Slice, nextEvent: UInt64)] = []
  /// Where plugins stand that the log knows, and are not configured now among them.
  var cursors: [String: SpoolCursor] = [:]
  var told: [String: Told] = [:]
  /// The number of the first record of the journal that the log has.
  var endAtOpening: UInt64 = 0
  /// Plugins that a load is under way for.
  var loading: Set<UInt32> = []
  var nextSync = Moment(nanoseconds: 0)
  /// What failed, for the status.
  var trouble: String?

  init(folder: String, reserve: Int64) throws(SystemError) {
    spool = try Spool(folder: folder, reserve: reserve)
  }

  var isSettled: Bool { if case .opening = state { false } else { true } }
  var isOpen: Bool { if case .open = state { true } else { false } }
}
