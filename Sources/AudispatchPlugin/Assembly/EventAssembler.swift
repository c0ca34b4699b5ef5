public import AuditRecord

/// Puts records together to events: a value without a clock or a descriptor.
///
/// Records of different events may interleave. An event ends with its EOE; with its PROCTITLE if
/// its node has never sent an EOE; by its record's type; and when nothing came for it for
/// `Limits.quiet`, by the caller's clock or by the times in the records, whichever is first.
/// A record that comes behind the end of its event is given out as a continuation. Every record
/// is in exactly one event; only an EOE for which nothing is open is counted in `strayEnds`.
///
/// Memory is bounded by `Limits`, the caller taking events out behind each `append`. A record
/// costs about 0.3 µs and two allocations for each event.
public struct EventAssembler: Sendable {
  public struct Limits: Equatable, Sendable {
    /// Events open at a time; beyond it the oldest is given out.
    public var events = 512
    /// Bytes in all open events; beyond it the oldest is given out.
    public var bytes = 8 << 20
    /// Bytes in one event; beyond it the event is given out, and continued.
    public var eventBytes = 1 << 20
    /// How long an event waits for its next record.
    public var quiet = Duration.seconds(2)
    /// How long an event waits for an EOE behind its PROCTITLE while it is unknown whether its
    /// node sends any.
    public var quietAfterProctitle = Duration.milliseconds(100)

    public init() {}
  }

  struct Key: Equatable {
    var node: Int
    var stamp: RecordStamp
  }

  struct Open {
    var event: AuditEvent
    /// When its last record came, by the caller's clock and by its node's.
    var touched: Duration
    var touchedStream: UInt64
  }

  public let limits: Limits
  /// Events taken out so far.
  public private(set) var events = 0
  /// Records put in so far.
  public private(set) var records = 0
  /// EOE records that ended nothing: their event was given out before, or never seen.
  public private(set) var strayEnds = 0

  // `keys` beside `open`, in order of arrival: a search passes over 24 bytes an event.
  private var keys: [Key] = []
  private var open: [Open] = []
  private var openBytes = 0
  private var held: Key?
  private var table = NodeTable()
  private var closed = ClosedEvents()
  private var ready: [AuditEvent] = []
  private var taken = 0

  public init(limits: Limits = Limits()) { self.limits = limits }

  /// Events that wait for more records.
  public var openEvents: Int { open.count }
  /// The records in them.
  public var openRecords: Int { open.reduce(0) { $0 + $1.event.records.count } }

  /// Takes the next finished event out.
  public mutating func next() -> AuditEvent? {
    guard taken < ready.count else {
      ready.removeAll(keepingCapacity: true)
      taken = 0
      return nil
    }
    defer { taken += 1 }
    events += 1
    return ready[taken]
  }

  /// Takes all finished events out.
  mutating func takeReady() -> [AuditEvent] {
    var all: [AuditEvent] = []
    swap(&all, &ready)
    if taken > 0 { all.removeFirst(taken) }
    taken = 0
    events += all.count
    return all
  }

  /// Adds a record, whose line is copied; `now` is any clock that does not go back.
  ///
  /// - Parameter number: the dispatcher's number of the record, 0 for none.
  /// - Returns: `false` for an EOE that ends nothing and so is in no event.
  @discardableResult
  public mutating func append(
    _ line: Span<UInt8>, _ header: RecordHeader, type: RecordType, number: UInt64 = 0,
    at now: Duration
  ) -> Bool {
    records += 1
    if table.count > 4096 {
      finish(.bound)
      table.removeAll()
    }
    let node = table.number(line, header.node)
    let key = Key(node: node, stamp: header.stamp)
    let role = EventRole(type)
    if let waiting = held, waiting != key || role != .end { releaseHeld(waiting) }
    passTime(of: node, to: header.stamp.milliseconds)

    switch role {
    case .single:
      ready.append(makeEvent(line, header, type, number, ending: .single, continues: false))
    case .end:
      table[node].sendsEnds = true
      guard let index = index(of: key) else {
        strayEnds += 1
        return false
      }
      add(line, header, type, number, to: index, at: now)
      close(index, .end)
    case .member, .proctitle:
      if let index = index(of: key) {
        add(line, header, type, number, to: index, at: now)
        if role == .proctitle, !table[node].sendsEnds { held = key }
      } else {
        begin(key, line, header, type, number, at: now)
        if role == .proctitle, !table[node].sendsEnds, index(of: key) != nil { held = key }
      }
      enforceLimits(key)
    }
    return true
  }

  /// Gives out what nothing came for since `Limits.quiet`; returns when to ask again.
  public mutating func expire(at now: Duration) -> Duration? {
    var next: Duration?
    var index = 0
    while index < open.count {
      let wait = held == keys[index] ? limits.quietAfterProctitle : limits.quiet
      let due = open[index].touched + wait
      if due <= now {
        close(index, held == keys[index] ? .proctitle : .time)
      } else {
        next = min(next ?? due, due)
        index += 1
      }
    }
    return next
  }

