import CAudispatch
import Enrichment
import Glibc
import Linux
import Synchronization

/// The thread that formats what waits in the queue and writes it to standard output.
final class RecordWriter: Sendable {
  /// Readable once the thread has ended.
  let ended: Int32

  private let queue: MessageQueue
  private let end: Int32
  private let count = Atomic<UInt64>(0)
  private let content: RecordFormatter.Content
  private let node: String?

  init(
    queue: MessageQueue, content: RecordFormatter.Content, node: String?
  ) throws(SystemError) {
    self.queue = queue
    self.content = content
    self.node = node
    var ends: [Int32] = [-1, -1]
    guard unsafe ad_pipe(&ends) == 0 else { throw SystemError("make", "a pipe", .current) }
    ended = ends[0]
    end = ends[1]
  }

  /// The records that were written so far.
  var written: UInt64 { count.load(ordering: .relaxed) }

  /// Starts the thread, which ends when the queue is closed and empty or the output's reader is gone.
  func start() throws(SystemError) {
    var thread = pthread_t()
    let context = unsafe Unmanaged.passRetained(self).toOpaque()
    let failure = unsafe pthread_create(&thread, nil, writeRecords, context)
    guard failure == 0 else { throw SystemError("start", "a thread", Errno(failure)) }
    pthread_detach(thread)
  }

  fileprivate func run() {
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
    close(end)
  }

  private func flush(_ output: inout [UInt8], _ pending: inout UInt64) -> Bool {
    guard Output.write(&output) else { return false }
    count.wrappingAdd(pending, ordering: .relaxed)
    pending = 0
    return true
  }
}

/// The thread's body: a function of its own, because a closure would belong to the main actor.
private func writeRecords(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let context = unsafe context else { return nil }
  unsafe Unmanaged<RecordWriter>.fromOpaque(context).takeRetainedValue().run()
  return nil
}
