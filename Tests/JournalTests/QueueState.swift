import AuditRecord
import DequeModule
import Testing

@testable import Journal

/// The small space over which a queue is tried: what is put to it, and how it was made.
struct QueueSpace: CustomTestStringConvertible, Sendable {
  enum Action: CaseIterable { case dropNewest, dropOldest, spill, lossless }

  var action: Action
  var confirms: Bool
  var isDurable: Bool { action == .spill || action == .lossless }
  var testDescription: String { "\(action)" + (confirms ? ", confirming" : "") }

  static let all = Action.allCases.flatMap { action in
    [false, true].map { QueueSpace(action: action, confirms: $0) }
  }

  /// The events of the records, in order: two that are interleaved.
  static let events = [1, 2, 1, 2, 1]
  /// Bytes of every record's text, newline included.
  static let length = "type=A msg=audit(1700000000.001:1): 0\n".utf8.count

  /// How many records come. A durable queue has many more states: 90,000 with three records.
  var records: Int {
    switch (isDurable, environmentAsksForMore) {
    case (false, false): 3
    case (false, true): 5
    case (true, false): 2
    case (true, true): 3
    }
  }

  var limits: Subscription.Limits {
    let whenFull: Subscription.WhenFull = action == .dropOldest ? .dropOldest : .dropNewest
    return Subscription.Limits(
      records: isDurable ? .max : min(3, records - 1),
      bytes: isDurable ? (records - 1) * Self.length : 1 << 20,
      whenFull: whenFull)
  }
}

/// A journal at every moment of its life: the n-th has taken n of the records.
struct JournalMoments {
  let journals: [Journal]
  let segment: Segment

  init(records: Int) {
    journals = (0...records).map { count in
      let journal = Journal()
      journal.beginBatch()
      for (index, event) in QueueSpace.events.prefix(count).enumerated() {
        journal.appendLine("type=A msg=audit(1700000000.001:\(event)): \(index)")
      }
      return journal
    }
    segment = journals[records].batch.slices[0].segment
  }

  func slice(_ index: Int) -> Journal.Slice {
    Journal.Slice(segment: segment, start: index, end: index + 1, bytes: QueueSpace.length)
  }

  /// What came when the record of that index did.
  func batch(_ index: Int) -> Journal.Batch {
    var batch = Journal.Batch()
    batch.slices = [slice(index)]
    batch.records = 1
    batch.bytes = QueueSpace.length
    batch.oldestEvent = EventNumber(UInt64(QueueSpace.events[index] - 1))
    batch.firstNewEvent = journals[index].nextEvent
    batch.nextEvent = journals[index + 1].nextEvent
    return batch
  }
}

/// One queue with what is around it: the log, the socket, and what the plugin has read.
struct QueueWorld: ~Copyable {
  let space: QueueSpace
  let moments: JournalMoments
  var queue: Subscription
  var log = LogKnowledge()
  /// Records that came.
  var put = 0
  /// Records that the disk has, and those of which the log knows that the plugin is not to get them.
  var disk: Set<Int> = []
  var leftOut: Set<Int> = []
  /// The plugin's socket: what is in it, and what its present process has read of a line.
  var socket: [UInt8] = []
  var partial: [UInt8] = []
  /// Indices of the records that the plugin's present process has read, in order.
  var read: [Int] = []
  /// Indices of all that were delivered, and of those since the last takeover.
  var delivered: Set<Int> = []
  var deliveredHere: Set<Int> = []
  /// Events of which some record may be missing: begun before a takeover, or lost by the disk.
  var cut: Set<Int> = []

  init(_ space: QueueSpace, _ moments: JournalMoments) {
    self.space = space
    self.moments = moments
    queue = Self.makeQueue(space, moments.journals[0], log)
    log.wentOn(from: RecordNumber(0))
    queue.restore([], bytes: 0, firstNumber: StreamNumber(1))
  }

  static func makeQueue(
    _ space: QueueSpace, _ journal: Journal, _ log: LogKnowledge
  ) -> Subscription {
    var queue = Subscription(
      name: "p", limits: space.limits, encoding: .string, announcesGaps: true, node: nil,
      journal: journal)
    queue.confirms = space.confirms
    if space.isDurable {
      queue.goOn(
        in: log, beyond: .init(records: 1, bytes: 1 << 20, whenFull: .dropNewest),
        waitsForSync: space.action == .lossless)
    }
    return queue
  }

