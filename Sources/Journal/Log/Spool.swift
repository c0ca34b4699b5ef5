import Glibc
public import Linux
import Synchronization

/// The durable log as the event loop uses it: everything that may wait for a disk is done by a
/// thread of its own, in order, and answered through a descriptor.
///
/// Numbers of records and events are the journal's; that of the log differ from them by what this
/// process was told when the log was opened.
public final class Spool {
  public struct Opened: Sendable {
    /// Behind the last record and the last event of the log.
    public var nextSequence: LogRecordNumber
    public var nextEvent: LogEventNumber
    public var cursors: [String: SpoolCursor]
    /// Damaged stretches in what was read.
    public var damaged: Int
    /// Of a record's text, about.
    public var averageBytes: Int
    /// What the file beside the log says, if it was to be read.
    public var beside: [SideBlock]
    /// What that took, in microseconds.
    public var microseconds: Int64
    var salt: UInt32
  }

  public enum Answer: Sendable {
    /// Nobody else has the folder now, and the log is ready.
    case opened(Opened)
    /// The folder cannot be used.
    case unusable(String)
    /// Everything below is safe.
    case safe(below: LogRecordNumber)
    case loaded(plugin: PluginID, LoadedRecords)
    /// Nothing is appended until `recovered`; what was not safe is not in the log. It answers each try
    /// that fails, too.
    case failed(Errno)
    case recovered
    /// What was last given for the file beside the log may not be there.
    case besideFailed(SystemError)
  }

  private let work: SpoolWork
  private let thread: WorkThread
  private var batch = SpoolBatch()
  private var senders = RecordSenders()
  private var salt: UInt32 = 0
  /// Of records, and of events: what the journal's number is more than the log's.
  public private(set) var shift = LogShift(0)
  private var eventShift: UInt64 = 0

  /// Begins to open the log. Returns at once.
  ///
  /// - Parameters:
  ///   - reserve: bytes that stay free on the file system.
  ///   - mayOpen: without it the folder is nobody's until `allowOpening`.
  ///   - beside: a file that is kept beside the log.
  public init(
    folder: String, reserve: Int64, mayOpen: Bool = true, beside: SideFile? = nil
  ) throws(SystemError) {
    work = try SpoolWork(folder: folder, reserve: reserve, mayOpen: mayOpen, beside: beside)
    thread = try WorkThread(work)
  }

  /// Begins to open the log, unless that was begun.
  public func allowOpening() { work.allowOpening() }

  /// Readable when there are answers.
  public var descriptor: Int32 { work.answersReady.number }

  /// Bytes handed over that are not appended yet.
  public var pendingBytes: Int { work.pendingBytes }

  /// Every record below this number was written to the log; it survives this process, if not a loss
  /// of power.
  public var appendedBelow: RecordNumber { number(work.appendedBelow) }

  /// The journal's number of a record of the log.
  public func number(_ logged: LogRecordNumber) -> RecordNumber { shift.number(logged) }

  /// The log's number of a record of the journal.
  public func logged(_ number: RecordNumber) -> LogRecordNumber { shift.logged(number) }

  /// The journal's number of an event of the log.
  func eventNumber(_ logged: LogEventNumber) -> EventNumber {
    EventNumber(logged.value &+ eventShift)
  }

  private func logged(_ event: EventNumber) -> LogEventNumber {
    LogEventNumber(event.value &- eventShift)
  }

  public func answers() -> [Answer] { work.takeAnswers() }

  /// From now on the log's numbers are the journal's less a shift.
  public func begin(_ opened: Opened, next: RecordNumber, nextEvent: EventNumber) {
    salt = opened.salt
    shift = LogShift(next, opened.nextSequence)
    eventShift = nextEvent.value &- opened.nextEvent.value
    batch = SpoolBatch()
    batch.first = opened.nextSequence
    batch.nextSequence = opened.nextSequence
    batch.nextEvent = opened.nextEvent
  }

  // MARK: Appending

  /// Another host sent that record, which is the next or among those behind it that are appended next.
  ///
  /// - Parameter sender: its address, and behind a space what it is called over TLS; 65,535 bytes at most.
  public func note(sender: [UInt8], of record: RecordNumber) { senders.note(sender, of: record) }

  /// Has bytes written to a place of the file beside the log, in front of what is committed next.
  public func writeBeside(at place: Int, _ bytes: UnsafeRawBufferPointer) {
    unsafe batch.beside.add(place, bytes)
  }

