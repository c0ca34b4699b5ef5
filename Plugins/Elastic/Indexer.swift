import AudispatchPlugin
import AuditRecord
import BulkIndexing
import EventDocument
import HTTPClient
import Linux
import ProcessContext
import Shipping

/// Brings documents into the index: makes the requests that `BatchTurn` asks for, to the hosts of
/// `HostChoice`, and gives the queue what became of each document.
struct Indexer: ShippingEngine {
  static let things = (many: "documents", one: "document")

  typealias Queue = BulkQueue<DeliveryToken>

  /// A request that is under way.
  private struct Running {
    var batch: Queue.Batch
    var turn: BatchTurn
    var server: Int
  }

  private(set) var queue: Queue
  private let options: ElasticOptions
  private var documents: DocumentMaker
  private let requests: Requests
  private let client: HTTPClient
  private var hosts: HostChoice
  private var limits: Queue.Limits
  private var running: [UInt64: Running] = [:]
  private var nextNumber: UInt64 = 1
  /// The index that is written to, as the last answer said.
  private var index: [UInt8] = []
  private var hasTrouble = false
  private var saidNotLookedUp = false
  private var reports: [ShippingReport] = []
  private(set) var requestCount: Int
  private(set) var notLookedUp: Int
  private var refused: RefusedOutlet
  private var refusedIndexing: RefusedIndexing

  init(_ options: ElasticOptions, after predecessor: Indexer?) throws(SystemError) {
    self.options = options
    documents = DocumentMaker(options.form, options.document, after: predecessor?.documents)
    requests = Requests(options: options)
    client = try HTTPClient(options.http)
    hosts = HostChoice(count: options.servers.count)
    refused = RefusedOutlet(options.refused, after: predecessor?.refused)
    limits = options.batch
    queue = predecessor?.queue ?? Queue(delay: options.patience.delay)
    queue.delay = options.patience.delay
    queue.hasRefusedIndex = options.refusedIndex != nil
    refusedIndexing = RefusedIndexing(options)
    hasTrouble = predecessor?.hasTrouble ?? false
    requestCount = predecessor?.requestCount ?? 0
    notLookedUp = predecessor?.notLookedUp ?? 0
  }

  var waiting: Int { queue.count }
  var held: (count: Int, bytes: Int) { (queue.held, queue.bytes) }
  var share: Int { options.batch.documents }
  var lost: Int { refused.lost }
  var placeOfRefused: String { options.refusedIndex.map { "goes to \($0)" } ?? refused.place }

  var figures: [(name: String, value: Int)] {
    let counts = queue.counts
    return [
      ("stored", counts.stored), ("already_there", counts.alreadyThere),
      ("retried", counts.retried), ("as_text", counts.asText), ("refused", counts.refused),
      ("refused_indexed", counts.refusedIndexed), ("refused_waiting", queue.refusedWaiting),
    ] + refused.figures + [
      ("not_looked_up", notLookedUp), ("perhaps_twice", counts.perhapsTwice),
      ("cut", documents.cut), ("requests", requestCount),
    ]
  }

  /// Readable when an answer has come.
  var watched: Int32 { client.number }

  /// When there is something to do at the latest.
  var deadline: Duration? {
    let next = running.count < options.workers ? queue.nextTime(limits) : nil
    return [
      next.map { max($0, hosts.earliest) }, queue.refusedTime,
      refusedIndexing.deadline(queue, hosts),
    ].compactMap { $0 }.min()
  }

  mutating func append(
    _ event: AuditEvent, _ context: EventContext?, isDoubtful: Bool, at now: Duration
  ) {
    queue.append(
      event.token, id: documents.options.identity(of: event),
      body: documents.document(event, context, at: now), milliseconds: event.stamp.milliseconds,
      doubt: isDoubtful ? .possible(since: []) : .none, at: now)
  }

  /// Takes the answers that have come and begins what can be begun; the last document that is done
  /// with all before it.
  ///
  /// - Parameter waits: whether documents wait for others.
  mutating func advance(waits: Bool) -> DeliveryToken? {
    for (number, answer) in client.takeAnswers() { take(answer, of: number) }
    sendRefused()
    writeRefused()
    while running.count < options.workers, hosts.isReady(at: MonotonicTime.now),
      let batch = queue.next(limits, at: MonotonicTime.now, waits: waits)
    {
      begin(batch)
    }
    return queue.takeDone()
  }

  mutating func takeReports() -> [ShippingReport] {
    defer { reports = [] }
    return reports
  }

  /// Ends what is under way: it may have been done, or not. The last document that is done with all
  /// before it.
  mutating func stop() -> DeliveryToken? {
    client.stop()
    for (number, answer) in client.takeAnswers() { take(answer, of: number, proceeds: false) }
    for running in running.values {
      queue.giveBack(
        running.batch, mayBeStored: running.turn.phase == .store, index: index,
        at: MonotonicTime.now)
    }
    running = [:]
    refusedIndexing.stop(&queue)
    writeRefused()
    return queue.takeDone()
  }

  // MARK: Requests

  private mutating func begin(_ batch: Queue.Batch) {
    guard case .host(let server) = hosts.next(at: MonotonicTime.now) else {
      return queue.giveBack(batch, mayBeStored: false, index: index, at: MonotonicTime.now)
    }
    let sent = batch.places.map { queue[$0] }
    // Whoever overwrites need not look.
    let doubts = options.operation == .create ? sent.map(\.doubt) : []
    let turn = BatchTurn(options.target, shapes: sent.map(\.shape), doubts: doubts)
    send(Running(batch: batch, turn: turn, server: server))
  }

