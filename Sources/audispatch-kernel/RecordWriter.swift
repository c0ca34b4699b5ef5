import Enrichment
import Linux
import Synchronization

/// The thread that formats what waits in the queue and writes it to standard output.
final class RecordWriter: ThreadWork {
  /// Rung when the thread has ended.
  let ended: Bell

  private let queue: MessageQueue
  private let count = Atomic<UInt64>(0)
  private let content: RecordFormatter.Content
  private let node: String?

  init(
    queue: MessageQueue, content: RecordFormatter.Content, node: String?
  ) throws(SystemError) {
    self.queue = queue
    self.content = content
    self.node = node
    ended = try Bell()
  }

  /// The records that were written so far.
  var written: UInt64 { count.load(ordering: .relaxed) }

  /// Starts the thread, which ends when the queue is closed and empty or the output's reader is gone.
  func start() throws(SystemError) {
    try WorkThread(self).detach()
  }

  func run() {
    var formatter = RecordFormatter(content: content, node: node)
    var output: [UInt8] = []
    while let batch = queue.take() {
      var pending: UInt64 = 0
      var reading = true
      batch.forEach { type, text in
        guard reading else { return }
        formatter.format(type: type, text: text, into: &output)
        pending += 1
        guard output.count >= 64 << 10 else { return }
        reading = flush(&output, &pending)
      }
      guard reading, flush(&output, &pending) else { break }
    }
    ended.ring()
  }

  private func flush(_ output: inout [UInt8], _ pending: inout UInt64) -> Bool {
    guard Output.write(&output) else { return false }
    count.wrappingAdd(pending, ordering: .relaxed)
    pending = 0
    return true
  }
}
