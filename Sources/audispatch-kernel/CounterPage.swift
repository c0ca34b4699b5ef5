import AuditRecord
import CAudispatch
import Glibc
import Linux

/// Where the counters are published for the process that started us: a memory file.
struct CounterPage {
  /// At most this often, so that a busy source costs no more.
  private static let interval: Int64 = 100_000_000

  private let descriptor: Int32?
  private var published: KernelCounters?
  private var next: Int64 = 0

  /// Publishes on `descriptor`; without one, on descriptor 3 if that is a memory file.
  init(descriptor: Int32?) {
    self.descriptor = descriptor ?? (CounterPage.isMemoryFile(3) ? 3 : nil)
  }

  /// Whether `counters` are still to be published: when they changed a moment ago.
  func lags(_ counters: KernelCounters) -> Bool { descriptor != nil && published != counters }

  /// Publishes the counters if they changed and, unless `now` is `nil`, the last time is long enough ago.
  mutating func publish(_ counters: KernelCounters, now: Int64?) {
    guard let descriptor, published != counters else { return }
    if let now {
      guard now >= next else { return }
      next = now + CounterPage.interval
    }
    published = counters
    let bytes = counters.bytes
    _ = unsafe pwrite(descriptor, bytes, bytes.count, 0)
  }

  private static func isMemoryFile(_ fd: Int32) -> Bool {
    var target = [UInt8](repeating: 0, count: 64)
    let count = unsafe target.withUnsafeMutableBytes { buffer in
      unsafe readlink(
        "/proc/self/fd/\(fd)", buffer.assumingMemoryBound(to: CChar.self).baseAddress!,
        buffer.count)
    }
    return count > 7 && target.span.has("/memfd:", at: 0)
  }
}
