import AuditRecord
import Glibc
import Linux

/// Where the counters are published for the process that started us: a file, mapped. What is stored
/// there is there, whatever ends this process at whatever moment.
@safe
struct CounterPage: ~Copyable {
  private let memory: UnsafeMutableRawPointer?

  /// Publishes in the file `descriptor`; without one, in descriptor 3 if that is a memory file.
  init(descriptor: Int32?) {
    let file = descriptor ?? (CounterPage.isMemoryFile(3) ? 3 : nil)
    guard let file, ftruncate(file, off_t(KernelCounters.byteCount)) == 0,
      let mapped = unsafe mmap(
        nil, KernelCounters.byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0),
      unsafe mapped != MAP_FAILED
    else {
      unsafe memory = nil
      return
    }
    unsafe memory = mapped
  }

  /// Stores the counters, each at once: a reader never finds half a number.
  func publish(_ counters: KernelCounters) {
    guard let memory = unsafe memory else { return }
    for (index, number) in counters.numbers.enumerated().reversed() {
      unsafe memory.storeBytes(of: number.littleEndian, toByteOffset: 8 * index, as: UInt64.self)
    }
  }

  /// Stores what a message changes.
  @inline(__always)
  func publishArrival(_ counters: KernelCounters) {
    guard let memory = unsafe memory else { return }
    unsafe memory.storeBytes(of: counters.received.littleEndian, toByteOffset: 8, as: UInt64.self)
    unsafe memory.storeBytes(of: counters.queueLost.littleEndian, toByteOffset: 32, as: UInt64.self)
    unsafe memory.storeBytes(
      of: counters.firstSerial.littleEndian, toByteOffset: 64, as: UInt64.self)
    unsafe memory.storeBytes(
      of: counters.lastSerial.littleEndian, toByteOffset: 72, as: UInt64.self)
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