  private mutating func send(_ running: Running) {
    let sent = running.batch.places.map { queue[$0] }
    let request =
      switch running.turn.phase {
      case .generations: requests.generations(on: running.server)
      case .lookUp(let indices):
        requests.lookUp(sent.map(\.id), in: indices, on: running.server)
      case .store: requests.bulk(sent, on: running.server)
      }
    self.running[nextNumber] = running
    send(request)
  }

  private mutating func send(_ request: HTTPRequest) {
    client.send(request, number: nextNumber)
    nextNumber += 1
    requestCount += 1
  }

  private mutating func take(_ answer: HTTPAnswer, of number: UInt64, proceeds: Bool = true) {
    let event: BatchTurn.Event =
      switch answer {
      case .status(let status, let body, let retryAfter):
        .status(status, body: body, retryAfter: retryAfter)
      case .failed(let reason, let mayHaveArrived):
        .failed(reason, mayHaveArrived: mayHaveArrived)
      }
    if refusedIndexing.isWaiting(for: number) {
      if let text = refusedIndexing.take(event, &queue, &hosts) { reports.append(.trouble(text)) }
      return
    }
    guard var running = running.removeValue(forKey: number) else { return }
    let now = MonotonicTime.now
    let chance = Double.random(in: 0...1)
    switch running.turn.take(event) {
    case .proceed: proceed(running, proceeds)
    case .found(let isThere):
      running.batch = queue.found(running.batch, isThere, isSure: !running.turn.notLookedUp)
      if !running.batch.places.isEmpty { proceed(running, proceeds) }
    case .fates(let fates):
      if !running.turn.index.isEmpty { index = running.turn.index }
      noteDoubts(running, fates)
      noteRefusals(running, fates)
      queue.settle(running.batch, fates, index: index, at: now, chance: chance)
      succeed(running, fates, now, chance)
    case .giveBack(let reason, let after, let mayBeStored):
      queue.giveBack(running.batch, mayBeStored: mayBeStored, index: index, at: now)
      hosts.failed(running.server, at: now, options.patience.delay, chance: chance, asked: after)
      trouble("\(options.servers[running.server].text): \(reason)")
    case .split(let reason, let isTooLarge):
      split(running, reason, isTooLarge, now)
      hosts.succeeded(running.server)
    }
  }

  private mutating func proceed(_ running: Running, _ proceeds: Bool) {
    if proceeds { return send(running) }
    queue.giveBack(running.batch, mayBeStored: false, index: index, at: MonotonicTime.now)
  }

  /// The host is well; one that puts off everything is left alone for a while all the same.
  private mutating func succeed(
    _ running: Running, _ fates: [DocumentFate], _ now: Duration, _ chance: Double
  ) {
    var reason: String?
    for fate in fates {
      guard case .later(let text, _) = fate else {
        hosts.succeeded(running.server)
        limits.grow(to: options.batch.bytes)
        if hasTrouble { reports.append(.recovered) }
        hasTrouble = false
        return
      }
      reason = text
    }
    hosts.failed(running.server, at: now, options.patience.delay, chance: chance)
    if let reason { trouble("\(options.servers[running.server].text): \(reason)") }
  }

  private mutating func split(
    _ running: Running, _ reason: String, _ isTooLarge: Bool, _ now: Duration
  ) {
    if isTooLarge, running.batch.places.count > 1 {
      limits.shrink(below: running.batch.places.reduce(0) { $0 + queue[$1].cost })
    }
    let only = queue[running.batch.places[0]]
    guard !queue.split(running.batch, reason: reason, at: now) else { return }
    reports.append(
      .refused(type: "", reason: reason, id: String(decoding: only.id, as: UTF8.self)))
  }

  // MARK: What is said and counted

  /// Says why documents are not stored, until they are. What keeps refused ones from their place is
  /// another matter, which has no such end.
  private mutating func trouble(_ text: String) {
    hasTrouble = true
    reports.append(.trouble(text))
  }

  private mutating func noteDoubts(_ running: Running, _ fates: [DocumentFate]) {
    if running.turn.mayBeTwice { queue.notePerhapsTwice(fates.count { $0 == .stored }) }
    guard running.turn.notLookedUp else { return }
    notLookedUp += fates.count
    guard !saidNotLookedUp else { return }
    saidNotLookedUp = true
    reports.append(
      .note(
        "cannot look up what may be stored already (it needs the rights view_index_metadata and "
          + "read, and each index of the name): it may be there twice"))
  }

  private mutating func noteRefusals(_ running: Running, _ fates: [DocumentFate]) {
    for (place, fate) in zip(running.batch.places, fates) {
      guard case .refused(let type, let reason) = fate else { continue }
      reports.append(
        .refused(
          type: type, reason: reason, id: String(decoding: queue[place].id, as: UTF8.self)))
    }
  }

  private mutating func sendRefused() {
    let request = refusedIndexing.next(from: &queue, limits, &hosts, number: nextNumber)
    if let request { send(request) }
  }

  private mutating func writeRefused() {
    reports += refused.write(from: &queue, at: MonotonicTime.now)
  }
}
