import AuditRecord

/// What becomes of records on the reading thread.
protocol Gathering: Sendable {
  associatedtype Item: Delivered

  /// Takes a record; `false` when it is in nothing that will be handed out.
  mutating func append(
    _ line: Span<UInt8>, _ header: RecordHeader, _ type: RecordType, number: UInt64,
    at now: Duration
  )
    -> Bool
  /// Takes all things out that are complete.
  mutating func takeReady() -> [Item]
  /// Completes what nothing came for; when to ask again.
  mutating func expire(at now: Duration) -> Duration?
  /// Nothing waits to be read: completes what need not wait.
  mutating func pause()
  /// Completes everything.
  mutating func finish()
  func count(into counters: inout PluginCounters)
}

/// What is handed out.
protocol Delivered: Sendable {
  var records: [EventRecord] { get }
  var token: DeliveryToken { get set }
  var recordCount: Int { get }
  /// About what it takes in memory.
  var cost: Int { get }
}

extension AuditEvent: Delivered {
  var recordCount: Int { records.count }
  var cost: Int { bytes.capacity + records.capacity * MemoryLayout<EventRecord>.stride + 128 }
}

extension RecordBatch: Delivered {
  var recordCount: Int { records.count }
  var cost: Int { bytes.capacity + records.capacity * MemoryLayout<EventRecord>.stride + 128 }
}

/// Puts records together to events.
struct EventGathering: Gathering {
  private var assembler: EventAssembler

  init(limits: EventAssembler.Limits) { assembler = EventAssembler(limits: limits) }

  mutating func append(
    _ line: Span<UInt8>, _ header: RecordHeader, _ type: RecordType, number: UInt64,
    at now: Duration
  ) -> Bool {
    assembler.append(line, header, type: type, number: number, at: now)
  }

  mutating func takeReady() -> [AuditEvent] { assembler.takeReady() }
  mutating func expire(at now: Duration) -> Duration? { assembler.expire(at: now) }
  mutating func pause() {}
  mutating func finish() { assembler.finish() }

  func count(into counters: inout PluginCounters) {
    counters.events = assembler.events
    counters.strayEnds = assembler.strayEnds
    counters.open = assembler.openRecords
  }
}

/// Passes records on in the order in which they came.
struct RecordGathering: Gathering {
  private static let batchBytes = 64 << 10

  private var batch = RecordBatch()
  private var ready: [RecordBatch] = []

  mutating func append(
    _ line: Span<UInt8>, _ header: RecordHeader, _ type: RecordType, number: UInt64,
    at now: Duration
  ) -> Bool {
    if batch.bytes.count + line.count + 1 > Self.batchBytes { pause() }
    batch.append(line, header, type, number: number)
    return true
  }

  mutating func takeReady() -> [RecordBatch] {
    var taken: [RecordBatch] = []
    swap(&taken, &ready)
    return taken
  }

  mutating func expire(at now: Duration) -> Duration? { nil }
  mutating func pause() {
    guard !batch.records.isEmpty else { return }
    ready.append(batch)
    batch = RecordBatch()
  }
  mutating func finish() { pause() }
  func count(into counters: inout PluginCounters) {}
}
