import AuditRecord
import Glibc
import Linux

/// What the kernel's readers counted, and what died with them. Each reader keeps its counters in a
/// memory file of its own, which outlives it.
final class KernelReaders {
  private var memory: Descriptor
  /// Sums of those that are gone.
  private var earlier = KernelCounters()
  /// The last one that is gone, until the next one has got something.
  private var predecessor: KernelCounters?
  /// Records of the present one that came to us.
  private var takenBefore: UInt64 = 0
  /// Events that no reader got, at most: what lay in a dead one's socket, and what the kernel sent
  /// before the next one listened.
  private var between: UInt64 = 0

  init() throws(SystemError) { memory = try Descriptor.anonymousFile("audispatch-kernel") }

  /// Begins with a new reader, which starts from zero.
  ///
  /// - Parameter taken: records that came from readers so far.
  /// - Returns: the file for its counters.
  func begin(taken: UInt64) throws(SystemError) -> Int32 {
    memory = try Descriptor.anonymousFile("audispatch-kernel")
    takenBefore = taken
    return memory.number
  }

  /// Whether the present reader has given any record.
  ///
  /// - Parameter taken: records that came from readers so far.
  func hasGiven(taken: UInt64) -> Bool { taken > takenBefore }

  /// The present reader is gone, and all that it had written was read: what it had received and not
  /// given away died with it.
  ///
  /// - Parameter taken: records that came from readers so far.
  /// - Returns: how many records that are.
  func end(taken: UInt64) -> UInt64 {
    _ = eventsBetween()
    guard let page = page else { return 0 }
    // What it counted as lost itself never went into its queue.
    let given = taken - takenBefore + page.queueLost
    let died = page.received - min(page.received, given)
    earlier.add(page)
    earlier.queueLost += died
    // A reader that got no event has no serial to compare with.
    if page.lastSerial != 0 { predecessor = page }
    // Counted once.
    _ = ftruncate(memory.number, 0)
    return died
  }

  /// Events that came between the last reader and this one, at most, as soon as it is known; once.
  func eventsBetween() -> UInt64? {
    guard let predecessor, let page,
      let count = KernelCounters.eventsBetween(predecessor, page)
    else { return nil }
    self.predecessor = nil
    between += count
    return count
  }

  /// Whether it is not known yet what came between two readers.
  var awaitsNext: Bool { predecessor != nil }

  /// Events that no reader got, at most.
  var unread: UInt64 { between }

  /// What all readers so far have counted.
  var total: KernelCounters {
    var sum = earlier
    if let page { sum.add(page) }
    return sum
  }

  private var page: KernelCounters? {
    var bytes = [UInt8](repeating: 0, count: KernelCounters.byteCount)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe pread(memory.number, $0.baseAddress!, $0.count, 0)
    }
    return count == bytes.count ? KernelCounters(bytes.span) : nil
  }
}

extension KernelReaders {
  /// The present reader is gone: what to say of what it had received and not given to us.
  ///
  /// - Parameter taken: records that came from readers so far.
  func reportEnd(taken: UInt64) -> String? {
    let died = end(taken: taken)
    guard died > 0 else { return nil }
    return
      "the kernel's reader ended with \(died) records that it had received and not written: lost"
  }

  /// What to say of what came between two readers, as soon as a record shows it; once.
  func reportUnread() -> (severity: Severity, text: String)? {
    guard let events = eventsBetween() else { return nil }
    let bound = events == 0 ? "no event" : "at most \(events) events"
    return (
      events == 0 ? .notice : .error,
      "between two readers of the kernel \(bound) came and went unread, by their serials"
    )
  }
}

extension KernelCounters {
  /// Adds what another reader lost.
  fileprivate mutating func add(_ other: KernelCounters) {
    kernelLost += other.kernelLost
    receiveOverruns += other.receiveOverruns
    queueLost += other.queueLost
    malformed += other.malformed
  }
}
