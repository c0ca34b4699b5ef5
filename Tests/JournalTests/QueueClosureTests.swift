import AuditRecord
import DequeModule
import Testing

@testable import Journal

/// Every state that a queue can come to in a small space, and the contract of its values in each.
///
/// Up to five records of two interleaved events, a bound that they exceed, a window of one record:
/// from the empty queue every operation is tried in every state until no new one appears.
/// `AUDISPATCH_LONG=1` asks for more records.
@Suite("Every state of a small queue")
struct QueueClosureTests {
  /// A state, and how it was come to.
  private final class Place {
    var world: QueueWorld
    let path: [QueueOperation]

    init(_ world: consuming QueueWorld, _ path: [QueueOperation]) {
      self.world = world
      self.path = path
    }
  }

  @Test(arguments: QueueSpace.all)
  func `keeps its contract, and comes to its end`(_ space: QueueSpace) {
    let moments = JournalMoments(records: space.records)
    let start = QueueWorld(space, moments)
    var known: Set<[Int]> = [start.key]
    var open: Deque = [Place(start, [])]
    while let place = open.popFirst() {
      for operation in QueueOperation.allCases {
        var world = QueueWorld(copying: place.world)
        guard world.apply(operation), known.insert(world.key).inserted else { continue }
        let path = place.path + [operation]
        var problems = world.brokenContracts()
        problems += world.problemsOfDraining()
        guard problems.isEmpty else {
          Issue.record("\(space): after \(path): \(problems.joined(separator: "; "))")
          return
        }
        open.append(Place(world, path))
      }
    }
    print("\(space.testDescription): \(known.count) states")
    #expect(known.count > 100)
  }
}

extension QueueWorld {
  /// What does not hold of the queue's values.
  func brokenContracts() -> [String] {
    var broken: [String] = []
    func check(_ holds: Bool, _ what: String) { if !holds { broken.append(what) } }
    let backlog = queue.backlog
    let counters = backlog.counters
    let pending = backlog.pending.ranges.flatMap { Array($0) }
    let held = queue.holding.runs.flatMap { Array($0.numbers) }
    let missing = Set(pending).subtracting(held)
    check(counters.isBalanced, "the counters are balanced")
    check(counters.received == UInt64(put), "what was put was received")
    check(counters.queued == UInt64(pending.count), "what is queued is pending")
    check(counters.queuedBytes == pending.count * QueueSpace.length, "and so are its bytes")
    check(counters.delivered == UInt64(delivered.count), "what was read is delivered")
    check(backlog.pending.count == pending.count, "ranges know how many records they have")
    check(pending == pending.sorted() && Set(pending).count == pending.count, "pending ascends")
    check(held == held.sorted() && Set(held).count == held.count, "runs ascend")
    check(
      queue.holding.runs.allSatisfy { backlog.pending.overlaps($0.numbers) },
      "a run has something pending")
    check(missing.count == queue.storedRecords, "what is not held is counted as stored")
    check(missing.allSatisfy { disk.contains(Int($0.value)) }, "what is not held is on disk")
    check(
      pending.allSatisfy { !delivered.contains(Int($0.value)) }, "nothing delivered is pending")
    let written = pending.filter { $0 < backlog.written }
    let inStream = queue.stream.stretches.filter { $0.kind == .records }.flatMap {
      Array($0.run.numbers)
    }
    check(inStream == written, "what is written lies in the stream")
    check(queue.stream.records == written.count, "and is counted there")
    check(queue.outstanding == socket.count, "as many bytes are unread as the socket has")
    let places = backlog.announcements.map(\.before)
    check(places == places.sorted(), "announcements ascend")
    let logged = queue.queuedInLog.flatMap { Array($0) }
    check(logged.allSatisfy { disk.contains(Int($0.value)) }, "the log has what it says")
    check(logged.count + queue.queuedInMemoryOnly == pending.count, "log and memory are all")
    if space.action == .lossless, log.state == .takesRecords {
      check(written.allSatisfy { $0 < log.safeBelow }, "nothing is given that is not safe")
    }
    broken += brokenOrder()
    return broken
  }

  /// Whether what the present process of the plugin has read is in order, and whole from the front.
  private func brokenOrder() -> [String] {
    var next: [Int: Int] = [:]
    for index in read {
      let event = QueueSpace.events[index]
      let place = QueueSpace.events[..<index].count { $0 == event }
      let isExpected = place == next[event, default: 0]
      if !space.confirms, !isExpected, !cut.contains(event) {
        return ["event \(event) is given as \(read)"]
      }
      next[event] = place + 1
    }
    if space.confirms, read != Array(Set(read)).sorted() { return ["\(read) is in order"] }
    return []
  }

  /// What does not hold when from here on the plugin reads all.
  func problemsOfDraining() -> [String] {
    var world = QueueWorld(copying: self)
    for _ in 0..<64 where !world.queue.isEmpty {
      _ = world.apply(.sync)
      while world.apply(.readBack) {}
      _ = world.apply(.writeAll)
      _ = world.apply(space.confirms ? .confirmOne : .readAll)
    }
    let counters = world.queue.counters
    var problems = world.brokenContracts()
    // An announcement behind the last record that is confirmed is not known to be read.
    if world.queue.counters.queued > 0 { problems.append("all is drained") }
    if !space.confirms, !world.queue.isEmpty { problems.append("nothing is left") }
    if counters.queuedBytes != 0 { problems.append("no bytes are left") }
    for event in Set(QueueSpace.events).subtracting(cut) {
      let records = QueueSpace.events.prefix(put).indices.filter {
        QueueSpace.events[$0] == event
      }
      let given = records.filter(world.delivered.contains)
      if !given.isEmpty, given != records { problems.append("event \(event) is whole: \(given)") }
    }
    return problems
  }
}
