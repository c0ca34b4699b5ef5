import AuditRecord
import CAudispatch
import Configuration
import Glibc
import Journal
import Linux

/// The proof that a successor would find everything as it is now: only `Ledger.publish` gives one.
///
/// What cannot be taken back asks for it: to take what a plugin says off its socket, to put records into
/// the log, to tell other hosts that theirs are stored, to hand over a child or a connection, to let go
/// of a child, an input or a part of the ring.
/// It is good for what was published with it: used at once, and never kept.
struct Permit: ~Copyable {
  fileprivate init() {}
}

/// The proof that a successor would find every record that the queues have: only `Ledger` gives one.
///
/// A write to a plugin asks for it, and for no more: what the socket took is noted with the write.
struct WritingPermit: ~Copyable {
  fileprivate init() {}
}

/// What a successor needs of this process: written into the surviving memory, whole or not at all.
///
/// Nothing may be written to a plugin, consumed of what it says, put into the log or forgotten that
/// was not published before: a successor would give it twice, or not at all. Whoever does so takes a
/// permit of it.
final class Ledger: Owner {
  /// Records and events are counted from here, so that there is room below for what a log has.
  static let firstRecord = RecordNumber(1 << 62)
  static let firstEvent = EventNumber(1 << 62)

  let base: Base
  let survivor: Survivor
  let predecessor: Predecessor?
  /// The journal's numbers less the log's, of records from that one on; until this process has opened
  /// the log, as a predecessor had them. `nil`: there was no log.
  private var placeInLog: (shift: LogShift?, from: RecordNumber)
  /// The number of the first record that came to this process.
  private(set) var ownFirst: RecordNumber
  /// Events begun by predecessors.
  private var eventsBefore: UInt64 = 0
  /// Plugins that are added go on with what a predecessor had for them.
  private var isTakingOver = true
  /// Places of plugins that get their names with what is published next: under a name a successor must
  /// not find what another plugin had there.
  private var unnamed: [(slot: Int, name: String)] = []
  /// The next record's number when the state was published last; `nil`: all of it is to be published.
  private var publishedEnd: RecordNumber?
  /// Behind the last place of a plugin that is in use, or was.
  private var places = 0
  /// Cells of plugins that were written.
  private(set) var cellsWritten: UInt64 = 0

  init(_ base: Base, _ survivor: Survivor, _ predecessor: Predecessor?) {
    self.base = base
    self.survivor = survivor
    self.predecessor = predecessor
    placeInLog = (predecessor?.spoolShift, .max)
    ownFirst = base.journal.nextRecord
    places = (predecessor?.queues.values.map(\.slot).max()).map { $0 + 1 } ?? 0
  }

  /// Events begun, by predecessors too.
  var events: UInt64 { eventsBefore &+ journal.eventsBegun }

  // MARK: Taking over

  /// All plugins that a predecessor may have had something for are there.
  ///
  /// - Returns: how many processes in a row began here and died before they got further.
  func enter() -> Int {
    isTakingOver = false
    return survivor.isHeld ? survivor.enter(at: predecessor?.nextRecord.value ?? 0) : 0
  }

  /// What the predecessor had made records of was made into records again: what comes from here on is
  /// our own.
  func ownRecordsBegin() {
    ownFirst = journal.nextRecord
    eventsBefore = (predecessor?.events ?? 0) &- journal.eventsBegun
    for (name, queue) in predecessor?.queues ?? [:] where plugins.named(name) == nil {
      survivor.setName(queue.slot, "")
    }
  }

  /// It is known now where in the log the journal's records are.
  func logIsKnown(shift: LogShift, from first: RecordNumber) {
    placeInLog = (shift, first)
    publishedEnd = nil
  }

  /// The log has other records of the queues than it had.
  func logHasChanged() { publishedEnd = nil }

  /// Whether what a predecessor had written went to the child whose stream it published last.
  func isStream(_ queue: Predecessor.Queue) -> Bool {
    queue.child.map { $0.value == survivor.child(queue.slot) } ?? false
  }

  // MARK: Places of plugins

  /// The place of a plugin that is to be added, and what a predecessor had for it.
  func place(of name: String) -> (slot: Int?, share: Predecessor.Queue?) {
    guard survivor.isHeld, name.utf8.count <= Survivor.maximumName else { return (nil, nil) }
    if isTakingOver, let queue = predecessor?.queues[name] { return (queue.slot, queue) }
    var isTaken = [Bool](repeating: false, count: Survivor.maximumPlugins)
    for plugin in plugins.all { if let slot = plugin.slot { isTaken[slot] = true } }
    if isTakingOver {
      for queue in predecessor?.queues.values ?? [:].values { isTaken[queue.slot] = true }
    }
    let slot = isTaken.firstIndex(of: false)
    if let slot {
      places = max(places, slot + 1)
      unnamed.append((slot, name))
    } else {
      loop.say(
        .error,
        "plugin \(name): more than \(Survivor.maximumPlugins) plugins: what it has queued is "
          + "not counted should the dispatching process die")
    }
    return (slot, nil)
  }

