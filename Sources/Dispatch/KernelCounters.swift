import Glibc
import Linux

/// What the kernel's reader counts, in memory that outlives it.
///
/// Layout: 64-bit numbers, little-endian, as audispatch-kernel writes them: 0 layout (1),
/// 1 messages received, 2 lost in the kernel, 3 overruns of the receive buffer, 4 lost in the
/// reader's own queue, 5 malformed, 6 whether audit is enabled, 7 records written.
final class KernelCounters {
  private let memory: Descriptor
  private var earlier = [UInt64](repeating: 0, count: 8)

  init() throws(SystemError) { memory = try Descriptor.anonymousFile("audispatch-kernel") }

  var number: Int32 { memory.number }

  /// A new reader starts from zero: what its predecessors counted is kept.
  func newGeneration() {
    earlier = total
    _ = ftruncate(memory.number, 0)
  }

  private var total: [UInt64] {
    var now = [UInt64](repeating: 0, count: 8)
    _ = unsafe now.withUnsafeMutableBytes {
      unsafe pread(memory.number, $0.baseAddress!, $0.count, 0)
    }
    return zip(earlier, now).map { $0 + $1 }
  }

  /// Records that the kernel dropped before anybody could read them.
  var kernelLost: UInt64 { total[2] }
  /// How often our receive buffer was full.
  var overruns: UInt64 { total[3] }
  /// Records that the reader's own queue could not take.
  var queueLost: UInt64 { total[4] }
  var malformed: UInt64 { total[5] }
}
