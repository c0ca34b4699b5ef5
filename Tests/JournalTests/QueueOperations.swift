import AuditRecord

@testable import Journal

/// All that can happen to a queue, in steps that are small but for one that is whole.
enum QueueOperation: CaseIterable {
  case admit
  case writeHalf, writeOne, writeAll
  case readHalf, readOne, readAll
  case confirmOne, confirmAll
  case childDies, takeover
  case diskFails, diskLosesLast, diskIsBack, sync
  case readBack, isUnreadable, unload, shed
}

extension QueueWorld {
  /// - Returns: whether the operation has a meaning in this state.
  mutating func apply(_ operation: QueueOperation) -> Bool {
    defer { takeLeftOut() }
    switch operation {
    case .admit: return admit()
    case .writeHalf: return queue.stream.offset == 0 && writeLine { max(1, $0 / 2) }
    case .writeOne: return writeLine { $0 }
    case .writeAll:
      guard writeLine({ $0 }) else { return false }
      while writeLine({ $0 }) {}
      return true
    case .readHalf: return !space.confirms && partial.isEmpty && read { max(1, $0 / 2) }
    case .readOne: return !space.confirms && read { $0 }
    case .readAll: return !space.confirms && read { _ in .max }
    case .confirmOne: return confirm(1)
    case .confirmAll: return queue.stream.records > 1 && confirm(queue.stream.records)
    case .childDies:
      queue.restart(unread: socket.count, journal: journal)
      forgetChild()
      return true
    case .takeover: return takeOver()
    case .diskFails, .diskLosesLast, .diskIsBack, .sync: return applyToDisk(operation)
    case .readBack: return readBack()
    case .isUnreadable: return findUnreadable()
    case .unload: return queue.unload()
    case .shed:
      // Of a durable queue this is the last resort; events of which it has a part may be cut.
      return !space.isDurable && queue.shed(journal: journal)
    }
  }

  private mutating func takeLeftOut() {
    for range in queue.takeLeftOut() { leftOut.formUnion(range.map { Int($0.value) }) }
  }

  private var next: RecordNumber { RecordNumber(UInt64(put)) }

  private mutating func admit() -> Bool {
    guard put < space.records else { return false }
    put += 1
    queue.admit(moments.batch(put - 1), journal: journal, now: 1)
    if space.isDurable, log.state == .takesRecords { disk.insert(put - 1) }
    return true
  }

  // MARK: The plugin

  /// Writes as much of the next line as `size` says of its length.
  private mutating func writeLine(_ size: (Int) -> Int) -> Bool {
    var scratch: [UInt8] = []
    var piece: [UInt8] = []
    _ = unsafe queue.write(journal: journal, now: 1, scratch: &scratch) { bytes, _, _ in
      guard piece.isEmpty, let newline = unsafe bytes.firstIndex(of: 0x0a) else { return .nothing }
      unsafe piece = Array(bytes.prefix(size(newline + 1)))
      return .bytes(piece.count)
    }
    guard !piece.isEmpty else { return false }
    socket += piece
    // One that confirms reads at once.
    if space.confirms {
      take(socket.count)
      queue.setUnread(0)
    }
    return true
  }

  private mutating func read(_ size: (Int) -> Int) -> Bool {
    guard !socket.isEmpty else { return false }
    let line = socket.firstIndex(of: 0x0a).map { $0 + 1 } ?? socket.count
    take(min(socket.count, size(line)))
    queue.setUnread(socket.count)
    return true
  }

  private mutating func take(_ count: Int) {
    for byte in socket.prefix(count) {
      guard byte == 0x0a else {
        partial.append(byte)
        continue
      }
      if partial.starts(with: "type=A ".utf8), let digit = partial.last {
        let index = Int(digit - UInt8(ascii: "0"))
        read.append(index)
        if !space.confirms { note(index) }
      }
      partial.removeAll()
    }
    socket.removeFirst(count)
  }

  private mutating func note(_ index: Int) {
    delivered.insert(index)
    deliveredHere.insert(index)
  }

  private mutating func confirm(_ count: Int) -> Bool {
    guard space.confirms, count > 0, queue.stream.records >= count else { return false }
    let first = read.count - queue.stream.records
    for index in read[first..<first + count] { note(index) }
    return queue.confirm(upTo: queue.firstNumber + (count - 1))
  }

  private mutating func forgetChild() {
    socket = []
    partial = []
    read = []
  }

  // MARK: The process that dispatches

  /// The process dies, and its plugin's; another goes on with what the first had left.
  private mutating func takeOver() -> Bool {
    guard log.state == .takesRecords, put > 0 else { return false }
    let state = queue.state(end: next)
    let repeated = UInt64(queue.stream.records)
    log = LogKnowledge()
    log.wentOn(from: next)
    queue = Self.makeQueue(space, moments.journals[0], log)
    queue.adopt(state.counters, firstNumber: state.firstNumber)
    queue.adoptAnnounced(state.announced.read, of: state.counters)
    let queued = state.counters.queued
    let bytes = state.counters.queuedBytes
    if space.isDurable {
      let waiting = disk.subtracting(leftOut).filter { $0 >= Int(state.undelivered.value) }
        .sorted().map { RecordNumber(UInt64($0))..<RecordNumber(UInt64($0 + 1)) }
      let died = queue.adoptStored(waiting, queued: queued, bytes: bytes)
      queue.beginAgain(repeated: repeated, journal: journal)
      queue.announceDied(died)
    } else {
      queue.settle(queued: queued, bytes: bytes, delivered: 0)
      queue.doWithoutLog()
    }
    cut.formUnion(QueueSpace.events.prefix(put))
    deliveredHere = []
    forgetChild()
    return true
  }

  // MARK: The disk

  private mutating func applyToDisk(_ operation: QueueOperation) -> Bool {
    guard space.isDurable else { return false }
    let takes = log.state == .takesRecords
    switch operation {
    case .diskFails:
      guard takes else { return false }
      log.stopped(from: next)
      queue.logLost(from: next, [])
    case .diskLosesLast:
      // What was synced, or was given to a plugin that waits for that, is not lost.
      let isSynced = space.action == .lossless && log.safeBelow >= next
      guard takes, !isSynced, disk.remove(put - 1) != nil else { return false }
      log.stopped(from: moments.slice(put - 1).numbers.lowerBound)
      queue.logLost(from: moments.slice(put - 1).numbers.lowerBound, [moments.slice(put - 1)])
    case .diskIsBack:
      guard !takes else { return false }
      log.wentOn(from: next)
    default:
      guard takes, space.action == .lossless, log.safeBelow < next else { return false }
      log.synced(below: next)
    }
    return true
  }

  private mutating func readBack() -> Bool {
    guard let first = queue.wanted?.records.lowerBound else { return false }
    guard disk.contains(Int(first.value)) else { return false }
    queue.readBack([moments.segment], through: first + 1, now: 1)
    return true
  }

  private mutating func findUnreadable() -> Bool {
    guard let first = queue.wanted?.records.lowerBound else { return false }
    cut.insert(QueueSpace.events[Int(first.value)])
    disk.remove(Int(first.value))
    queue.readBack([], through: first + 1, now: 1)
    return true
  }
}
