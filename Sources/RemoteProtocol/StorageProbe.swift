/// How long it takes until a record is safe that has little before it. While peers send all they can that
/// does not show by itself: once a second all but their shares stay where they are, until what is on its
/// way is safe, and one record more. A value without clock.
struct StorageProbe: Sendable {
  static let pause = Duration.seconds(1)
  /// A probe takes so small a part of the time at most.
  static let part = 50

  private enum State {
    case resting
    /// Until that record is safe.
    case draining(through: UInt64)
    /// That record is looked at, when it was passed on.
    case timing(number: UInt64, since: Duration?)
  }

  private var state = State.resting
  private var began = Duration.zero
  private var next = Duration.zero
  /// A peer was held back since the last.
  var isWanted = false
  /// The time, about; `nil` until it is known.
  private(set) var storing: Duration?

  var isProbing: Bool { if case .resting = state { false } else { true } }

  /// That record is passed on.
  mutating func passed(_ record: UInt64, now: Duration) {
    if case .timing(record, nil) = state { state = .timing(number: record, since: now) }
  }

  /// All records up to that one are safe, of so many that were passed on.
  mutating func isSafe(through safe: UInt64, of total: UInt64, now: Duration) {
    switch state {
    case .resting:
      guard isWanted, now >= next else { return }
      isWanted = false
      began = now
      state = .draining(through: total)
    case .draining(let last):
      if safe >= last { state = .timing(number: total + 1, since: nil) }
    case .timing(let number, let since?) where safe >= number:
      let time = now - since
      // A disk is slow now and then.
      storing = storing.map { ($0 * 3 + time) / 4 } ?? time
      state = .resting
      next = now + max(Self.pause, (now - began) * Self.part)
    case .timing(let number, nil) where safe + 1 >= number:
      // Nobody had anything more: it is as it was.
      state = .resting
      next = now + Self.pause
    case .timing: break
    }
  }
}
