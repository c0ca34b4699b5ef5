import Journal

/// What a dead process had for a plugin, on its way into the plugin's queue.
struct Inheritance {
  var queue: Predecessor.Queue
  /// Its child may still run, and read.
  var isAwaited: Bool
  /// What was written to the child: bytes and whole records.
  var sent: (bytes: UInt64, records: UInt64)?
  /// What of it the child had not read.
  var unread: UInt64 = 0
  var unreadRecords: UInt64 = 0
  /// The highest number that it confirmed last.
  var confirmed: StreamNumber?
  /// Bytes that the child had read, of records that are read back now to know which these were.
  var left: UInt64?

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
    guard let sent, sent.bytes >= queue.extraEnd + unread else { return queue.announced.read }
    return queue.announced.written
  }

  /// Of so many records read, those on disk and those in memory only; and with what number the first
  /// one goes on that is left, so that none has the number of another.
  func split(_ done: UInt64) -> (onDisk: UInt64, inMemory: UInt64, number: StreamNumber) {
    var left = done
    var (onDisk, inMemory) = (UInt64(0), UInt64(0))
    // Lost in front of what is left, and behind some of it.
    var (lost, isLostBehind, hasLeft) = (UInt64(0), false, false)
    for piece in queue.pieces {
      let read = min(left, piece >> 1)
      left -= read
      if piece & 1 == 1 {
        onDisk += read
        hasLeft = hasLeft || read < piece >> 1
      } else {
        inMemory += read
        if read < piece >> 1 {
          isLostBehind = isLostBehind || hasLeft
          if !hasLeft { lost += piece >> 1 - read }
        }
      }
    }
    let number =
      queue.firstNumber + Int(clamping: isLostBehind ? queue.counters.queued : done &+ lost)
    return (onDisk, inMemory, number)
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
  mutating func lose(_ lost: Range<RecordNumber>, behind stored: UInt64) {
    guard undelivered < lost.upperBound else { return }
    var before = stored
    var gone = UInt64(lost.upperBound - max(undelivered, lost.lowerBound))
    let known = pieces.reduce(0) { $0 + $1 >> 1 }
    let rest = counters.queued - min(known, counters.queued)
    var new: [UInt64] = []
    func add(_ records: UInt64, isOnDisk: Bool) {
      let kind: UInt64 = isOnDisk ? 1 : 0
      if let last = new.last, last & 1 == kind {
        new[new.count - 1] += records << 1
      } else if records > 0 {
        new.append(records << 1 | kind)
      }
    }
    for piece in pieces + [rest << 1 | 1] {
      guard piece & 1 == 1 else {
        add(piece >> 1, isOnDisk: false)
        continue
      }
      let first = min(before, piece >> 1)
      let missing = min(gone, piece >> 1 - first)
      before -= first
      gone -= missing
      add(first, isOnDisk: true)
      add(missing, isOnDisk: false)
      add(piece >> 1 - first - missing, isOnDisk: true)
    }
    pieces = new
    // What is on disk begins behind them: their numbers there are others' now.
    if undelivered >= lost.lowerBound { undelivered = lost.upperBound }
  }
}
