import AudispatchPlugin
import AuditRecord
import Glibc
import Linux

/// Writes records into a log as auditd does, and confirms what its flush mode promises.
///
/// What cannot be written waits: a little here, the rest with the dispatcher, whose queue has a
/// bound and counts. Under auditd, whose one queue is everybody's, it is dropped and counted here.
struct LogPlugin: RecordPlugin, ~Copyable {
  typealias Options = LogOptions

  /// Records are put together to this many bytes, unless the input pauses before.
  static let writeBytes = 64 << 10
  /// What is written and not safe is kept, to be written again; beyond this it is made safe.
  static let unsafeBytes = 512 << 10
  /// What waits when nothing can be written.
  static let waitingBytes = 2 << 20

  let doneWhen = DoneWhen.told
  var options: LogOptions
  let confirmations: Confirmations
  var log: PluginLog
  /// Whether the dispatcher keeps what we do not take, and no other plugin waits for us.
  private let waitsWhenStopped: Bool

  var held = HeldRecords()
  var file: LogFile?
  var rotation: Rotation
  var standstill: Standstill?
  var counts = LogCounts()
  var looks = Looks()
  var programs = ActionPrograms()
  var safety: Safekeeping
  private let poller: Poller

  init(
    _ options: LogOptions, log: PluginLog, _ confirmations: Confirmations, waitsWhenStopped: Bool
  ) throws {
    let poller = try Poller()
    safety = try Safekeeping()
    _ = poller.add(safety.number, 0, .read)
    self.poller = poller
    self.options = options
    self.log = log
    self.confirmations = confirmations
    self.waitsWhenStopped = waitsWhenStopped || confirmations.isAsked
    rotation = Rotation(of: options.file)
    advance()
  }

  deinit { safety.end() }

  // MARK: What the session calls

  mutating func handle(_ batch: RecordBatch) {
    if standstill != nil, !waitsWhenStopped, held.unwritten >= Self.waitingBytes {
      drop(batch)
    } else {
      held.add(batch)
    }
    if held.unwritten >= Self.writeBytes { advance() }
  }

  var wantsMore: Bool {
    standstill == nil || !waitsWhenStopped || held.unwritten < Self.waitingBytes
  }

  /// Nobody looks at a log as it is written so closely.
  var gathering: Duration { .milliseconds(8) }
  var watched: Int32? { poller.number }

  var deadline: Duration? {
    if let standstill { return standstill.nextTry }
    let times = [unsafeUntil, ageDeadline].compactMap { $0 }
    return times.min()
  }

  mutating func idle() { advance() }

  mutating func wake() {
    programs.reap()
    if rotation.compression.pidfd != nil { lookAfterCompression() }
    if let outcome = safety.outcome() {
      do throws(Obstacle) { try finish(outcome) } catch { meet(error) }
    }
    advance()
  }

  /// Opens the file again, which may be another by now.
  mutating func reload(_ options: LogOptions) {
    do throws(Obstacle) { if file != nil { try makeSafe() } } catch { meet(error) }
    if standstill == nil || options.file != self.options.file { closeFile() }
    if options.file != self.options.file { rotation.change(to: options.file) }
    self.options = options
    standstill?.nextTry = .zero
    looks.hurry()
    advance()
  }

  mutating func outlastsInput() -> Bool {
    advance()
    return standstill != nil && held.unwritten > 0
  }

  mutating func finish() {
    standstill?.nextTry = .zero
    advance()
    if standstill == nil {
      do throws(Obstacle) { try makeSafe() } catch { meet(error) }
    }
    rotation.compression.stop()
    let lost = confirmations.isAsked ? "the dispatcher has them" : "they may be lost"
    if held.unwritten > 0 {
      log.write(.error, "\(held.unwritten) bytes of records were not written: \(lost)")
    } else if held.written > 0 {
      log.write(.error, "\(held.written) bytes of records are not safe: \(lost)")
    }
  }

  var hasLost: Bool {
    !confirmations.isAsked && (held.unwritten > 0 || held.written > 0 || counts.dropped > 0)
  }

  var figures: [(name: String, value: Int)] {
    [
      ("ends", held.ends), ("written_bytes", counts.bytes), ("syncs", counts.syncs),
      ("rotations", counts.rotations), ("waiting_bytes", held.unwritten),
      ("dropped", counts.dropped), ("standstills", counts.standstills),
    ]
  }

  // MARK: Writing

