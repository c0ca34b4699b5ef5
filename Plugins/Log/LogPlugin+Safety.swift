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
      guard isDue, inSync == nil, let file else { return }
      inSync = (held.written, held.lastWritten)
      noteSync()
      syncing.start(file.number)
    }
  }

  /// After `freq` records, but not more often than that; and no record waits longer than a second.
  var isDue: Bool {
    guard held.written > (inSync?.bytes ?? 0) else { return false }
    return unsafeUntil.map { $0 <= MonotonicTime.now } == true
  }

  var unsafeUntil: Duration? {
    guard inSync == nil, held.written > 0, let unsafeSince else { return nil }
    return held.records >= options.frequency
      ? max(unsafeSince, lastSync + Self.syncEvery) : unsafeSince + .seconds(1)
  }

  /// Waits until everything that is written is on the disk.
  mutating func makeSafe() throws(Obstacle) {
    if inSync != nil { try finish(syncing.wait()) }
    guard let file, held.written > 0, options.flush != .none else { return }
    guard doubtful == nil else { return }
    do throws(Obstacle) {
      try file.sync(everything: options.flush == .sync)
    } catch {
      doubtful = file.tail
      throw error
    }
    counts.syncs += 1
    becameSafe(held.written, held.lastWritten)
    noteSync()
  }

  mutating func noteSync() {
    held.restartCount()
    unsafeSince = nil
    lastSync = MonotonicTime.now
  }

  /// - Throws: what kept the thread from making it safe.
  mutating func finish(_ outcome: SyncThread.Outcome) throws(Obstacle) {
    guard let done = inSync else { return }
    inSync = nil
    switch outcome {
    case .done:
      counts.syncs += 1
      becameSafe(done.bytes, done.token)
    case .failed(let errno):
      doubtful = file?.tail
      throw Obstacle("sync", file?.path ?? options.file, errno)
    }
  }

  /// Nothing is left but EOE records, which are not written.
  mutating func confirmEnds() {
    guard held.bytes.isEmpty, let last = held.lastWritten, last != confirmed else { return }
    confirmed = last
    confirmations.done(through: last)
  }

  mutating func becameSafe(_ bytes: Int, _ token: DeliveryToken?) {
    held.safe(bytes)
    if held.written == 0 { unsafeSince = nil }
    guard let token, token != confirmed else { return }
    confirmed = token
    confirmations.done(through: token)
  }

  mutating func closeFile() {
    if inSync != nil {
      do throws(Obstacle) {
        try finish(syncing.wait())
      } catch { log.write(.error, error.text) }
    }
    if held.written > 0, doubtful == nil { doubtful = file?.tail }
    file = nil
  }
}
