/// What there was no room for, until there is: what the program is blind for, whom the watch saw, that a
/// maintenance window has begun, who made a change after all. Changes themselves need no such thing, since
/// they are found again. A value.
struct WaitingAlerts {
  /// So many may wait; of more is told how many there were.
  static let most = 1000

  private var events: [ToldEvent] = []
  private var untold = 0
  /// Those that are not told at all.
  private(set) var dropped = 0

  var count: Int { events.count }
  var isEmpty: Bool { events.isEmpty && untold == 0 }

  mutating func add(_ event: ToldEvent) {
    guard events.count < Self.most else {
      untold += 1
      dropped += 1
      return
    }
    events.append(event)
  }

  /// Tells what waits, the oldest first, as long as there is room.
  ///
  /// - Parameter summary: of so many that found no room here either.
  mutating func tell(_ pass: (ToldEvent) -> Bool, summary: (Int) -> ToldEvent) {
    guard !isEmpty else { return }
    let told = events.prefix(while: pass).count
    events.removeFirst(told)
    if events.isEmpty, untold > 0, pass(summary(untold)) { untold = 0 }
  }
}
