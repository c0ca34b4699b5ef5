import AuditRecord
import CAudispatch
import Configuration
import Glibc
import Journal
import Linux

/// Leaving behind what a successor needs.
extension Dispatcher {
  /// Makes the state as it is now that which a successor finds. Nothing may be written to a plugin,
  /// or consumed of what it says, that was not published before.
  func publish() {
    guard survivor.isHeld else { return }
    unsafe survivor.publish { snapshot in
      let settled = source.settled
      unsafe snapshot.pointee.settled = settled.byte
      unsafe snapshot.pointee.settled_sequence = settled.record.value
      unsafe withUnsafeBytes(of: settled.reader) { reader in
        unsafe withUnsafeMutableBytes(of: &snapshot.pointee.reader) { kept in
          unsafe kept.copyMemory(from: reader)
        }
      }
      unsafe snapshot.pointee.taken = source.taken
      unsafe withUnsafeBytes(of: source.reader) { reader in
        unsafe withUnsafeMutableBytes(of: &snapshot.pointee.taken_reader) { kept in
          unsafe kept.copyMemory(from: reader)
        }
      }
      let end = journal.nextRecord
      unsafe snapshot.pointee.next_sequence = end.value
      unsafe snapshot.pointee.next_event = journal.nextEvent.value
      unsafe snapshot.pointee.records = source.records
      unsafe snapshot.pointee.bytes = source.bytes
      unsafe snapshot.pointee.events = events
      unsafe withUnsafeMutableBytes(of: &snapshot.pointee.malformed) { raw in
        for (index, count) in source.malformed.enumerated() {
          unsafe raw.storeBytes(of: count, toByteOffset: 8 * index, as: UInt64.self)
        }
      }
      let place = placeInLog
      unsafe snapshot.pointee.spool_shift = place.shift
      var used = 0
      for plugin in plugins {
        guard let slot = plugin.slot else { continue }
        unsafe plugin.left(end: end, place).store(
          &ad_snapshot_plugin(snapshot, Int32(slot)).pointee)
        used = max(used, slot + 1)
      }
      unsafe snapshot.pointee.plugins = UInt64(used)
    }
  }

  /// The journal's numbers less the log's, of records from that one on; until this process has
  /// opened the log, as a predecessor had them. 0: there was no log.
  private var placeInLog: (shift: UInt64, from: RecordNumber) {
    guard let durable, durable.isSettled else { return (predecessor?.spoolShift ?? 0, .max) }
    return (durable.spool.recordShift, durable.endAtOpening)
  }

  /// Events begun, by predecessors too.
  var events: UInt64 { eventsBefore &+ journal.eventsBegun }

  /// Gives a plugin its place in the surviving memory, and what a predecessor had for it.
  func takeSlot(_ plugin: Plugin) {
    guard survivor.isHeld, plugin.name.utf8.count <= Survivor.maximumName else { return }
    if isTakingOver, let queue = predecessor?.queues[plugin.name] {
      plugin.slot = queue.slot
      plugin.subscription.confirms = plugin.configuration.confirms
      plugin.subscription.adopt(queue.counters, firstNumber: queue.firstNumber)
      plugin.subscription.encoding = queue.encoding
      plugin.lifecycle.adopt(restarts: queue.restarts)
      plugin.deliveredBefore = queue.counters.delivered
      plugin.dropsReported = plugin.subscription.counters
      let isStream = queue.child != 0 && survivor.child(queue.slot) == queue.child
      plugin.inheritance = Inheritance(
        queue: queue,
        isAwaited: isStream
          && (holder?.kept[queue.child] != nil || keptSockets[queue.child] != nil))
      return
    }
    var taken = Set(plugins.compactMap(\.slot))
    if isTakingOver { taken.formUnion(predecessor?.queues.values.map(\.slot) ?? []) }
    plugin.slot = (0..<Survivor.maximumPlugins).first { !taken.contains($0) }
    if let slot = plugin.slot {
      survivor.setName(slot, plugin.name)
    } else {
      say(
        .error,
        "plugin \(plugin.name): more than \(Survivor.maximumPlugins) plugins: what it has queued is "
          + "not counted should the dispatching process die")
    }
  }

  /// Lets go of a plugin that is configured no more.
  func remove(_ plugin: Plugin) {
    plugins.removeAll { $0.id == plugin.id }
    if let slot = plugin.slot { survivor.setName(slot, "") }
  }

  /// A child was started: should this process die, others have its socket.
  func keep(_ plugin: Plugin) {
    guard let slot = plugin.slot, let pid = plugin.child?.pid, let ourEnd = plugin.ourEnd?.number,
      let childEnd = plugin.childEnd?.number
    else { return }
    nextChild += 1
    plugin.childNumber = survivor.generation << 32 | nextChild
    plugin.confirmedAtStart = plugin.subscription.firstNumber
    survivor.beginChild(slot, plugin.name, plugin.childNumber)
    publish()
    holder?.keep(plugin.childNumber, pid, ourEnd: ourEnd, childEnd: childEnd)
    service?.keep(plugin.childNumber, ourEnd: ourEnd, childEnd: childEnd)
  }

  /// Has what is in force kept, after a start and a reload.
  func keepInForce() {
    guard !isInForceKept, runtime.isOurs else { return }
    isInForceKept = true
    guard holder != nil || service != nil else { return }
    let inForce = InForce(
      daemon: configuration,
      active: plugins.filter { !$0.lifecycle.isBeingRemoved }.map(\.configuration),
      inactive: inactive, node: node)
    do {
      let file = try inForce.file()
      service?.keepInForce(file.number)
      holder?.keepInForce(file)
    } catch {
      say(.error, "a successor would begin with what is on disk: \(error)")
    }
  }

  /// A child's end was seen, and its queue knows of it.
  func letGo(_ plugin: Plugin) {
    guard plugin.slot != nil, plugin.childNumber != 0 else { return }
    let number = plugin.childNumber
    plugin.childNumber = 0
    publish()
    forgetChild(number)
  }

  /// All that is to be known of a child is in the surviving memory.
  func forgetChild(_ number: UInt64) {
    holder?.forget(number)
    service?.forget(number)
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
    end: RecordNumber, _ place: (shift: UInt64, from: RecordNumber)
  ) -> Predecessor.Queue {
    let state = subscription.state(end: end)
    if var queue = inheritance?.queue {
      queue.counters = state.counters
      queue.firstNumber = state.firstNumber
      if inheritance?.isPassingOver ?? false {
        queue.undelivered = state.undelivered
        queue.position += state.position
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
      deliveredAtStart: deliveredAtStart, confirmedAtStart: confirmedAtStart,
      firstNumber: state.firstNumber, restarts: lifecycle.restarts, child: childNumber,
      encoding: state.encoding, announced: state.announced,
      pieces: state.pieces.isEmpty
        ? [] : state.pieces.map { $0.records << 1 | ($0.isOnDisk ? 1 : 0) })
  }
}
