import AuditRecord

extension Subscription {
  /// What became of the bytes that a socket was offered.
  public enum Taken {
    case bytes(Int)
    /// It has no room now.
    case nothing
    /// Nobody reads it any more.
    case refused
  }

  /// How writing what waits has ended.
  public enum Outcome {
    /// Nothing waits any more.
    case all
    /// The socket has no room. `isMidway`: it took a part of what it was offered last.
    case blocked(isMidway: Bool)
    /// So much lies unread in it that a successor could not tell more of it apart.
    case full
    case refused
  }

  /// So many things of a stream are unread at once, if reading them is all that the plugin does.
  public static let mostUnread = 8192
  /// So many are offered at once: a socket takes less, unless they are small.
  static let mostOffered = 1024

  /// Writes what waits, until the socket takes no more.
  ///
  /// Text goes out straight from the segment; binary records are put together in `scratch`, some
  /// 64 KiB at a time. Costs nothing for a record that needs no change.
  ///
  /// - Parameter send: is told what the bytes are, and how far the stream had come before.
  public mutating func write(
    journal: Journal, now: Int64, scratch: inout [UInt8],
    _ send: (UnsafeRawBufferPointer, StreamOffer, _ before: StreamPosition) -> Taken
  ) -> Outcome {
    while true {
      decideNext(journal, now: now)
      guard let (run, kind) = nextPiece(journal) else { return .all }
      // What was read and is not confirmed is not told apart by its place.
      let room = confirms ? Self.mostUnread : Self.mostUnread - stream.things
      guard room > 0 else { return .full }
      var offer = StreamOffer(run: run, isQueued: kind == .records, encoding: encoding)
      offer.run.end = min(run.end, run.start + min(room, Self.mostOffered))
      var size = 0
      let before = stream.position
      let taken = unsafe withBytes(of: offer.run, &scratch) { bytes, records in
        size = bytes.count
        offer.run.end = run.start + records
        return unsafe send(bytes, offer, before)
      }
      switch taken {
      case .nothing: return .blocked(isMidway: false)
      case .refused: return .refused
      case .bytes(let count):
        if count == size {
          wrote(count, of: run, kind, upTo: offer.run.end, rest: 0)
        } else {
          let (index, rest) = encoding.locate(
            run.segment, run.start..<run.end, bytes: count + stream.offset)
          wrote(count, of: run, kind, upTo: index, rest: rest)
          return .blocked(isMidway: true)
        }
      }
    }
  }

