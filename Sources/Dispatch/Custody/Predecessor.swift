import AuditRecord
import CAudispatch
import Journal
import Linux

/// What a process that dispatched, and died, left behind for the one that takes over.
struct Predecessor {
  /// Of one of its plugins.
  struct Queue {
    let slot: Int
    var counters: Counters
    /// The first record that was not delivered, and where in the child's stream it begins.
    var undelivered: RecordNumber
    /// What that record's number in the journal is more than its number in the log; `nil`: not known.
    var shift: LogShift?
    var position: StreamOffset
    var extraEnd: StreamOffset
    var deliveredAtStart: UInt64
    var confirmedAtStart: StreamNumber
    var firstNumber: StreamNumber
    var restarts: Int
    /// The child whose stream that is; `nil`: none.
    var child: ChildNumber?
    var encoding: Encoding
    /// Dropped records that gap records told of: in those that were read, and that were written.
    var announced: (read: UInt64, written: UInt64)
    /// It is not known what the log has for it from before: nothing of that is in the queue.
    var awaitsPast = false
    /// While not all of the queue is on disk: its records in turn, and who has them.
    var pieces: [Piece] = []
  }

  /// Records of a queue that follow each other.
  struct Piece: Equatable {
    enum Place: UInt64 {
      /// In the memory of the process that died, only.
      case memory = 0
      case log = 1
      /// With the hosts that sent them, and were not told that they are stored: they send them again.
      case senders = 2
    }

    var records: UInt64
    var place: Place

    init(_ records: UInt64, _ place: Place) {
      self.records = records
      self.place = place
    }

    fileprivate init(kept: UInt64) {
      self.init(kept >> 2, Place(rawValue: kept & 3) ?? .memory)
    }

    fileprivate var kept: UInt64 { records << 2 | place.rawValue }
  }

  /// Input that is to be made into records again, from there on.
  var settled: Intake.Settled
  /// Where input begins that no record was made of, and how it is to be read.
  var taken: (byte: InputOffset, reader: RecordReader)
  /// The number of the first record that no plugin was given.
  var nextRecord: RecordNumber
  var nextEvent: EventNumber
  var records: UInt64
  var bytes: UInt64
  var events: UInt64
  var malformed: [UInt64]
  /// The journal's numbers less the log's, if a log was open.
  var spoolShift: LogShift?
  /// What from this record on is in neither log nor ring is other hosts', who send it again.
  var awaitedFrom: RecordNumber
  /// Behind the last byte of input that it read.
  var received: InputOffset
  var queues: [String: Queue] = [:]

  /// `nil` when there was none.
  init?(_ survivor: Survivor) {
    guard survivor.isHeld, survivor.generation > 0, unsafe survivor.last.pointee.next_sequence > 0
    else { return nil }
    let last = unsafe survivor.last
    let end = survivor.received
    received = InputOffset(end)
    settled = unsafe Intake.Settled(
      byte: InputOffset(min(max(last.pointee.settled, survivor.floor), end)),
      record: RecordNumber(last.pointee.settled_sequence),
      reader: RecordReader(last.pointee.reader.kept))
    taken = unsafe (
      InputOffset(min(max(last.pointee.taken, survivor.floor), end)),
      RecordReader(last.pointee.taken_reader.kept)
    )
    nextRecord = unsafe RecordNumber(last.pointee.next_sequence)
    nextEvent = unsafe EventNumber(last.pointee.next_event)
    records = unsafe last.pointee.records
    bytes = unsafe last.pointee.bytes
    events = unsafe last.pointee.events
    malformed = unsafe withUnsafeBytes(of: last.pointee.malformed) {
      unsafe Array($0.assumingMemoryBound(to: UInt64.self))
    }
    spoolShift = unsafe LogShift(kept: last.pointee.spool_shift)
    awaitedFrom = unsafe RecordNumber(last.pointee.awaited_from)
    // The memory may be large, and holes in it are to stay holes: nothing of it is copied whole.
    for slot in 0..<Int(min(unsafe last.pointee.plugins, UInt64(Survivor.maximumPlugins))) {
      let name = survivor.name(slot)
      guard !name.isEmpty else { continue }
      unsafe queues[name] = Queue(slot, survivor.last(slot).pointee)
    }
  }
}

