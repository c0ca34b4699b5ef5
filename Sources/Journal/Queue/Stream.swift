import DequeModule

/// How far the stream to one process of a plugin has come.
public struct StreamPosition: Equatable, Sendable {
  /// Behind the last byte that was written.
  public internal(set) var written = StreamOffset(0)
  /// Queued records that were written whole.
  public internal(set) var records: UInt64 = 0
  /// Behind the last record, announcement or repetition that was written whole.
  public internal(set) var things = ThingNumber(0)
  /// Bytes of the next thing that were written.
  public internal(set) var rest = 0
  /// Where the last thing ended that is no queued record, but an announcement or a repetition.
  public internal(set) var extraEnd = StreamOffset(0)
}

/// What lies in the socket of the plugin's present process.
///
/// Contract:
/// - `stretches` is what was written whole and is not read, or not confirmed, in order.
/// - `extras` was decided to be written before the next record; the first of them may be written in
///   part. Nothing else is written before they are.
/// - `offset` bytes of what comes next are written, and `readOffset` bytes of the first stretch, or
///   of what comes next, are read.
/// - `outstanding` bytes of all are written and not known to be read.
struct Stream {
  enum Kind: Equatable {
    /// Records of the queue.
    case records
    /// A gap record: in no counter.
    case announcement
    /// What a predecessor had read of an event that goes on.
    case repetition
  }

  struct Stretch {
    var run: Run
    var kind: Kind
  }

  private(set) var stretches = Deque<Stretch>()
  private(set) var extras = Deque<Stretch>()
  var offset: Int { position.rest }
  private(set) var readOffset = 0
  private(set) var outstanding = 0
  private(set) var position = StreamPosition()
  /// Records of the queue in `stretches`.
  private(set) var records = 0
  /// All that is in `stretches`.
  private(set) var things = 0

  /// Whether the plugin has all of it: what is left, if anything, are announcements that it has read,
  /// which nothing confirms but the next record.
  var isDone: Bool {
    extras.isEmpty && (stretches.isEmpty || records == 0 && outstanding == 0)
  }

  // MARK: Writing

  /// Has something written before the next record, of which nothing is written yet.
  mutating func put(_ run: Run, _ kind: Kind) { extras.append(Stretch(run: run, kind: kind)) }

  /// The socket took some bytes of a run, which is what comes next.
  ///
  /// - Parameters:
  ///   - index: the run's records up to it are whole now.
  ///   - rest: bytes of the next record that are in the socket.
  /// - Returns: what is whole now.
  @inline(__always)
  mutating func wrote(
    _ bytes: Int, of run: Run, _ kind: Kind, upTo index: Int, rest: Int
  ) -> Run {
    outstanding += bytes
    position.written = position.written + bytes
    position.rest = rest
    let whole = Run(segment: run.segment, start: run.start, end: index)
    things += whole.count
    position.things = position.things + whole.count
    if kind == .records {
      records += whole.count
      position.records += UInt64(whole.count)
    } else {
      position.extraEnd = position.written
      if index == run.end { extras.removeFirst() } else { extras[0].run.start = index }
    }
    if whole.count > 0 { add(Stretch(run: whole, kind: kind)) }
    return whole
  }

  @inline(__always)
  private mutating func add(_ new: Stretch) {
    let last = stretches.count - 1
    if last >= 0, stretches[last].run.end == new.run.start,
      stretches[last].run.segment === new.run.segment, stretches[last].kind == new.kind,
      new.kind != .announcement
    {
      stretches[last].run.end = new.run.end
    } else {
      stretches.append(new)
    }
  }

  // MARK: Reading

  /// So many bytes of what was written are unread; `takeRead` gives what was read.
  @inline(__always)
  mutating func setUnread(_ unread: Int, counts: Bool) {
    let read = outstanding - unread
    precondition(read >= 0, "a plugin cannot have more unread than was written")
    outstanding = unread
    if counts { readOffset += read }
  }

  /// The next whole records that were read.
  @inline(__always)
  mutating func takeRead(_ encoding: Encoding) -> Stretch? {
    guard readOffset > 0, let first = stretches.first else { return nil }
    let run = first.run
    let whole = encoding.size(run.segment, run.start..<run.end)
    if readOffset >= whole {
      readOffset -= whole
      return take(run.count)
    }
    let (index, rest) = encoding.locate(run.segment, run.start..<run.end, bytes: readOffset)
    guard index > run.start else { return nil }
    readOffset = rest
    return take(index - run.start)
  }

  /// Behind the last record of the queue that was read whole, of those in the stream; `nil` when
  /// there are none.
  func endOfRead(unread: Int, _ encoding: Encoding) -> RecordNumber? {
    var left =
      stretches.reduce(offset) { sum, stretch in
        sum + encoding.size(stretch.run.segment, stretch.run.start..<stretch.run.end)
      } - unread
    var end: RecordNumber?
    for stretch in stretches {
      let run = stretch.run
      let (index, rest) = encoding.locate(
        run.segment, run.start..<run.end, bytes: max(0, left))
      if stretch.kind == .records { end = run.segment.first + index }
      if index < run.end { break }
      left = rest
    }
    return end
  }

  /// The next of the first `count` records of the queue, and what lies before them.
  mutating func takeConfirmed(_ count: Int) -> Stretch? {
    guard count > 0, let first = stretches.first else { return nil }
    return take(first.kind == .records ? min(count, first.run.count) : first.run.count)
  }

  private mutating func take(_ count: Int) -> Stretch {
    var taken = stretches[0]
    taken.run.end = taken.run.start + count
    if taken.run.end == stretches[0].run.end {
      stretches.removeFirst()
    } else {
      stretches[0].run.start = taken.run.end
    }
    things -= count
    if taken.kind == .records { records -= count }
    return taken
  }
}
