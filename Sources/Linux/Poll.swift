import Glibc

/// Waits for the few descriptors of a small program; the daemon has epoll.
public enum Poll {
  /// Waits until a descriptor is ready, at most `milliseconds` (-1: for ever), and tells of each
  /// what it is ready for. The corresponding call is `poll`.
  public static func wait(
    _ wanted: [(descriptor: Int32, interest: Interest)], milliseconds: Int32
  ) -> [Interest] {
    var waits = wanted.map {
      let events =
        ($0.interest.contains(.read) ? POLLIN : 0)
        | ($0.interest.contains(.write) ? POLLOUT : 0)
      return pollfd(fd: $0.descriptor, events: Int16(events), revents: 0)
    }
    _ = retryingInterrupts { wait(&waits, milliseconds) }
    return waits.map { Interest(events: Int32($0.revents)) }
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
    let ready = wait(&waits, milliseconds)
    return waits.map { ready > 0 && $0.revents != 0 }
  }

  private static func wait(_ waits: inout [pollfd], _ milliseconds: Int32) -> Int32 {
    unsafe waits.withUnsafeMutableBufferPointer { buffer in
      unsafe poll(buffer.baseAddress, nfds_t(buffer.count), milliseconds)
    }
  }
}

extension Interest {
  fileprivate init(events: Int32) {
    self = []
    if events & POLLIN != 0 { insert(.read) }
    if events & POLLOUT != 0 { insert(.write) }
    if events & (POLLHUP | POLLERR | POLLNVAL) != 0 { insert(.ended) }
  }
}