extension ad_reader {
  init(_ kept: RecordReader.Kept) {
    self.init(flags: kept.flags, padding: kept.padding, probe: kept.probe)
  }

  fileprivate var kept: RecordReader.Kept { .init(flags: flags, padding: padding, probe: probe) }
}

extension LogShift {
  /// `nil` for 0, which no log has.
  fileprivate init?(kept value: UInt64) {
    if value == 0 { return nil }
    self.init(value)
  }

  static func kept(_ shift: LogShift?) -> UInt64 { shift?.value ?? 0 }
}

extension Predecessor.Queue {
  init(_ slot: Int, _ figures: ad_plugin_figures) {
    self.slot = slot
    counters = Counters(
      received: figures.received, delivered: figures.delivered, redelivered: figures.redelivered,
      queued: figures.queued, queuedBytes: Int(figures.queued_bytes),
      queuedMax: figures.queued_max, bytes: figures.bytes, droppedEvents: figures.dropped_events,
      dropped: unsafe withUnsafeBytes(of: figures.dropped) {
        unsafe Array($0.assumingMemoryBound(to: UInt64.self))
      })
    undelivered = RecordNumber(figures.undelivered)
    shift = LogShift(kept: figures.shift)
    position = StreamOffset(figures.position)
    extraEnd = StreamOffset(figures.extra_end)
    deliveredAtStart = figures.delivered_at_start
    confirmedAtStart = StreamNumber(figures.confirmed_at_start)
    firstNumber = StreamNumber(figures.first_number)
    restarts = Int(figures.restarts)
    child = ChildNumber(kept: figures.child)
    announced = (figures.announced, figures.announced_written)
    awaitsPast = figures.awaits_past != 0
    pieces = unsafe withUnsafeBytes(of: figures.pieces) {
      unsafe $0.assumingMemoryBound(to: UInt64.self).prefix { $0 != 0 }
        .map { Predecessor.Piece(kept: $0) }
    }
    encoding = figures.encoding == 1 ? .compact : figures.encoding == 2 ? .fixed : .string
  }

  /// Writes it where a successor finds it.
  @inline(__always)
  func store(_ figures: inout ad_plugin_figures) {
    figures.received = counters.received
    figures.delivered = counters.delivered
    figures.redelivered = counters.redelivered
    figures.queued = counters.queued
    figures.queued_bytes = Int64(counters.queuedBytes)
    figures.queued_max = counters.queuedMax
    figures.bytes = counters.bytes
    figures.dropped_events = counters.droppedEvents
    unsafe withUnsafeMutableBytes(of: &figures.dropped) { raw in
      for reason in DropReason.allCases {
        unsafe raw.storeBytes(
          of: counters[reason], toByteOffset: 8 * reason.rawValue, as: UInt64.self)
      }
    }
    figures.undelivered = undelivered.value
    figures.shift = LogShift.kept(shift)
    figures.position = position.value
    figures.extra_end = extraEnd.value
    figures.delivered_at_start = deliveredAtStart
    figures.confirmed_at_start = confirmedAtStart.value
    figures.first_number = firstNumber.value
    figures.restarts = UInt64(restarts)
    figures.child = child?.value ?? 0
    figures.announced = announced.read
    figures.announced_written = announced.written
    figures.awaits_past = awaitsPast ? 1 : 0
    unsafe withUnsafeMutableBytes(of: &figures.pieces) { raw in
      // Nearly always there are none, and then one zero says so.
      for index in 0..<min(max(pieces.count, 1), Int(AD_PIECES_MAX)) {
        unsafe raw.storeBytes(
          of: index < pieces.count ? pieces[index].kept : 0, toByteOffset: 8 * index,
          as: UInt64.self)
      }
      if pieces.count > 0, pieces.count < Int(AD_PIECES_MAX) {
        unsafe raw.storeBytes(of: 0, toByteOffset: 8 * pieces.count, as: UInt64.self)
      }
    }
    figures.encoding = encoding == .compact ? 1 : encoding == .fixed ? 2 : 0
  }
}
