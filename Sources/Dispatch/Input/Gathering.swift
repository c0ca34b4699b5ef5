import Linux

/// When the source is looked at, and whether what came is written at once or gathers first: a value
/// without clock or descriptor.
///
/// Below some 500 records a second the source wakes the loop, and each record is written as it comes.
/// Above, the source wakes nobody between two looks, and what a look found is written when no event
/// is open. Contract:
/// - Two looks are at most the longest time apart, and less than the source's socket takes to fill.
/// - What a look found is written by it, or by the next one.
struct Gathering: Equatable {
  private enum State: Equatable {
    /// The source wakes the loop.
    case watching
    /// Nothing waits to be written; the source is looked at then.
    case resting(until: Moment)
    /// Records wait to be written, at the latest then.
    case holding(until: Moment)
  }

  /// What the rate is measured over, at least.
  private static let window = Duration.milliseconds(50)
  /// Records a second from which on they gather.
  private static let denseRate = 500.0
  /// A look that would find fewer is not worth it: the source wakes us.
  private static let worthLooking = 4.0
  /// From this rate on, in records a second, a sender writes several records at once. The socket then
  /// holds more of them than `GatheringPause` expects, unless they are long: `fullRate` is the bound in
  /// bytes a second.
  private static let busyRate = 100_000.0
  private static let fullRate = 1e9
  private static let busyPause = Duration.microseconds(100)
  /// A busy look that finds more was not early.
  private static let manyRecords = 256

  private let longest: Duration
  private var state = State.watching
  private var pause: GatheringPause
  private var windowStart: Moment
  private var recordsBefore = 0
  private var bytesBefore = 0
  private var rate = 0.0
  private var byteRate = 0.0
  private var lastTotal = 0
  /// When records came last.
  private(set) var last = Moment(nanoseconds: 0)

  /// - Parameter longest: zero: nothing ever gathers.
  init(longest: Duration, now: Moment) {
    self.longest = longest
    pause = GatheringPause(longest: longest)
    windowStart = now
  }

  /// When the source is looked at next, whether it has anything or not; `nil`: when it has.
  var nextLook: Moment? {
    switch state {
    case .watching: nil
    case .resting(let until), .holding(let until): until
    }
  }

  /// Whether it matters to the next look that an event is open: of records that gathered already
  /// everything is written.
  var asksForOpenEvents: Bool { state == .watching && isDense }

  private var isDense: Bool { longest > .zero && rate >= Self.denseRate }

  /// The source was looked at.
  ///
  /// - Parameters:
  ///   - records: that were read since the start.
  ///   - bytes: that were read since the start.
  ///   - isOpen: a record of some event that waits to be written is still to come.
  /// - Returns: whether all that waits is written now.
  mutating func looked(records: Int, bytes: Int, isOpen: Bool, now: Moment) -> Bool {
    let found = records - lastTotal
    lastTotal = records
    if found > 0 { last = now }
    guard longest > .zero else { return true }
    guard found > 0 else {
      state = .watching
      return true
    }
    measure(records, bytes, now)
    let length = length(found, records, bytes, now)
    guard isDense, length > .zero else {
      state = .watching
      return true
    }
    if isOpen, state == .watching {
      state = .holding(until: now + length)
      return false
    }
    state = rate * length.inSeconds >= Self.worthLooking ? .resting(until: now + length) : .watching
    return true
  }

  /// Records came from elsewhere, which do not gather.
  mutating func elsewhere(now: Moment) { last = now }

  /// Another source, or an end, is near: nothing waits any more.
  mutating func stop() { state = .watching }

  private mutating func measure(_ records: Int, _ bytes: Int, _ now: Moment) {
    let time = now - windowStart
    guard time >= Self.window else { return }
    rate = Double(records - recordsBefore) / time.inSeconds
    byteRate = Double(bytes - bytesBefore) / time.inSeconds
    windowStart = now
    recordsBefore = records
    bytesBefore = bytes
  }

  private mutating func length(
    _ found: Int, _ records: Int, _ bytes: Int, _ now: Moment
  ) -> Duration {
    let length = pause.next(
      records: records, bytes: bytes, at: .nanoseconds(now.nanoseconds))
    guard length == .zero, rate >= Self.busyRate, byteRate < Self.fullRate,
      found < Self.manyRecords
    else { return length }
    return min(Self.busyPause, longest)
  }
}