  /// Another world in the same state.
  init(copying other: borrowing QueueWorld) {
    space = other.space
    moments = other.moments
    log = Self.copy(other.log)
    queue = Self.makeQueue(space, moments.journals[0], log)
    queue.admission = other.queue.admission
    queue.backlog = other.queue.backlog
    queue.holding = other.queue.holding
    queue.stream = other.queue.stream
    queue.beginnings = other.queue.beginnings
    if let share = other.queue.disk {
      queue.disk = DiskShare(
        log: log, window: share.window, waitsForSync: share.waitsForSync)
      if !share.awaitsLog { queue.disk?.awaitsLogNoMore() }
      queue.disk?.set(records: share.records, bytes: share.bytes)
    }
    put = other.put
    disk = other.disk
    socket = other.socket
    partial = other.partial
    read = other.read
    delivered = other.delivered
    deliveredHere = other.deliveredHere
    leftOut = other.leftOut
    cut = other.cut
  }

  private static func copy(_ log: LogKnowledge) -> LogKnowledge {
    let copy = LogKnowledge()
    copy.wentOn(from: RecordNumber(0))
    for gone in log.lacks {
      copy.stopped(from: gone.lowerBound)
      if gone.upperBound != .max { copy.wentOn(from: gone.upperBound) }
    }
    if log.state == .takesRecords { copy.synced(below: log.syncedBelow) }
    return copy
  }

  var journal: Journal { moments.journals[put] }

  /// All that the queue's behaviour depends on, and what is checked of the past.
  var key: [Int] {
    var key = [put, socket.count, partial.count, queue.stream.offset, queue.stream.readOffset]
    func add(_ ranges: some Sequence<Range<RecordNumber>>) {
      for range in ranges {
        key += [Int(clamping: range.lowerBound.value), Int(clamping: range.upperBound.value)]
      }
      key.append(-1)
    }
    let backlog = queue.backlog
    add(backlog.pending.ranges)
    add(queue.holding.runs.map(\.numbers))
    add(log.lacks)
    key += [log.state == .takesRecords ? 1 : 0, Int(clamping: log.safeBelow.value)]
    for gap in backlog.announcements {
      key += [Int(gap.before.value), Int(gap.gap.records), gap.gap.reason.rawValue]
    }
    key += [-2, backlog.announcedInStream, Int(backlog.announced.read)]
    key += [Int(backlog.announced.written), Int(backlog.gapAhead.records)]
    key += [Int(backlog.written.value), Int(backlog.givenBelow.value)]
    key.append(Int(backlog.numberedBelow.value))
    key += [Int(backlog.firstNumber.value), Int(backlog.counters.delivered)]
    key += DropReason.allCases.map { Int(backlog.counters[$0]) }
    for stretch in Array(queue.stream.stretches) + Array(queue.stream.extras) {
      key += [stretch.kind == .records ? 0 : stretch.kind == .announcement ? 1 : 2]
      key +=
        stretch.kind == .announcement ? [stretch.run.count] : [stretch.run.start, stretch.run.end]
    }
    key += [-3, queue.stream.stretches.count, Int(queue.admission.gap.records)]
    switch queue.admission.mode {
    case .admitting: key.append(-1)
    case .dropping(let from), .suspended(let from): key.append(Int(from.value))
    }
    key += queue.admission.droppedEvents.map { Int($0.value) }.sorted() + [-4]
    for event in [EventNumber(0), EventNumber(1)] {
      key.append(queue.beginnings.has(event) ? 1 : 0)
      switch queue.admission.known(event, .queueFull) {
      case nil: key.append(0)
      case .notMeant: key.append(1)
      case .dropped(let reason): key.append(2 + reason.rawValue)
      }
    }
    key += [
      queue.disk?.records ?? 0, queue.disk?.bytes ?? 0, queue.disk?.awaitsLog == true ? 1 : 0,
    ]
    for set in [disk, leftOut, delivered, deliveredHere, cut] { key += [-5] + set.sorted() }
    return key + [-6] + read
  }
}
