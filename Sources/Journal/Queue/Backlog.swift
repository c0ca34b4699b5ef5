import DequeModule

/// What one plugin is still to get, and what became of all that was put to it.
///
/// Contract:
/// - `pending` are the records still to come: what was dropped or left out is absent.
/// - All of `pending` below `written` lies whole in the stream to the plugin's present process.
/// - The announcements ascend by their place; the first `announcedInStream` of them are written.
/// - `received` = `delivered` + `queued` + dropped at any time, and `queued` is the number of pending
///   records, but for what a predecessor had queued and is not settled yet.
/// - Nothing pending lies below what was read, or confirmed.
struct Backlog {
  private(set) var pending = RecordRanges()
  private(set) var written = RecordNumber(0)
  /// Records below this number were written to a predecessor of the plugin's process, so that those
  /// of a plugin that confirms have their number in the stream.
  private(set) var numberedBelow = RecordNumber(0)
  /// Records below this number were read by a predecessor; what of them is written is given again.
  private(set) var givenBelow = RecordNumber(0)
  /// The number in the stream of the first pending record, for a plugin that confirms.
  private(set) var firstNumber = StreamNumber(1)
  private(set) var announcements = Deque<Announcement>()
  private(set) var announcedInStream = 0
  /// Dropped records that announcements told of: in those that were read, and that were written.
  private(set) var announced: (read: UInt64, written: UInt64) = (0, 0)
  /// Dropped out of the queue: announced before the next event that is written.
  private(set) var gapAhead = Gap()
  private(set) var counters = Counters()

  /// Whether nothing is to come but what lies in the stream.
  var isEmpty: Bool { pending.isEmpty && nextAnnouncement == nil }

  // MARK: What comes next

  /// The first record that is not whole in the stream.
  @inline(__always)
  var next: RecordNumber? { pending.stretch(from: written)?.lowerBound }

  /// The first announcement that is not written.
  @inline(__always)
  var nextAnnouncement: Announcement? {
    announcedInStream < announcements.count ? announcements[announcedInStream] : nil
  }

  /// Whether anything is not whole in the stream.
  @inline(__always)
  var hasUnwritten: Bool {
    pending.end ?? written > written || announcedInStream < announcements.count
  }

  // MARK: Coming and going

  /// Records that were put to the plugin are queued.
  @inline(__always)
  mutating func queue(_ records: Range<RecordNumber>, bytes: Int) {
    pending.append(records)
    let count = UInt64(records.count)
    counters.received += count
    counters.queued += count
    counters.queuedBytes += bytes
    if counters.queued > counters.queuedMax { counters.queuedMax = counters.queued }
  }

  /// Records that were put to the plugin are not queued.
  ///
  /// - Parameter events: that begin with one of them.
  mutating func refuse(_ records: UInt64, events: UInt64, _ reason: DropReason) {
    counters.received += records
    counters[reason] += records
    counters.droppedEvents += events
  }

  /// Records that were not known to be queued come before all others; none of these is written.
  private mutating func queueBefore(_ records: [Range<RecordNumber>]) {
    guard !records.isEmpty else { return }
    for range in records.reversed() { pending.prepend(range) }
    written = pending.first ?? written
  }

  /// Queued records are dropped.
  ///
  /// - Parameter events: that begin with one of them.
  mutating func drop(
    _ records: Range<RecordNumber>, bytes: Int, events: UInt64 = 0, _ reason: DropReason
  ) {
    let before = pending.count
    pending.remove(records)
    let count = UInt64(before - pending.count)
    counters.queued -= count
    counters.queuedBytes -= bytes
    counters[reason] += count
    counters.droppedEvents += events
  }

  /// The bytes of what is queued were estimated, and are known now.
  mutating func correctBytes(by difference: Int) { counters.queuedBytes += difference }

  /// All is dropped but some records, none of which is written.
  mutating func replacePending(
    with kept: [Range<RecordNumber>], bytes: Int, _ reason: DropReason
  ) {
    pending = RecordRanges()
    for range in kept { pending.append(range) }
    counters[reason] += counters.queued - UInt64(pending.count)
    counters.queued = UInt64(pending.count)
    counters.queuedBytes = bytes
    announcements.removeAll()
    announcedInStream = 0
    written = pending.first ?? written
  }

  /// Pending records were read, or confirmed, up to the end of these.
  @inline(__always)
  mutating func deliver(_ records: Range<RecordNumber>, bytes: Int, areNumbered: Bool) {
    pending.remove(below: records.upperBound)
    let count = UInt64(records.count)
    counters.delivered += count
    counters.queued -= count
    counters.queuedBytes -= bytes
    counters.bytes += UInt64(bytes)
    if areNumbered { firstNumber = firstNumber + records.count }
  }

  mutating func setFirstNumber(_ number: StreamNumber) { firstNumber = number }

  // MARK: From before

  /// Goes on with a predecessor's counters; what it had queued is settled later.
  mutating func adopt(_ counters: Counters, firstNumber: StreamNumber) {
    self.counters = counters
    self.firstNumber = firstNumber
  }

  /// Records of the log, from before this process and its predecessor, come before all others.
  ///
  /// - Parameter bytes: of their texts, as well as is known.
  mutating func restore(_ records: [Range<RecordNumber>], bytes: Int) {
    let count = records.reduce(0) { $0 + UInt64($1.count) }
    counters.received += count
    counters.queued += count
    counters.queuedBytes += bytes
    queueBefore(records)
  }

