import AudispatchPlugin
import AuditRecord
import BulkIndexing
import EventDocument
import HTTPClient
import Linux
import ProcessContext
import Shipping

/// Which event a record is of, its node, and what its bytes were made of.
struct Origin: Comparable {
  let token: DeliveryToken
  let node: String
  /// It is written anew where another encoding counts by then.
  let record: LogRecord
  let encoding: OtlpEncoding

  static func < (a: Origin, b: Origin) -> Bool { a.token < b.token }
  static func == (a: Origin, b: Origin) -> Bool { a.token == b.token }
}

/// Brings log records to a collector, one request after another, so that their order stays.
struct Exporter: ShippingEngine {
  typealias Queue = BulkQueue<Origin>

  static let things = (many: "events", one: "event")

  private let options: OtlpOptions
  private var maker: RecordMaker
  private let client: HTTPClient
  private var queue: Queue
  private var hosts: HostChoice
  private var limits: Queue.Limits
  private var running: (batch: Queue.Batch, server: Int)?
  private var requests: Int
  private var rejected: Int
  private var hasTrouble = false
  private var reports: [ShippingReport] = []

  init(_ options: OtlpOptions, after predecessor: Exporter?) throws(SystemError) {
    self.options = options
    maker = RecordMaker(options, after: predecessor?.maker)
    client = try HTTPClient(options.http)
    queue = predecessor?.queue ?? Queue(delay: options.patience.delay)
    queue.delay = options.patience.delay
    hosts = HostChoice(count: options.servers.count)
    limits = options.batch
    hasTrouble = predecessor?.hasTrouble ?? false
    requests = predecessor?.requests ?? 0
    rejected = predecessor?.rejected ?? 0
  }

  var waiting: Int { queue.count }
  var held: (count: Int, bytes: Int) { (queue.held, queue.bytes) }
  var watched: Int32 { client.number }
  var share: Int { limits.documents }
  var lost: Int { rejected + queue.counts.refused }
  var placeOfRefused: String { "is dropped" }

  var deadline: Duration? {
    running == nil ? queue.nextTime(limits).map { max($0, hosts.earliest) } : nil
  }

  var figures: [(name: String, value: Int)] {
    let counts = queue.counts
    return [
      ("stored", counts.stored - rejected), ("retried", counts.retried),
      ("refused", lost), ("perhaps_twice", counts.perhapsTwice), ("cut", maker.cut),
      ("requests", requests),
    ]
  }

  mutating func append(
    _ event: AuditEvent, _ context: EventContext?, isDoubtful: Bool, at now: Duration
  ) {
    let record = maker.record(event, context, observed: WallClock.milliseconds, at: now)
    queue.append(
      Origin(
        token: event.token, node: maker.node(of: event), record: record,
        encoding: options.encoding),
      id: maker.identity(of: event), body: options.encoding.record(record),
      milliseconds: event.stamp.milliseconds,
      at: now)
  }

  mutating func advance(waits: Bool) -> DeliveryToken? {
    for (_, answer) in client.takeAnswers() { take(answer) }
    settleRefused()
    let now = MonotonicTime.now
    if running == nil, hosts.isReady(at: now), let batch = queue.next(limits, at: now, waits: waits)
    {
      begin(batch, now)
    }
    return queue.takeDone()?.token
  }

  mutating func takeReports() -> [ShippingReport] {
    defer { reports = [] }
    return reports
  }

  mutating func stop() -> DeliveryToken? {
    client.stop()
    for (_, answer) in client.takeAnswers() { take(answer) }
    if let running {
      queue.giveBack(running.batch, mayBeStored: true, index: [], at: MonotonicTime.now)
    }
    running = nil
    settleRefused()
    return queue.takeDone()?.token
  }

  private mutating func begin(_ batch: Queue.Batch, _ now: Duration) {
    guard case .host(let server) = hosts.next(at: now) else {
      return queue.giveBack(batch, mayBeStored: false, index: [], at: now)
    }
    let encoding = options.encoding
    let groups = ResourceGroup.groups(
      batch.places.map { place in
        let waiting = queue[place]
        let origin = waiting.token
        return (
          origin.node,
          origin.encoding == encoding ? waiting.body : encoding.record(origin.record)
        )
      })
    requests += 1
    client.send(options.request(encoding, groups, on: server), number: UInt64(requests))
    running = (batch, server)
  }

  private mutating func take(_ answer: HTTPAnswer) {
    guard let (batch, server) = running.take() else { return }
    let fate: ExportFate =
      switch answer {
      case .status(let status, let body, let retryAfter):
        ExportFate(status: status, body: body, retryAfter: retryAfter)
      case .failed(let reason, let mayHaveArrived):
        .later(reason: reason, after: nil, mayBeTaken: mayHaveArrived)
      }
    let now = MonotonicTime.now
    switch fate {
    case .taken(let rejected, let message):
      hosts.succeeded(server)
      limits.grow(to: options.batch.bytes)
      if hasTrouble { reports.append(.recovered) }
      hasTrouble = false
      if batch.isDoubtful { queue.notePerhapsTwice(batch.places.count) }
      noteRejected(min(rejected, batch.places.count), of: batch, message)
      queue.settle(
        batch, batch.places.map { _ in .stored }, index: [], at: now, chance: 0)
    case .later(let reason, let after, let mayBeTaken):
      queue.giveBack(batch, mayBeStored: mayBeTaken, index: [], at: now)
      hosts.failed(
        server, at: now, options.patience.delay, chance: Double.random(in: 0...1), asked: after)
      hasTrouble = true
      reports.append(.trouble("\(options.servers[server].text): \(reason)"))
    case .split(let reason, let isTooLarge):
      hosts.succeeded(server)
      split(batch, reason, isTooLarge, now)
    }
  }

  /// What a collector refuses of a request it will never take; which records those are it says at
  /// most in its message.
  private mutating func noteRejected(_ count: Int, of batch: Queue.Batch, _ message: String) {
    let text = message.isEmpty ? "no reason" : message
    if count > 0 {
      rejected += count
      let first = String(decoding: queue[batch.places[0]].id, as: UTF8.self)
      reports.append(
        .refused(
          type: "", reason: text,
          id: batch.places.count == 1
            ? first : "(\(count) of the \(batch.places.count) from \(first) on)"))
    } else if !message.isEmpty {
      reports.append(.note("the collector says: \(text)"))
    }
  }

  private mutating func split(
    _ batch: Queue.Batch, _ reason: String, _ isTooLarge: Bool, _ now: Duration
  ) {
    if isTooLarge, batch.places.count > 1 {
      limits.shrink(below: batch.places.reduce(0) { $0 + queue[$1].cost })
    }
    let first = queue[batch.places[0]]
    guard !queue.split(batch, reason: reason, at: now) else { return }
    reports.append(
      .refused(type: "", reason: reason, id: String(decoding: first.id, as: UTF8.self)))
  }

  /// Nobody else takes what is refused.
  private mutating func settleRefused() {
    for refused in queue.nextRefused(at: MonotonicTime.now) { queue.refusedIsDone(refused.place) }
  }
}
