import Glibc
import Linux

/// When a keeper starts a worker, which signals it gives it, and when all is over: a value without
/// clock or process.
///
/// Contract: a worker is started only while none runs. Until it is ready no signal reaches it, but for
/// a second request to stop and the kill of one that was given up. The first worker decides by itself
/// how it ends; another one that ends before it is ready has a successor, unless a stop was asked for.
struct WorkerLife: Equatable {
  enum State: Equatable {
    /// No worker runs; one is to be started then.
    case starting(at: Moment)
    /// A worker runs that would die of a signal.
    case unready
    /// The worker reads the input, and takes signals.
    case ready
    case ended(Int32)
  }

  enum Stop: Equatable {
    case notAsked
    /// A worker that is not ready by then is given up.
    case asked(givenUpAt: Moment?)
    /// The worker was killed because it did not get ready.
    case givenUp
  }

  enum Event: Equatable {
    /// A worker was started, or could not be.
    case started(Bool)
    case ready
    case died(ChildEnd)
    case signal(Int32)
    case tick
  }

  enum Action: Equatable {
    /// The first worker is a copy of the keeper, each other one is executed.
    case start(asCopy: Bool)
    /// Is for the worker.
    case signal(Int32)
    /// The worker died like that, and its children are for another one.
    case replace(ChildEnd)
    case sayReadAgain(after: Duration)
    case end(Int32)
  }

  /// How long a worker that is to stop may take to get ready for that.
  static let stopPatience = Duration.seconds(10)
  /// Deaths in a row before a worker was ready that a stop survives.
  private static let maximumEarlyDeaths = 2
  /// Signals of a program's own faults.
  private static let faults = [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE]

  private(set) var state: State
  private(set) var stop = Stop.notAsked
  /// Deaths in a row by a fault of the worker's own.
  private(set) var crashes = 0
  /// Deaths in a row before the worker was ready.
  private var earlyDeaths = 0
  private var starts = 0
  /// When the last worker died, until another one is ready.
  private var diedAt: Moment?
  /// Signals that came while no worker was ready, each once.
  private var held: [Int32] = []

  init(now: Moment) { state = .starting(at: now) }

  /// When to look again without anything having come.
  var deadline: Moment? {
    var moments: [Moment] = []
    if case .starting(let moment) = state { moments.append(moment) }
    if case .asked(let moment?) = stop { moments.append(moment) }
    if case .ended = state { return nil }
    return moments.min()
  }

  /// Takes what happened, and says what is to be done, in order.
  mutating func handle(_ event: Event, now: Moment) -> [Action] {
    switch (state, event) {
    case (.ended, _): return []
    case (.starting, .started(true)):
      state = .unready
      starts += 1
    case (.starting, .started(false)): diedEarly(now)
    case (.unready, .ready): return becameReady(now)
    case (.unready, .died(let end)), (.ready, .died(let end)): return died(end, now)
    case (_, .signal(let signal)) where signal == SIGTERM || signal == SIGINT:
      return stopAsked(by: signal, now)
    case (.ready, .signal(let signal)): return [.signal(signal)]
    case (_, .signal(let signal)): if !held.contains(signal) { held.append(signal) }
    case (.starting(let at), .tick) where now >= at: return [.start(asCopy: starts == 0)]
    case (_, .tick): return giveUpIfDue(now)
    case (.starting, .ready), (.starting, .died), (.unready, .started), (.ready, .started),
      (.ready, .ready):
      break
    }
    return []
  }

  private mutating func becameReady(_ now: Moment) -> [Action] {
    state = .ready
    var actions: [Action] = stop == .notAsked ? [] : [.signal(SIGTERM)]
    actions += held.map { .signal($0) }
    held = []
    if let diedAt { actions.append(.sayReadAgain(after: now - diedAt)) }
    diedAt = nil
    return actions
  }

  private mutating func stopAsked(by signal: Int32, _ now: Moment) -> [Action] {
    let isFirst = stop == .notAsked
    switch state {
    case .starting:
      // It tries at once, or is given up.
      state = .starting(at: now)
      if isFirst { stop = .asked(givenUpAt: now + Self.stopPatience) }
      return []
    case .unready:
      guard isFirst else { return [.signal(signal)] }
      stop = .asked(givenUpAt: now + Self.stopPatience)
      return []
    case .ready:
      if isFirst { stop = .asked(givenUpAt: nil) }
      return [.signal(signal)]
    case .ended: return []
    }
  }

  private mutating func giveUpIfDue(_ now: Moment) -> [Action] {
    guard case .asked(let moment?) = stop, now >= moment else { return [] }
    switch state {
    case .starting: return end(1)
    case .unready:
      stop = .givenUp
      return [.signal(SIGKILL)]
    case .ready, .ended:
      stop = .asked(givenUpAt: nil)
      return []
    }
  }

  private mutating func died(_ end: ChildEnd, _ now: Moment) -> [Action] {
    if stop == .givenUp { return self.end(1) }
    let wasReady = state == .ready
    switch end {
    // What the first one ends with before it reads is what is wrong with the configuration.
    case .exit(let status) where wasReady || starts == 1: return self.end(status)
    case .exit: crashes = 0
    case .signal(let signal): crashes = Self.faults.contains(signal) ? crashes + 1 : 0
    }
    diedAt = now
    if wasReady {
      earlyDeaths = 0
      state = .starting(at: now)
    } else {
      diedEarly(now)
      if stop != .notAsked, earlyDeaths > Self.maximumEarlyDeaths {
        return [.replace(end)] + self.end(1)
      }
    }
    return [.replace(end)]
  }

  /// A worker that dies before it is ready is started less and less often.
  private mutating func diedEarly(_ now: Moment) {
    earlyDeaths += 1
    let delay = min(Duration.milliseconds(50) * (1 << min(earlyDeaths - 1, 8)), .seconds(5))
    state = .starting(at: earlyDeaths <= 2 ? now : now + delay)
  }

  private mutating func end(_ status: Int32) -> [Action] {
    state = .ended(status)
    return [.end(status)]
  }
}
