import Journal

/// What a dead process had for a plugin, on its way into the plugin's queue.
struct Inheritance {
  var queue: Predecessor.Queue
  /// Its child may still run, and read.
  var isAwaited: Bool
  /// What was written to the child: up to which byte, and how many whole records.
  var sent: (bytes: StreamOffset, records: UInt64)?
  /// What of it the child had not read.
  var unread: UInt64 = 0
  var unreadRecords: UInt64 = 0
  /// The highest number that it confirmed last.
  var confirmed: StreamNumber?
  /// Bytes that the child had read, of records that are read back now to know which these were.
  var left: UInt64?

  /// What the log has for it from before the predecessor, which did not know of it.
  var past: KeptQueue?

  /// Lost with the predecessor's memory, and not announced yet.
  var died: UInt64 = 0

  var isPassingOver: Bool { left != nil }

  /// How many records of its queue the child had read, or confirmed, that the predecessor did not
  /// know of.
  func done(confirms: Bool) -> UInt64 {
    let done: UInt64
    if confirms {
      done = confirmed.map { UInt64(max(0, $0 + 1 - queue.firstNumber)) } ?? 0
    } else {
      let sent = sent?.records ?? 0
      let total = queue.deliveredAtStart + sent - min(sent, unreadRecords)
      done = max(total, queue.counters.delivered) - queue.counters.delivered
    }
    return min(done, queue.counters.queued)
  }

  /// Dropped records that the child had read gap records of.
  var announced: UInt64 {
    guard let sent, sent.bytes >= queue.extraEnd + Int(clamping: unread) else {
      return queue.announced.read
    }
    return queue.announced.written
  }

  /// What became of a queue's records.
  struct Split: Equatable {
    /// Read, of those on disk, and of those that the log does not have.
    var onDisk: UInt64 = 0
    var inMemory: UInt64 = 0
    /// Not read, and in memory only; and such that other hosts send again.
    var lost: UInt64 = 0
    var awaited: UInt64 = 0
    /// The number that the first one goes on with that is left: none has the number of another.
    var number: StreamNumber
  }

  /// What became of the queue's records, of which so many were read.
  func split(_ done: UInt64) -> Split {
    var split = Split(number: queue.firstNumber + Int(clamping: done))
    guard !queue.pieces.isEmpty else {
      split.onDisk = done
      return split
    }
    var left = done
    // Gone in front of what is left, and behind some of it.
    var (gone, isGoneBehind, hasLeft) = (UInt64(0), false, false)
    for piece in queue.pieces {
      let read = min(left, piece.records)
      left -= read
      let unread = piece.records - read
      switch piece.place {
      case .log:
        split.onDisk += read
        hasLeft = hasLeft || unread > 0
        continue
      case .memory: split.lost += unread
      case .senders: split.awaited += unread
      }
      split.inMemory += read
      if !hasLeft { gone += unread } else if unread > 0 { isGoneBehind = true }
    }
    split.number =
      queue.firstNumber + Int(clamping: isGoneBehind ? queue.counters.queued : done &+ gone)
    return split
  }
}

extension Predecessor.Queue {
  /// The log turns out to lack some of its records: they can have been read, or be lost, but cannot be
  /// given again.
  ///
  /// Where the queue had dropped some that the log lacks, as many behind them count as lacking, too:
  /// which ones it had dropped was lost with the log's notes.
  ///
  /// - Parameters:
  ///   - lost: their numbers, and perhaps those of others that the queue does not have.
  ///   - stored: how many of its records on disk come before them.
  ///   - awaited: the first of them that other hosts send again.
  mutating func lose(
    _ lost: Range<RecordNumber>, behind stored: UInt64, awaitedFrom awaited: RecordNumber
  ) {
    guard undelivered < lost.upperBound else { return }
    let begin = max(undelivered, lost.lowerBound)
    let again = min(max(begin, awaited), lost.upperBound)
    var parts = [
      Predecessor.Piece(stored, .log), Predecessor.Piece(UInt64(again - begin), .memory),
      Predecessor.Piece(UInt64(lost.upperBound - again), .senders),
    ]
    let known = pieces.reduce(0) { $0 + $1.records }
    let rest = counters.queued - min(known, counters.queued)
    var new: [Predecessor.Piece] = []
    func add(_ records: UInt64, _ place: Predecessor.Piece.Place) {
      if new.last?.place == place {
        new[new.count - 1].records += records
      } else if records > 0 {
        new.append(Predecessor.Piece(records, place))
      }
    }
    for piece in pieces + [Predecessor.Piece(rest, .log)] {
      guard piece.place == .log else {
        add(piece.records, piece.place)
        continue
      }
      var left = piece.records
      for index in parts.indices {
        let part = min(parts[index].records, left)
        parts[index].records -= part
        left -= part
        add(part, parts[index].place)
      }
      add(left, .log)
    }
    pieces = new
    // What is on disk begins behind them: their numbers there are others' now.
    if undelivered >= lost.lowerBound { undelivered = lost.upperBound }
  }
}