  /// Lets go of the place of a plugin that is configured no more.
  func leave(_ plugin: Plugin) {
    guard let slot = plugin.losePlace() else { return }
    unnamed.removeAll { $0.slot == slot }
    survivor.setName(slot, "")
  }

  // MARK: Publishing

  /// For a write of what the queues have; publishes the state if records came since.
  @inline(__always)
  func permitWriting() -> WritingPermit {
    if publishedEnd != journal.nextRecord { publish() }
    return WritingPermit()
  }

  private func namePlaces() {
    for (slot, name) in unnamed { survivor.setName(slot, name) }
    unnamed = []
  }

  /// Makes the state as it is now that which a successor finds. Costs what has changed since the last
  /// time: with records that came, every plugin.
  @discardableResult
  func publish() -> Permit {
    let end = journal.nextRecord
    let isSame = publishedEnd == end
    publishedEnd = end
    guard survivor.isHeld else { return Permit() }
    unsafe write(to: survivor.next(), end: end)
    if !isSame || plugins.changes.count > 0 {
      for plugin in plugins.all where !isSame || plugin.isToBePublished {
        write(plugin, end: end)
      }
      plugins.changes.clear()
    }
    survivor.publish()
    if !unnamed.isEmpty { namePlaces() }
    return Permit()
  }

  @inline(__always)
  private func write(_ plugin: Plugin, end: RecordNumber) {
    guard let slot = plugin.slot else { return }
    unsafe plugin.left(end: end, placeInLog).store(&survivor.next(slot).pointee)
    plugin.published()
    cellsWritten &+= 1
  }

  private func write(to cell: UnsafeMutablePointer<ad_snapshot>, end: RecordNumber) {
    let settled = source.settled
    unsafe cell.pointee.settled = settled.byte.value
    unsafe cell.pointee.settled_sequence = settled.record.value
    unsafe cell.pointee.reader = ad_reader(settled.reader.kept)
    unsafe cell.pointee.taken = source.taken.value
    unsafe cell.pointee.taken_reader = ad_reader(source.reader.kept)
    unsafe cell.pointee.next_sequence = end.value
    unsafe cell.pointee.next_event = journal.nextEvent.value
    unsafe cell.pointee.records = source.figures.records
    unsafe cell.pointee.bytes = source.figures.bytes
    unsafe cell.pointee.events = events
    unsafe withUnsafeMutableBytes(of: &cell.pointee.malformed) { raw in
      for (index, count) in source.figures.malformed.enumerated() {
        unsafe raw.storeBytes(of: count, toByteOffset: 8 * index, as: UInt64.self)
      }
    }
    unsafe cell.pointee.spool_shift = LogShift.kept(placeInLog.shift)
    unsafe cell.pointee.awaited_from = source.awaitedFrom.value
    unsafe cell.pointee.plugins = UInt64(places)
  }
}

extension Plugin {
  /// What a successor is to know of it.
  ///
  /// - Parameters:
  ///   - end: the number of the next record of the journal.
  ///   - place: where in the log its records are, from one on.
  @inline(__always)
  fileprivate func left(
    end: RecordNumber, _ place: (shift: LogShift?, from: RecordNumber)
  ) -> Predecessor.Queue {
    let state = publishedState(end: end)
    if var queue = inheritance?.queue {
      queue.counters = state.counters
      queue.firstNumber = state.firstNumber
      if inheritance?.isPassingOver ?? false {
        queue.undelivered = state.undelivered
        queue.position = queue.position + Int(clamping: state.position.value)
        queue.shift = place.shift
      } else if queue.undelivered >= place.from {
        queue.shift = place.shift
      }
      return queue
    }
    return Predecessor.Queue(
      slot: slot ?? 0, counters: state.counters, undelivered: state.undelivered,
      shift: place.shift,
      position: state.position, extraEnd: state.stream.extraEnd,
      deliveredAtStart: atStart.delivered, confirmedAtStart: atStart.confirmed,
      firstNumber: state.firstNumber, restarts: lifecycle.restarts, child: child?.number,
      encoding: state.encoding, announced: state.announced, awaitsPast: state.awaitsPast,
      pieces: state.pieces.isEmpty
        ? [] : state.pieces.map { Predecessor.Piece($0.records, $0.isOnDisk ? .log : .memory) })
  }
}
