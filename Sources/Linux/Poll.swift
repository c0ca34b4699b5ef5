import CAudispatch
import Glibc

/// Waits for the few descriptors of a small program; the daemon has epoll.
public enum Poll {
  /// Waits until a descriptor is ready, at most `milliseconds` (-1: for ever), and tells of each
  /// what it is ready for. At most eight. The corresponding call is `poll`.
  public static func wait(
    _ wanted: [(descriptor: Int32, interest: Interest)], milliseconds: Int32
  ) -> [Interest] {
    var entries = wanted.map {
      ad_poll_entry(fd: $0.descriptor, interest: $0.interest.rawValue, ready: 0)
    }
    _ = retryingInterrupts { unsafe ad_poll(&entries, Int32(entries.count), milliseconds) }
    return entries.map { Interest(rawValue: $0.ready) }
  }

  /// Waits for one descriptor; false when the time is over.
  public static func wait(
    _ descriptor: Int32, for interest: Interest, milliseconds: Int32
  ) -> Bool {
    !wait([(descriptor, interest)], milliseconds: milliseconds)[0].isEmpty
  }

  /// Which of the descriptors have input, or have ended; all `false` when the time is over or a
  /// signal came. `nil` waits for ever; a negative descriptor is passed over.
  public static func readable(_ descriptors: [Int32], within timeout: Duration?) -> [Bool] {
    var waits = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    let milliseconds = timeout.map { Int32(clamping: Int(max($0, .zero) / .milliseconds(1))) } ?? -1
    let ready = unsafe waits.withUnsafeMutableBufferPointer { buffer in
      unsafe poll(buffer.baseAddress, nfds_t(buffer.count), milliseconds)
    }
    return waits.map { ready > 0 && $0.revents != 0 }
  }
}
