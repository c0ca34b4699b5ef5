import AuditRecord
import Glibc
import Linux

/// The memory file in which the kernel's reader keeps its counters: it outlives the reader.
final class KernelCounterPage {
  private let memory: Descriptor
  private var earlier = KernelCounters()

  init() throws(SystemError) { memory = try Descriptor.anonymousFile("audispatch-kernel") }

  var number: Int32 { memory.number }

  /// A new reader starts from zero: what its predecessors counted is kept.
  func newGeneration() {
    earlier = total
    _ = ftruncate(memory.number, 0)
  }

  /// What all readers so far have counted.
  var total: KernelCounters {
    var page = [UInt8](repeating: 0, count: KernelCounters.byteCount)
    let count = unsafe page.withUnsafeMutableBytes {
      unsafe pread(memory.number, $0.baseAddress!, $0.count, 0)
    }
    guard count == page.count, var sum = KernelCounters(page.span) else { return earlier }
    sum.kernelLost += earlier.kernelLost
    sum.receiveOverruns += earlier.receiveOverruns
    sum.queueLost += earlier.queueLost
    sum.malformed += earlier.malformed
    return sum
  }
}