  /// Writes what waits, as far as that is possible, and does what the flush mode asks for.
  private mutating func advance() {
    if let standstill, MonotonicTime.now < standstill.nextTry { return }
    while true {
      do throws(Obstacle) {
        try open()
        try look()
        try write()
        try rotateByAge()
        try flush()
        confirmEnds()
        if let obstacle = sizeObstacle { throw obstacle }
        return goOn()
      } catch {
        if error.kind == .full, stopCompression() { continue }
        // Room can be made, and then it is tried again at once.
        guard error.kind == .full, options.fullAction == .rotate, makeRoom() else {
          return meet(error)
        }
      }
    }
  }

  private mutating func open() throws(Obstacle) {
    if standstill != nil, let file {
      // Somebody may have made room by moving or cutting the log.
      file.measure()
      if !file.isInPlace { closeFile() }
    }
    if file == nil {
      let opened = try LogFile(options.file, group: options.group)
      file = opened
      rotation.began()
      try rotation.folder.tidy(
        keeping: options.sizeAction == .rotate ? options.fileCount : nil,
        isCompressing: rotation.compression.pidfd != nil)
      if opened.isNew, options.flush != .none { try rotation.folder.sync() }
      lookAfterCompression()
    }
    guard let doubtful = safety.doubtful, let file else { return }
    if file.identity == doubtful.file, doubtful.count >= held.written, file.size >= doubtful.end {
      try file.rewrite(held.bytes[..<held.written], endingAt: doubtful.end)
      becameSafe(held.written, held.lastWritten)
    } else {
      // It is not there any more, or in pieces: what may be lost is written once more.
      held.rewind()
    }
    safety.doubt(nil)
  }

  private mutating func write() throws(Obstacle) {
    while held.unwritten > 0, let file {
      if file.size >= options.maximumSize { try meetSize() }
      guard let file = self.file else { return }
      let end = endOfWriting(file)
      let (count, failure) = file.append(held.bytes, from: held.written, to: end)
      held.wrote(count)
      counts.bytes += count
      looks.wrote(count)
      if options.flush == .none {
        becameSafe(held.written, held.lastWritten)
      } else {
        safety.wrote()
      }
      if let failure { throw Obstacle("write to", file.path, failure) }
      if held.written >= Self.unsafeBytes { try makeSafe() }
    }
    if let file, file.size >= options.maximumSize { try meetSize() }
  }

  /// Where this write ends: with all there is, or, as in auditd, with the record that reaches the
  /// size at which the log is rotated, or nothing more is written.
  private func endOfWriting(_ file: LogFile) -> Int {
    let all = held.bytes.count
    let ends = options.rotatesBySize && rotation.isFree || options.sizeAction == .suspend
    guard ends else { return all }
    let room = options.maximumSize - file.size
    guard room > 0, room < held.unwritten else { return all }
    let from = held.written + room - 1
    return held.bytes[from...].firstIndex(of: 0x0a).map { $0 + 1 } ?? all
  }

  // MARK: Dropping

  private mutating func drop(_ batch: RecordBatch) {
    let records = batch.records.count { $0.type != .endOfEvent }
    counts.dropped += records
    counts.droppedNow += records
    counts.lastDropped = batch.records.last?.stamp ?? counts.lastDropped
  }

  /// What was dropped by this plugin itself; audispatchd's queue says what it dropped meanwhile.
  var droppedHere: String {
    counts.droppedNow == 0 ? "" : "; \(counts.droppedNow) records dropped here"
  }

  /// There is no obstacle any more.
  private mutating func goOn() {
    guard let before = standstill else { return }
    standstill = nil
    let time = Standstill.seconds(MonotonicTime.now - before.since)
    log.write(.notice, "writes \(options.file) again, after \(time)\(droppedHere)")
    guard counts.droppedNow > 0, let stamp = counts.lastDropped else { return }
    let now = RecordStamp(milliseconds: UInt64(WallClock.milliseconds), serial: stamp.serial)
    held.add(
      line: "type=DAEMON_ERR msg=audit(\(now.text)): op=log-drop "
        + "dropped=\(counts.droppedNow) reason=\(before.obstacle.kind.rawValue) res=failed")
    counts.droppedNow = 0
    advance()
  }

  mutating func watch(_ pidfd: Int32) { _ = poller.add(pidfd, 1, .read) }
}

/// What happened, for the line of counters.
struct LogCounts {
  var bytes = 0
  var syncs = 0
  var rotations = 0
  var dropped = 0
  var standstills = 0
  /// Since the standstill began.
  var droppedNow = 0
  var lastDropped: RecordStamp?
}
