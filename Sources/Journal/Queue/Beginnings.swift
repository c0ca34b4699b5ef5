import DequeModule

/// What a plugin has read of events that may go on: a successor that gets the rest of such an event
/// gets its beginning again.
///
/// Contract: of the last 1,024 records read, whatever their events. `inherited` is what the present
/// process's predecessor had read, of the events in `events`, none of which was continued yet.
struct Beginnings {
  /// Records.
  private static let capacity = 1024
  /// The records of an event lie within the tracker's reach of each other.
  private static let reach = 4096

  private var history = Deque<Run>()
  private var count = 0
  private var inherited = Deque<Run>()
  private var events: Set<EventNumber> = []
  private var newest = EventNumber(0)

  @inline(__always) var isInherited: Bool { !events.isEmpty }

  /// The plugin has read records.
  @inline(__always)
  mutating func remember(_ run: Run) {
    let last = history.count - 1
    if last >= 0, history[last].segment === run.segment, history[last].end == run.start {
      history[last].end = run.end
    } else {
      history.append(run)
    }
    count += run.count
    while count > Self.capacity, let first = history.first {
      let surplus = min(first.count, count - Self.capacity)
      count -= surplus
      if surplus == first.count { history.removeFirst() } else { history[0].start += surplus }
    }
  }

  /// The plugin's process has ended: what it had read is its successor's to be given again.
  mutating func inherit(next: EventNumber) {
    inherited = history
    events = []
    for run in inherited {
      for index in run.start..<run.end {
        let event = EventNumber.expand(run.segment[index].event, next: next)
        events.insert(event)
        newest = max(newest, event)
      }
    }
  }

  /// Whether an event that goes on has a beginning here.
  @inline(__always)
  func has(_ event: EventNumber) -> Bool { events.contains(event) }

  /// Takes what was read of an event, of which a later record comes now.
  mutating func take(_ event: EventNumber, next: EventNumber) -> [Run] {
    guard events.remove(event) != nil else { return [] }
    var taken: [Run] = []
    for run in inherited {
      for index in run.start..<run.end
      where EventNumber.expand(run.segment[index].event, next: next) == event {
        if let last = taken.last, last.segment === run.segment, last.end == index {
          taken[taken.count - 1].end += 1
        } else {
          taken.append(Run(segment: run.segment, start: index, end: index + 1))
        }
      }
    }
    if events.isEmpty { forgetInherited() }
    return taken
  }

  /// Events that can get no further record, and are not queued, need not be remembered.
  mutating func passed(_ event: EventNumber) {
    if event > newest + Self.reach { forgetInherited() }
  }

  mutating func forgetInherited() {
    inherited.removeAll()
    events.removeAll()
  }

  mutating func forgetAll() {
    history.removeAll()
    count = 0
    forgetInherited()
  }
}
