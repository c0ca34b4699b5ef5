import AudispatchPlugin
import Linux

/// What is written becomes safe, and is confirmed, as the flush mode has it.
extension LogPlugin {
  mutating func flush() throws(Obstacle) {
    switch options.flush {
    case .none: break
    case .data, .sync: if held.written > 0 { try makeSafe() }
    case .incremental: if isDue { try makeSafe() }
    case .incrementalAsync:
      guard isDue, safety.underWay == nil, let file else { return }
      held.restartCount()
      safety.begin(held, in: file.number)
    }
  }

  /// After `freq` records, but not more often than that; and no record waits longer than a second.
  var isDue: Bool {
    guard held.written > (safety.underWay?.bytes ?? 0) else { return false }
    return unsafeUntil.map { $0 <= MonotonicTime.now } == true
  }

  var unsafeUntil: Duration? { safety.deadline(held, frequency: options.frequency) }

  /// Waits until everything that is written is on the disk.
  mutating func makeSafe() throws(Obstacle) {
    if let outcome = safety.awaitedOutcome() { try finish(outcome) }
    guard let file, held.written > 0, options.flush != .none else { return }
    guard safety.doubtful == nil else { return }
    do throws(Obstacle) {
      try file.sync(everything: options.flush == .sync)
    } catch {
      safety.doubt(file.tail)
      throw error
    }
    counts.syncs += 1
    becameSafe(held.written, held.lastWritten)
    held.restartCount()
    safety.noteSync()
  }

  /// - Throws: what kept the thread from making it safe.
  mutating func finish(_ outcome: SyncThread.Outcome) throws(Obstacle) {
    guard let done = safety.finish() else { return }
    switch outcome {
    case .done:
      counts.syncs += 1
      becameSafe(done.bytes, done.token)
    case .failed(let errno):
      safety.doubt(file?.tail)
      throw Obstacle("sync", file?.path ?? options.file, errno)
    }
  }

  /// Nothing is left but EOE records, which are not written.
  mutating func confirmEnds() {
    guard held.bytes.isEmpty, let last = safety.confirms(held.lastWritten) else { return }
    confirmations.done(through: last)
  }

  mutating func becameSafe(_ bytes: Int, _ token: DeliveryToken?) {
    held.safe(bytes)
    if held.written == 0 { safety.allIsSafe() }
    if let token = safety.confirms(token) { confirmations.done(through: token) }
  }

  mutating func closeFile() {
    if let outcome = safety.awaitedOutcome() {
      do throws(Obstacle) {
        try finish(outcome)
      } catch { log.write(.error, error.text) }
    }
    if held.written > 0, safety.doubtful == nil { safety.doubt(file?.tail) }
    file = nil
  }
}