  /// Gives out everything that is open, oldest first.
  public mutating func finish() { finish(.endOfInput) }

  private mutating func finish(_ ending: AuditEvent.Ending) {
    while !open.isEmpty { close(0, held == keys[0] ? .proctitle : ending) }
  }
}

extension EventAssembler {
  private func index(of key: Key) -> Int? {
    var index = keys.count - 1
    while index >= 0 {
      if keys[index] == key { return index }
      index -= 1
    }
    return nil
  }

  private func makeEvent(
    _ line: Span<UInt8>, _ header: RecordHeader, _ type: RecordType, _ number: UInt64,
    ending: AuditEvent.Ending, continues: Bool
  ) -> AuditEvent {
    var event = AuditEvent(
      bytes: [], records: [], stamp: header.stamp, ending: ending, isContinuation: continues)
    event.bytes.reserveCapacity(ending == .single ? line.count : max(2048, line.count))
    if ending != .single { event.records.reserveCapacity(8) }
    event.append(line, header, type, number)
    return event
  }

  private mutating func begin(
    _ key: Key, _ line: Span<UInt8>, _ header: RecordHeader, _ type: RecordType,
    _ number: UInt64, at now: Duration
  ) {
    let before = closed.ending(of: key)
    if before == .end {
      ready.append(makeEvent(line, header, type, number, ending: .late, continues: true))
      return
    }
    let event = makeEvent(line, header, type, number, ending: .time, continues: before != nil)
    keys.append(key)
    open.append(Open(event: event, touched: now, touchedStream: table[key.node].newest))
    openBytes += line.count
  }

  private mutating func add(
    _ line: Span<UInt8>, _ header: RecordHeader, _ type: RecordType, _ number: UInt64,
    to index: Int, at now: Duration
  ) {
    open[index].event.append(line, header, type, number)
    open[index].touched = now
    open[index].touchedStream = table[keys[index].node].newest
    openBytes += line.count
  }

  private mutating func close(_ index: Int, _ ending: AuditEvent.Ending) {
    if held == keys[index] { held = nil }
    closed.remember(keys[index], ending)
    // Taken out without a copy.
    var event = AuditEvent(
      bytes: [], records: [], stamp: keys[index].stamp, ending: ending, isContinuation: false)
    swap(&event, &open[index].event)
    open.remove(at: index)
    keys.remove(at: index)
    openBytes -= event.bytes.count
    event.ending = ending
    ready.append(event)
  }

  private mutating func releaseHeld(_ key: Key) {
    held = nil
    if !table[key.node].sendsEnds, let index = index(of: key) { close(index, .proctitle) }
  }

  /// Lets the time in a node's records pass, so that a replay needs no clock.
  ///
  /// An event is as old as the newest time when its last record came, not as its own time: that
  /// is when its system call began, perhaps long ago.
  private mutating func passTime(of node: Int, to milliseconds: UInt64) {
    guard milliseconds > table[node].newest else { return }
    table[node].newest = milliseconds
    guard milliseconds / 1000 != table[node].swept else { return }
    table[node].swept = milliseconds / 1000
    let quiet = UInt64(limits.quiet / .milliseconds(1))
    var index = 0
    while index < open.count {
      if keys[index].node == node, open[index].touchedStream + quiet < milliseconds {
        close(index, .time)
      } else {
        index += 1
      }
    }
  }

  private mutating func enforceLimits(_ key: Key) {
    if let index = index(of: key), open[index].event.bytes.count > limits.eventBytes {
      close(index, .bound)
    }
    while open.count > limits.events || openBytes > limits.bytes, !open.isEmpty {
      close(0, .bound)
    }
  }
}

extension AuditEvent {
  /// Copies a line behind the others.
  mutating func append(
    _ line: Span<UInt8>, _ header: RecordHeader, _ type: RecordType, _ number: UInt64
  ) {
    let base = bytes.count
    unsafe line.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    records.append(
      EventRecord(type: type, header: header, base: base, count: line.count, number: number))
  }
}

/// The last events that were given out, to know a late record by.
struct ClosedEvents: Sendable {
  private static let capacity = 256
  private var keys: [EventAssembler.Key] = []
  private var endings: [AuditEvent.Ending] = []
  private var oldest = 0
  /// No event with a higher one was ever given out: serials nearly always rise.
  private var highest: UInt64 = 0

  mutating func remember(_ key: EventAssembler.Key, _ ending: AuditEvent.Ending) {
    highest = max(highest, key.stamp.serial)
    if keys.count < Self.capacity {
      keys.append(key)
      endings.append(ending)
    } else {
      keys[oldest] = key
      endings[oldest] = ending
      oldest = (oldest + 1) % Self.capacity
    }
  }

  /// How that event's latest part ended; `nil` when it is not among the last ones.
  func ending(of key: EventAssembler.Key) -> AuditEvent.Ending? {
    guard key.stamp.serial <= highest else { return nil }
    var found: AuditEvent.Ending?
    for index in keys.indices where keys[index] == key {
      if endings[index] == .end { return .end }
      found = endings[index]
    }
    return found
  }
}
