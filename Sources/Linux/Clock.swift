import CAudispatch

/// A moment on the monotonic clock, in nanoseconds.
public struct Moment: Comparable, Hashable, Sendable {
  public var nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// The corresponding call is `clock_gettime(CLOCK_MONOTONIC)`.
  public static var now: Moment { Moment(nanoseconds: ad_monotonic_ns()) }

  public static func < (a: Moment, b: Moment) -> Bool { a.nanoseconds < b.nanoseconds }

  public static func + (moment: Moment, duration: Duration) -> Moment {
    Moment(nanoseconds: moment.nanoseconds + duration.inNanoseconds)
  }

  public static func - (a: Moment, b: Moment) -> Duration {
    .nanoseconds(a.nanoseconds - b.nanoseconds)
  }
}

extension Duration {
  public var inNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }

  public var inSeconds: Double { Double(inNanoseconds) / 1e9 }
}

/// The calendar's clock.
public enum WallClock {
  /// Milliseconds since 1970.
  public static var milliseconds: Int64 { ad_realtime_ns() / 1_000_000 }
}

/// Pauses of the calling thread.
public enum Pause {
  /// Sleeps; short pauses are exact once `makeFine` was called.
  public static func nanoseconds(_ count: Int64) { ad_sleep_ns(count) }

  /// Lowers the timer slack of the calling thread to 1 ns. The corresponding call is `prctl`.
  public static func makeFine() { ad_fine_timers() }
}
