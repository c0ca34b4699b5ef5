/// Which events may enter one queue: an event's records share the fate of its first one.
///
/// Contract: a value that knows the bound and what was refused, and neither records nor counters.
/// `known` tells the fate of a record whose event was refused before; `refuse` and `mayExceed` decide
/// over one that finds no room.
struct Admission {
  enum Mode: Equatable {
    case admitting
    /// Events from this one on are dropped.
    case dropping(from: EventNumber)
    case suspended(from: EventNumber)
  }

  enum Fate: Equatable {
    /// Begun before the queue was there: never put to it.
    case notMeant
    case dropped(DropReason)
  }

  /// Events that are not admitted; a record of theirs may still come.
  private struct Refused {
    var events: Range<EventNumber>
    var fate: Fate
  }

  /// An open event may exceed the bound by so many bytes.
  private static let openEventBytes = 1 << 20
  /// The records of an event lie within the tracker's reach of each other.
  private static let reach = 4096

  var limits: Subscription.Limits
  private(set) var mode = Mode.admitting
  private var refused: [Refused] = []
  /// Events that were dropped alone, from their first record on or out of the queue.
  private(set) var droppedEvents: Set<EventNumber> = []
  private var newestDropped = EventNumber(0)
  private var openBytes: [EventNumber: Int] = [:]
  /// Dropped behind all that is queued: announced before the next event that is admitted.
  var gap = Gap()

  /// - Parameter next: the first event that may be admitted; `nil`: no event has begun yet.
  init(_ limits: Subscription.Limits, next: EventNumber?) {
    self.limits = limits
    if let next { refused = [Refused(events: EventNumber(0)..<next, fate: .notMeant)] }
  }

  @inline(__always) var isOverflowing: Bool { mode != .admitting }
  var isSuspended: Bool { if case .suspended = mode { true } else { false } }

  /// Whether records of refused events may still come.
  @inline(__always) var hasRefused: Bool { !refused.isEmpty || !droppedEvents.isEmpty }

  // MARK: Whole batches

  /// What becomes of a batch, as far as that is the same for all of its records.
  enum BatchFate {
    /// None is refused, if there is room.
    case open
    case dropped(DropReason)
    /// Each record has to be looked at.
    case mixed
  }

  /// - Parameter oldest: the lowest number of an event in the batch.
  @inline(__always)
  func fate(ofAllFrom oldest: EventNumber, _ full: DropReason) -> BatchFate {
    guard !hasRefused else { return .mixed }
    switch mode {
    case .admitting: return gap.records == 0 ? .open : .mixed
    case .dropping(let from): return oldest >= from ? .dropped(full) : .mixed
    case .suspended(let from): return oldest >= from ? .dropped(.suspended) : .mixed
    }
  }

  // MARK: One record

  /// The fate of a record by what was decided over its event; `nil`: it may be admitted.
  func known(_ event: EventNumber, _ full: DropReason) -> Fate? {
    if let known = refused.first(where: { $0.events.contains(event) }) { return known.fate }
    if droppedEvents.contains(event) { return .dropped(full) }
    switch mode {
    case .dropping(let from) where event >= from: return .dropped(full)
    case .suspended(let from) where event >= from: return .dropped(.suspended)
    default: return nil
    }
  }

  /// The first record of an event finds no room: the overflow action says what follows.
  mutating func refuse(_ event: EventNumber, _ full: DropReason) -> DropReason {
    switch limits.whenFull {
    case .dropNewest:
      mode = .dropping(from: event)
      return full
    case .suspend:
      mode = .suspended(from: event)
      return .suspended
    case .dropOldest:
      // Nothing that may be dropped is older: all are of events already begun.
      exclude(event)
      return .queueFull
    }
  }

  /// Whether a later record of a begun event that finds no room is queued all the same.
  mutating func mayExceed(_ event: EventNumber, _ length: Int) -> Bool {
    openBytes[event, default: 0] += length
    if openBytes[event, default: 0] <= Self.openEventBytes { return true }
    exclude(event)
    return false
  }

  /// The queue has room again: begun events may exceed its bound anew.
  mutating func gotRoom() { if !openBytes.isEmpty { openBytes.removeAll() } }

  /// No further record of that event is admitted or written.
  mutating func exclude(_ event: EventNumber) {
    droppedEvents.insert(event)
    newestDropped = max(newestDropped, event)
  }

  // MARK: Reopening

  /// Behind an overflow the queue is half empty: events from that one on are admitted.
  mutating func reopen(at next: EventNumber, _ full: DropReason) {
    guard case .dropping(let from) = mode else { return }
    refused.append(Refused(events: from..<next, fate: .dropped(full)))
    mode = .admitting
  }

  /// Ends a suspension: events from that one on are admitted.
  mutating func resume(at next: EventNumber) {
    guard case .suspended(let from) = mode else { return }
    refused.append(Refused(events: from..<next, fate: .dropped(.suspended)))
    mode = .admitting
  }

  // MARK: Forgetting

  /// - Parameters:
  ///   - oldest: events below it get no further record.
  ///   - firstHeld: the event of the first record that is queued in memory.
  mutating func forgetOldEvents(oldest: EventNumber, firstHeld: () -> EventNumber?) {
    if let first = refused.first, first.events.upperBound <= oldest {
      refused.removeAll { $0.events.upperBound <= oldest }
    }
    guard !droppedEvents.isEmpty else { return }
    let gone = min(firstHeld() ?? .max, oldest)
    if newestDropped + Self.reach < gone {
      droppedEvents.removeAll(keepingCapacity: true)
    } else if droppedEvents.count > 2 * Self.reach {
      droppedEvents = droppedEvents.filter { $0 + Self.reach >= gone }
    }
  }
}
