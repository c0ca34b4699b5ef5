/// Paths at which something happened, until they are at rest: a value without a clock.
///
/// A path is due when nothing has come for the settle time, and at the latest a while after the
/// first notice, so that a file which is written all the time is looked at too.
struct Settling {
  struct Entry: Equatable, Sendable {
    var first: Duration
    var due: Duration
    var witnesses: Set<Witness> = []
    /// Found by looking, not by an event.
    var isFound = false
    /// How often nobody was known yet.
    var tries = 0
  }

  /// Those who were seen at one file; more would tell nothing more.
  private static let mostWitnesses = 16

  let settleTime: Duration
  let longest: Duration
  private var entries: [FilePath: Entry] = [:]
  /// Paths by when they were due when they were noted: what is not there any more was noted again.
  private var order: [(due: Duration, path: FilePath)] = []
  private var start = 0

  init(settleTime: Duration, longest: Duration = .seconds(30)) {
    self.settleTime = settleTime
    self.longest = longest
  }

  var count: Int { entries.count }

  mutating func note(
    _ path: FilePath, by witness: Witness?, isFound: Bool = false, at now: Duration
  ) {
    var entry = entries[path] ?? Entry(first: now, due: now)
    entry.due = min(now + settleTime, entry.first + longest)
    if let witness, entry.witnesses.count < Self.mostWitnesses { entry.witnesses.insert(witness) }
    entry.isFound = entries[path] == nil ? isFound : entry.isFound && isFound
    put(path, entry)
  }

  /// Puts one back that was due, since more is to come of it.
  mutating func wait(_ path: FilePath, _ entry: Entry, until due: Duration) {
    var entry = entry
    entry.tries += 1
    entry.due = due
    if let newer = entries[path] {
      entry.witnesses.formUnion(newer.witnesses)
      entry.due = max(due, newer.due)
    }
    put(path, entry)
  }

  private mutating func put(_ path: FilePath, _ entry: Entry) {
    entries[path] = entry
    order.append((entry.due, path))
    // Times mostly come in order: from the end it is not far.
    var at = order.count - 1
    while at > start, order[at - 1].due > order[at].due {
      order.swapAt(at, at - 1)
      at -= 1
    }
  }

  /// When the next one is due, or has to be looked at whether it is.
  var nextDue: Duration? { start < order.count ? order[start].due : nil }

  /// Takes the next one that is due.
  mutating func next(at now: Duration) -> (path: FilePath, entry: Entry)? {
    while start < order.count, order[start].due <= now {
      let (due, path) = order[start]
      start += 1
      if start > 1024, start * 2 > order.count {
        order.removeFirst(start)
        start = 0
      }
      guard let entry = entries[path], entry.due == due else { continue }
      entries[path] = nil
      return (path, entry)
    }
    return nil
  }
}
