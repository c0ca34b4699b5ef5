import CAudispatch
import Glibc

/// Waits on a few descriptors of any kind, regular files too. The corresponding call is `poll`.
public enum Poll {
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
