import CAudispatch
import Glibc

/// What a descriptor is ready for.
public struct Readiness: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let readable = Readiness(rawValue: UInt32(ad_readable))
  public static let writable = Readiness(rawValue: UInt32(ad_writable))
  /// The other end is gone, or the descriptor is broken; needs not be asked for.
  public static let ended = Readiness(rawValue: UInt32(ad_ended))
}

/// Waits for the few descriptors of a small program; the daemon has epoll.
public enum Poll {
  /// Waits until a descriptor is ready, at most `milliseconds` (-1: for ever), and tells of each
  /// what it is ready for. At most eight. The corresponding call is `poll`.
  public static func wait(
    _ wanted: [(descriptor: Int32, interest: Readiness)], milliseconds: Int32
  ) -> [Readiness] {
    var entries = wanted.map {
      ad_poll_entry(fd: $0.descriptor, interest: $0.interest.rawValue, ready: 0)
    }
    _ = retryingInterrupts { unsafe ad_poll(&entries, Int32(entries.count), milliseconds) }
    return entries.map { Readiness(rawValue: $0.ready) }
  }

  /// Waits for one descriptor; false when the time is over.
  public static func wait(
    _ descriptor: Int32, for interest: Readiness, milliseconds: Int32
  ) -> Bool {
    !wait([(descriptor, interest)], milliseconds: milliseconds)[0].isEmpty
  }
}