  /// Settles what a predecessor had queued: some of it lies in the log and comes before all others, of
  /// the rest the plugin had read some, and what is left died with the predecessor.
  ///
  /// - Parameters:
  ///   - queued: how many records the predecessor had counted, and their bytes.
  ///   - stored: those in the log, and their bytes, as well as is known.
  ///   - read: how many of the rest were read, at most.
  /// - Returns: how many of the rest were read, and how many died.
  mutating func settle(
    queued: (records: UInt64, bytes: Int), stored: [Range<RecordNumber>], storedBytes: Int,
    read: UInt64
  ) -> (read: UInt64, died: UInt64) {
    let inLog = stored.reduce(0) { $0 + UInt64($1.count) }
    counters.queued = counters.queued - queued.records + inLog
    counters.queuedBytes += storedBytes - queued.bytes
    queueBefore(stored)
    guard queued.records > inLog else {
      // The predecessor had just left out records as too many, and could not say so any more.
      counters.received += inLog - queued.records
      return (0, 0)
    }
    let rest = queued.records - inLog
    let read = min(read, rest)
    counters.delivered += read
    counters.bytes += UInt64(max(0, queued.bytes - storedBytes)) * read / rest
    counters[.dispatcherDied] += rest - read
    return (read, rest - read)
  }

  // MARK: The stream

  /// Records are whole in the stream. Those that a predecessor had read, too, are counted.
  @inline(__always)
  mutating func wrote(_ records: Range<RecordNumber>) {
    written = records.upperBound
    guard givenBelow > RecordNumber(0) else { return }
    if records.lowerBound < givenBelow {
      counters.redelivered += UInt64(min(records.count, givenBelow - records.lowerBound))
    } else {
      givenBelow = RecordNumber(0)
    }
  }

  /// Records that the plugin's former process had read were written once more.
  mutating func repeated(_ records: Int) { counters.redelivered += UInt64(records) }

  /// The plugin's process has ended: what it had not read is written again.
  ///
  /// - Parameters:
  ///   - isMidway: of the next record a part was written.
  ///   - read: behind the last pending record that it had read whole, if there is one.
  mutating func childEnded(isMidway: Bool, read: RecordNumber?) {
    numberedBelow = max(numberedBelow, (next ?? written) + (isMidway ? 1 : 0))
    givenBelow = max(givenBelow, read ?? givenBelow)
    written = pending.first ?? written
    announcedInStream = 0
    announced.written = announced.read
  }

  /// So many of the first pending records went to a predecessor.
  mutating func noteGiven(first records: Int) {
    guard records > 0, let first = pending.first else { return }
    numberedBelow = max(numberedBelow, first + records)
    givenBelow = numberedBelow
  }

  // MARK: Announcements

  /// Dropped records are to be announced before the next event that is written.
  mutating func noteGapAhead(
    records: UInt64, events: UInt64, _ reason: DropReason, serial: UInt64?
  ) {
    gapAhead.note(records: records, events: events, reason, serial: serial)
  }

  /// What is to be announced before the next event is announced elsewhere, or not yet.
  mutating func takeGapAhead() -> Gap {
    defer { gapAhead = Gap() }
    return gapAhead
  }

  /// What was taken is to be announced after all, with what was dropped since.
  mutating func putBackGapAhead(_ gap: Gap) {
    let since = gapAhead
    gapAhead = gap
    guard since.records > 0 else { return }
    gapAhead.note(
      records: since.records, events: since.events, since.reason, serial: since.serial)
  }

  /// Puts an announcement behind all that are to come before the same record.
  mutating func announce(_ announcement: Announcement) {
    var index = announcements.count
    while index > announcedInStream, announcements[index - 1].before > announcement.before {
      index -= 1
    }
    announcements.insert(announcement, at: index)
  }

  /// The next announcement is whole in the stream.
  mutating func wroteAnnouncement() {
    announced.written += announcements[announcedInStream].gap.records
    announcedInStream += 1
  }

  /// The first announcement was read.
  mutating func readAnnouncement() {
    announced.read += announcements.removeFirst().gap.records
    announcedInStream -= 1
  }

  /// A predecessor's plugin had read announcements of so many dropped records.
  mutating func adoptAnnounced(_ read: UInt64) { announced = (read, read) }

  /// So many dropped records need no announcement.
  mutating func noteUntold(_ records: UInt64) {
    announced.read += records
    announced.written += records
  }
}

/// What was dropped and is to be announced.
struct Gap: Equatable {
  var records: UInt64 = 0
  var events: UInt64 = 0
  /// Of the record that was dropped last, as its serial.
  var reason = DropReason.queueFull
  var serial: UInt64 = 0

  mutating func note(records: UInt64, events: UInt64, _ reason: DropReason, serial: UInt64?) {
    self.records += records
    self.events += events
    self.reason = reason
    if let serial { self.serial = serial }
  }
}

/// A gap record that is in the queue.
struct Announcement: Equatable {
  /// Comes before this record, or, if that is not pending any more, before the next one.
  var before: RecordNumber
  var gap: Gap
  /// Wall clock in milliseconds.
  var time: Int64
}