  /// Adds the records of a slice to what is committed next.
  public func append(_ slice: Journal.Slice, nextEvent: EventNumber) {
    let segment = slice.segment
    let first = logged(slice.numbers.lowerBound)
    if batch.isEmpty { batch.first = first }
    var place = 0
    for index in slice.start..<slice.end {
      let entry = segment[index]
      let number = first + (index - slice.start)
      let event = logged(EventNumber.expand(entry.event, next: nextEvent))
      // What another host sent is a line, and so has no payload of its own.
      if !senders.isEmpty, !entry.hasPayload,
        let sender = senders.sender(of: slice.segment.first + index, from: &place)
      {
        unsafe segment.withBytes(entry.offset..<entry.end) { text in
          unsafe sender.withUnsafeBytes { sender in
            unsafe SpoolRecord.append(
              to: &batch.bytes, salt: salt, kind: .data, flags: entry.flags | SpoolRecord.isSent,
              sequence: number, event: event, type: entry.type,
              bareOffset: entry.bareOffset, text: text, payload: sender)
          }
        }
        continue
      }
      let payload = entry.hasPayload ? segment.payload(entry) : 0..<0
      unsafe segment.withBytes(entry.offset..<entry.end) { text in
        unsafe segment.withBytes(payload) { payload in
          unsafe SpoolRecord.append(
            to: &batch.bytes, salt: salt, kind: .data, flags: entry.flags,
            sequence: number, event: event, type: entry.type,
            bareOffset: entry.bareOffset, text: text, payload: payload)
        }
      }
    }
    batch.nextSequence = first + (slice.end - slice.start)
    batch.nextEvent = logged(nextEvent)
    senders.forget(below: slice.numbers.upperBound)
  }

  /// What was noted of senders and is not appended yet never will be.
  public func forgetSenders() { senders.forget(below: .max) }

  /// Where a plugin stands.
  public func setCursor(_ plugin: String, next: RecordNumber, number: StreamNumber) {
    let seconds = UInt64(max(0, WallClock.milliseconds / 1000))
    note(.cursor, SpoolNote(logged(next).value, number.value, seconds, plugin))
  }

  /// Gives up what a plugin has not read, and where it stands.
  public func forget(_ plugin: String) { note(.cursor, SpoolNote(.max, 0, 0, plugin)) }

  /// Records that a plugin is not to get; `.max` as the end: all that come, until
  /// another call says where they end.
  public func leaveOut(_ plugin: String, _ records: Range<RecordNumber>) {
    let end = records.upperBound == .max ? LogRecordNumber.max : logged(records.upperBound)
    note(.hole, SpoolNote(logged(records.lowerBound).value, end.value, 0, plugin))
  }

  private func note(_ kind: SpoolRecord.Kind, _ note: SpoolNote) {
    note.append(
      to: &batch.bytes, salt: salt, kind: kind, sequence: batch.nextSequence,
      event: batch.nextEvent)
    batch.notes.append((kind, note))
  }

  /// Hands over what was added. With `makesSafe` it is synced before it is answered; a sync covers
  /// all that came while the one before it ran.
  public func commit(makesSafe: Bool) {
    guard !batch.isEmpty else { return }
    var next = SpoolBatch()
    next.first = batch.nextSequence
    next.nextSequence = batch.nextSequence
    next.nextEvent = batch.nextEvent
    swap(&next, &batch)
    work.submit(.append(next, makesSafe: makesSafe))
  }

  /// Tries again after a failure. What was added and not committed is dropped, but for where the
  /// plugins stand, which may make room.
  public func retry(next number: RecordNumber) {
    let next = logged(number)
    work.submit(.retry(batch.notes, next: next))
    batch.bytes.removeAll()
    batch.notes.removeAll()
    batch.first = next
    batch.nextSequence = next
  }

  /// Makes everything appended safe.
  public func sync() { work.submit(.sync) }

  /// Asks for records from a number on, some `bytes` of them.
  public func load(_ plugin: PluginID, from first: RecordNumber, bytes: Int) {
    work.submit(.load(plugin: plugin, from: logged(first), bytes: bytes))
  }

  /// Has the thread end, and let go of the folder, as soon as it can.
  public func giveUp() { work.submit(.end) }

  /// Makes everything safe and ends the thread; `false` when that takes longer.
  public func close(within limit: Duration) -> Bool {
    work.submit(.end)
    let latest = Moment.now + limit
    while !work.hasEnded {
      if Moment.now >= latest { return false }
      Pause.nanoseconds(200_000)
    }
    return true
  }
}

/// What was read back from the log, to be laid out by the event loop.
public struct LoadedRecords: Sendable {
  let loaded: SpoolLoaded

  /// Everything below this number was looked at.
  public var through: LogRecordNumber { loaded.through }
}
