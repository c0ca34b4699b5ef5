/// How a durable plugin's queue goes on in the log.
///
/// Contract: pending records that are not held in memory are in the log only; `records` and `bytes`
/// say how many these are. Where a record lies in the log, and what the log lacks, is the log's
/// knowledge, not the queue's.
struct DiskShare {
  let log: LogKnowledge
  /// What may be held in memory; beyond it records are read back when their turn has come.
  private(set) var window: Subscription.Limits
  /// It is not known yet what the log has for the queue: what comes is held in memory until then.
  private(set) var awaitsLog = true
  /// What the log had for the queue from before is in it.
  private(set) var knowsPast = false
  /// Records are given to the plugin only when the log has made them safe.
  private(set) var waitsForSync: Bool
  private(set) var records = 0
  /// An estimate, as far as records were there before this process.
  private(set) var bytes = 0
  /// What the plugin is not to get, and the log does not know of yet. A log that is unusable never will.
  private var leftOut: [Range<RecordNumber>] = []

  init(log: LogKnowledge, window: Subscription.Limits, waitsForSync: Bool) {
    self.log = log
    self.window = window
    self.waitsForSync = waitsForSync
  }

  /// Whether what comes can be left to the log.
  @inline(__always)
  var takesRecords: Bool { !awaitsLog && log.state == .takesRecords }

  /// Whether the queue is bound to its window, because the log takes nothing.
  var isWithinWindow: Bool { !awaitsLog && log.state != .takesRecords }

  /// Records from this number on are not given to the plugin yet.
  @inline(__always)
  var safeBelow: RecordNumber { waitsForSync ? log.safeBelow : .max }

  mutating func change(window: Subscription.Limits) { self.window = window }
  mutating func change(waitsForSync: Bool) { self.waitsForSync = waitsForSync }

  /// It is known that there is no log, or that it takes nothing.
  mutating func awaitsLogNoMore() { awaitsLog = false }

  /// What the log has from before is put into the queue.
  mutating func tookPast() {
    awaitsLog = false
    knowsPast = true
  }

  mutating func put(records: Int, bytes: Int) {
    self.records += records
    self.bytes += bytes
  }

  /// Takes out records whose bytes are known now.
  ///
  /// - Returns: how many bytes more than was known the queue has.
  mutating func take(records: Int, bytes: Int) -> Int {
    let left = self.records == records ? 0 : max(0, self.bytes - bytes)
    let more = left + bytes - self.bytes
    self.records -= records
    self.bytes = left
    return more
  }

  /// The share of the bytes that some of the records have.
  func bytes(of records: Int) -> Int { bytes / max(1, self.records) * records }

  /// Takes out records whose share of the bytes is known.
  mutating func takeOut(records: Int, bytes: Int) {
    self.records -= records
    self.bytes -= bytes
  }

  mutating func set(records: Int, bytes: Int) {
    self.records = records
    self.bytes = bytes
  }

  mutating func leaveOut(_ range: Range<RecordNumber>) {
    guard log.state != .unusable else { return }
    if let last = leftOut.last, last.upperBound == range.lowerBound {
      leftOut[leftOut.count - 1] = last.lowerBound..<range.upperBound
    } else {
      leftOut.append(range)
    }
  }

  var hasLeftOut: Bool { !leftOut.isEmpty }

  mutating func takeLeftOut() -> [Range<RecordNumber>] {
    defer { leftOut.removeAll() }
    return leftOut
  }
}
