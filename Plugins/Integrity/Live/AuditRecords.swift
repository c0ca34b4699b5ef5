import AudispatchPlugin
import CAudit
import Glibc
import Linux
import Synchronization

/// Writes records into the kernel's audit, on a thread of its own: while the kernel's queue is full, it
/// holds up whoever writes, for up to a minute, and the stream must not wait so long. Needs
/// CAP_AUDIT_WRITE. While audit is disabled the kernel takes records and throws them away.
final class AuditRecords: ThreadWork {
  /// What has become of them.
  struct Figures: Equatable, Sendable {
    var written = 0
    var dropped = 0
    /// Why the last one could not be written; `nil`: it could.
    var obstacle: String?
  }

  private let queue = Mutex(RecordQueue())

  /// - Parameter isGood: whether it is a result that one may be glad of.
  func write(_ text: String, type: Int32 = RecordText.type, isGood: Bool) {
    guard queue.withLock({ $0.add(text, type: type, isGood: isGood) }) else { return }
    do throws(SystemError) { try begin { fail("no thread can be started") } } catch { return }
  }

  var figures: Figures { queue.withLock(\.figures) }

  /// Waits until all are written, for so long at most. What waits then is dropped.
  func finish(by end: Duration) {
    while queue.withLock(\.isRunning), MonotonicTime.now < end { usleep(5000) }
    queue.withLock { queue in
      let count = queue.waiting
      guard count > 0 else { return }
      queue.giveUp(
        "\(TextReport.counted(count, "record", "records")) still waited at the plugin's end")
    }
  }

  func run() {
    let number = audit_open()
    guard number >= 0 else { return fail("\(Errno.current)") }
    let socket = Descriptor(owning: number)
    while let (text, type, isGood) = queue.withLock({ $0.next() }) {
      let result = unsafe audit_log_user_message(
        socket.number, type, text, nil, nil, nil, isGood ? 1 : 0)
      let cause = Errno(result < -1 ? -result : errno)
      queue.withLock { $0.end(result > 0 ? nil : "\(cause)") }
    }
  }

  private func fail(_ reason: String) { queue.withLock { $0.giveUp(reason) } }
}

/// Records until they are written, the one that is being written first: a value, in which each of them
/// is written or dropped in the end.
struct RecordQueue {
  /// Records that may wait.
  static let bound = 1000

  private var records: [(text: String, type: Int32, isGood: Bool)] = []
  /// Whether somebody writes what is in it.
  private(set) var isRunning = false
  private(set) var figures = AuditRecords.Figures()

  var waiting: Int { records.count }

  /// Whether it is now to be begun with writing.
  mutating func add(_ text: String, type: Int32 = RecordText.type, isGood: Bool) -> Bool {
    guard records.count < Self.bound else {
      figures.dropped += 1
      return false
    }
    records.append((text, type, isGood))
    defer { isRunning = true }
    return !isRunning
  }

  /// The one to write now; `nil`: there is none, and it is begun anew with the next one.
  mutating func next() -> (text: String, type: Int32, isGood: Bool)? {
    isRunning = !records.isEmpty
    return records.first
  }

  /// That one is written, or could not be. Nothing if it was given up meanwhile.
  mutating func end(_ obstacle: String?) {
    guard !records.isEmpty else { return }
    records.removeFirst()
    figures.obstacle = obstacle
    if obstacle == nil { figures.written += 1 } else { figures.dropped += 1 }
  }

  /// Drops all that are not written.
  mutating func giveUp(_ reason: String) {
    figures.dropped += records.count
    figures.obstacle = reason
    records = []
    isRunning = false
  }
}