  /// The next bytes of the stream: those behind everything that `wrote(_:)` was told; asking twice
  /// gives them twice.
  ///
  /// - Returns: what `body` returned, or `nil` when nothing waits.
  public mutating func withNextBytes<Result>(
    journal: Journal, now: Int64, scratch: inout [UInt8],
    _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result? {
    decideNext(journal, now: now)
    guard let (run, _) = nextPiece(journal) else { return nil }
    return unsafe withBytes(of: run, &scratch) { bytes, _ in unsafe body(bytes) }
  }

  /// The bytes of a run, which comes next, but for those that are written; and how many of its
  /// records they are.
  @inline(__always)
  private func withBytes<Result>(
    of run: Run, _ scratch: inout [UInt8],
    _ body: (UnsafeRawBufferPointer, _ records: Int) -> Result
  ) -> Result {
    if case .string = encoding {
      let start = run.segment[run.start].offset + stream.offset
      return unsafe run.segment.withBytes(start..<run.segment[run.end - 1].end) {
        unsafe body($0, run.count)
      }
    }
    let records = encoding.encode(run, into: &scratch)
    return unsafe scratch.withUnsafeBytes { all in
      unsafe body(UnsafeRawBufferPointer(rebasing: all[stream.offset...]), records)
    }
  }

  /// The plugin's socket took that many bytes of what `withNextBytes` gave.
  public mutating func wrote(_ bytes: Int) {
    let run: Run
    var kind = Stream.Kind.records
    if let extra = stream.extras.first {
      (run, kind) = (extra.run, extra.kind)
    } else if let next = backlog.next, let held = holding.run(from: next) {
      run = held
    } else {
      preconditionFailure("nothing was given to be written")
    }
    let (index, rest) = encoding.locate(
      run.segment, run.start..<run.end, bytes: bytes + stream.offset)
    wrote(bytes, of: run, kind, upTo: index, rest: rest)
  }

  /// Of a run the records up to an index are whole in the socket, and so many bytes of the next.
  @inline(__always)
  private mutating func wrote(
    _ bytes: Int, of run: Run, _ kind: Stream.Kind, upTo index: Int, rest: Int
  ) {
    let whole = stream.wrote(bytes, of: run, kind, upTo: index, rest: rest)
    guard whole.count > 0 else { return }
    switch kind {
    case .records: backlog.wrote(whole.numbers)
    case .announcement: backlog.wroteAnnouncement()
    case .repetition: backlog.repeated(whole.count)
    }
  }

  /// How many bytes wait unread in the plugin's socket: everything before them was delivered.
  public mutating func setUnread(_ unread: Int) {
    // What it has read is delivered when it says that it is done with it.
    stream.setUnread(unread, counts: !confirms)
    guard !confirms else { return }
    while let read = stream.takeRead(encoding) { deliver(read) }
  }

  /// The plugin is done with everything up to that number.
  ///
  /// - Returns: `false`, with nothing changed, when no such record was written to it yet.
  public mutating func confirm(upTo number: StreamNumber) -> Bool {
    guard number >= firstNumber else { return true }  // Said before.
    guard number - firstNumber < stream.records else { return false }
    let end = number + 1
    while let confirmed = stream.takeConfirmed(end - firstNumber) { deliver(confirmed) }
    return true
  }

  @inline(__always)
  private mutating func deliver(_ stretch: Stream.Stretch) {
    switch stretch.kind {
    case .announcement: backlog.readAnnouncement()
    case .repetition: break
    case .records:
      backlog.deliver(
        stretch.run.numbers, bytes: stretch.run.textBytes, areNumbered: confirms)
      holding.letGo(below: backlog.pending.first ?? .max)
      if !confirms { beginnings.remember(stretch.run) }
    }
  }

  /// The plugin has ended with that many bytes unread: its successor gets what it had not read, and
  /// before a record whose event had begun before, what its predecessor had read of that event.
  public mutating func restart(unread: Int, journal: Journal) {
    setUnread(unread)
    backlog.childEnded(
      isMidway: stream.extras.isEmpty && stream.offset > 0,
      // What a plugin that does not confirm has read is not pending any more.
      read: confirms ? stream.endOfRead(unread: unread, encoding) : nil)
    stream = Stream()
    if confirms {
      beginnings.forgetInherited()
    } else {
      beginnings.inherit(next: journal.nextEvent)
    }
  }

  // MARK: What comes next

  /// Decides whether anything goes before the next record: an announcement, or the beginning of its
  /// event. Drops it, and looks at the one behind, when its event was dropped.
  @inline(__always)
  private mutating func decideNext(_ journal: Journal, now: Int64) {
    guard stream.extras.isEmpty, stream.offset == 0 else { return }
    let isPlain =
      backlog.nextAnnouncement == nil && !beginnings.isInherited && admission.droppedEvents.isEmpty
      && backlog.gapAhead.records == 0
    if !isPlain { decideNextSlowly(journal, now: now) }
  }

  private mutating func decideNextSlowly(_ journal: Journal, now: Int64) {
    while true {
      let next = backlog.next
      if let announcement = backlog.nextAnnouncement,
        next.map({ announcement.before <= $0 }) ?? true
      {
        return stream.put(
          journal.appendGap(text(of: announcement), type: .daemonError), .announcement)
      }
      guard let next, let run = holding.run(from: next) else { return }
      let entry = run.segment[run.start]
      let event = EventNumber.expand(entry.event, next: journal.nextEvent)
      if admission.droppedEvents.contains(event) {
        dropQueued(run.segment, run.start)
        continue
      }
      if beginnings.isInherited, repeatBeginning(of: event, isFirst: entry.isFirst, journal) {
        return
      }
      guard backlog.gapAhead.records > 0, entry.isFirst else { return }
      let gap = backlog.takeGapAhead()
      guard announcesGaps else { return }
      backlog.announce(Announcement(before: next, gap: gap, time: now))
    }
  }

  private mutating func repeatBeginning(
    of event: EventNumber, isFirst: Bool, _ journal: Journal
  ) -> Bool {
    let again = isFirst ? [] : beginnings.take(event, next: journal.nextEvent)
    for run in again { stream.put(run, .repetition) }
    if again.isEmpty { beginnings.passed(event) }
    return !again.isEmpty
  }

  /// What can be written in one piece; `nil` when nothing can be.
  @inline(__always)
  private func nextPiece(_ journal: Journal) -> (run: Run, kind: Stream.Kind)? {
    if let extra = stream.extras.first { return (extra.run, extra.kind) }
    guard let pending = backlog.pending.stretch(from: backlog.written),
      var run = holding.run(from: pending.lowerBound)
    else { return nil }
    var end = min(pending.upperBound, run.numbers.upperBound)
    if let disk { end = min(end, disk.safeBelow) }
    if let announcement = backlog.nextAnnouncement { end = min(end, announcement.before) }
    guard end > pending.lowerBound else { return nil }
    run.end = run.start + (end - pending.lowerBound)
    let isLookedAt =
      run.segment.hasPayloads || !admission.droppedEvents.isEmpty || backlog.gapAhead.records > 0
      || beginnings.isInherited
    if isLookedAt { run.end = endOfPiece(run, journal) }
    return (run, .records)
  }

  /// Where a piece must end before the run does: behind a record whose payload follows it, before a
  /// dropped record, a gap that is due, and an event whose beginning comes first.
  private func endOfPiece(_ run: Run, _ journal: Journal) -> Int {
    for index in run.start..<run.end {
      let entry = run.segment[index]
      if index > run.start {
        let event = EventNumber.expand(entry.event, next: journal.nextEvent)
        if admission.droppedEvents.contains(event) { return index }
        if backlog.gapAhead.records > 0, entry.isFirst { return index }
        if !entry.isFirst, beginnings.has(event) { return index }
      }
      if entry.hasPayload { return index + 1 }
    }
    return run.end
  }
}
