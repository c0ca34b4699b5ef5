import AudispatchPlugin
import BulkIndexing
import HTTPClient
import Linux

/// Brings documents into the index: makes the requests that `BatchTurn` asks for, to the hosts of
/// `HostChoice`, and gives the queue what became of each document.
struct Indexer {
  typealias Queue = BulkQueue<DeliveryToken>

  /// A request that is under way.
  private struct Running {
    var batch: Queue.Batch
    var turn: BatchTurn
    var server: Int
  }

  /// What is to be said.
  enum Report: Equatable {
    case trouble(String)
    case recovered
    case refused(type: String, reason: String, id: String)
    case note(String)
  }

  private(set) var queue: Queue
  private let options: ElasticOptions
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
  private var refusedFailures = 0
  private var reports: [Report] = []
  private(set) var requestCount = 0
  private(set) var notLookedUp = 0
  /// Documents that went nowhere, because there is no file for what is refused.
  private(set) var discarded = 0

  init(_ options: ElasticOptions, queue: Queue? = nil) throws(SystemError) {
    self.options = options
    requests = Requests(options: options)
    client = try HTTPClient(options.http)
    hosts = HostChoice(count: options.servers.count)
    limits = options.batch
    self.queue = queue ?? Queue(delay: options.delay)
    self.queue.delay = options.delay
  }

  /// Readable when an answer has come.
  var watched: Int32 { client.number }

  /// When there is something to do at the latest.
  var deadline: Duration? {
    let next = running.count < options.workers ? queue.nextTime(limits) : nil
    return [next.map { max($0, hosts.earliest) }, queue.refusedTime].compactMap { $0 }.min()
  }

  mutating func append(
    _ token: DeliveryToken, id: [UInt8], body: [UInt8], milliseconds: UInt64, isDoubtful: Bool
  ) {
    queue.append(
      token, id: id, body: body, milliseconds: milliseconds,
      doubt: isDoubtful ? .possible(since: []) : .none, at: MonotonicTime.now)
  }

  /// Takes the answers that have come and begins what can be begun; the last document that is done
  /// with all before it.
  ///
  /// - Parameter waits: whether documents wait for others.
  mutating func advance(waits: Bool = true) -> DeliveryToken? {
    for (number, answer) in client.takeAnswers() { take(answer, of: number) }
    writeRefused()
    while running.count < options.workers, hosts.isReady(at: MonotonicTime.now),
      let batch = queue.next(limits, at: MonotonicTime.now, waits: waits)
    {
      begin(batch)
    }
    return queue.takeDone()
  }

  mutating func takeReports() -> [Report] {
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
    writeRefused()
    return queue.takeDone()
  }

  // MARK: Requests

  private mutating func begin(_ batch: Queue.Batch) {
    guard case .host(let server) = hosts.next(at: MonotonicTime.now) else {
      return queue.giveBack(batch, mayBeStored: false, index: index, at: MonotonicTime.now)
    }
    let documents = batch.places.map { queue[$0] }
    // Whoever overwrites need not look.
    let doubts = options.operation == .create ? documents.map(\.doubt) : []
    let turn = BatchTurn(options.target, shapes: documents.map(\.shape), doubts: doubts)
    send(Running(batch: batch, turn: turn, server: server))
  }

  private mutating func send(_ running: Running) {
    let documents = running.batch.places.map { queue[$0] }
    let request =
      switch running.turn.phase {
      case .generations: requests.generations(on: running.server)
      case .lookUp(let indices):
        requests.lookUp(documents.map(\.id), in: indices, on: running.server)
      case .store: requests.bulk(documents, on: running.server)
      }
    client.send(request, number: nextNumber)
    self.running[nextNumber] = running
    nextNumber += 1
    requestCount += 1
  }

  private mutating func take(_ answer: HTTPAnswer, of number: UInt64, proceeds: Bool = true) {
    guard var running = running.removeValue(forKey: number) else { return }
    let event: BatchTurn.Event =
      switch answer {
      case .status(let status, let body, let retryAfter):
        .status(status, body: body, retryAfter: retryAfter)
      case .failed(let reason, let mayHaveArrived):
        .failed(reason, mayHaveArrived: mayHaveArrived)
      }
    let now = MonotonicTime.now
    let chance = Double.random(in: 0...1)
    switch running.turn.take(event) {
    case .proceed: proceed(running, proceeds)
    case .found(let isThere):
      running.batch = queue.found(running.batch, isThere)
      if !running.batch.places.isEmpty { proceed(running, proceeds) }
    case .fates(let fates):
      if !running.turn.index.isEmpty { index = running.turn.index }
      noteDoubts(running, fates)
      noteRefusals(running, fates)
      queue.settle(running.batch, fates, index: index, at: now, chance: chance)
      succeed(running, fates, now, chance)
    case .giveBack(let reason, let after, let mayBeStored):
      queue.giveBack(running.batch, mayBeStored: mayBeStored, index: index, at: now)
      hosts.failed(running.server, at: now, options.delay, chance: chance, asked: after)
      trouble("\(options.servers[running.server].text): \(reason)")
    case .split(let reason):
      split(running, reason, now)
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
        if hasTrouble { reports.append(.recovered) }
        hasTrouble = false
        return
      }
      reason = text
    }
    hosts.failed(running.server, at: now, options.delay, chance: chance)
    if let reason { trouble("\(options.servers[running.server].text): \(reason)") }
  }

  private mutating func split(_ running: Running, _ reason: String, _ now: Duration) {
    let size = running.batch.places.reduce(0) { $0 + queue[$1].cost }
    if reason.contains("413"), running.batch.places.count > 1 {
      limits.bytes = max(size / 2, 64 << 10)
    }
    let only = queue[running.batch.places[0]]
    guard !queue.split(running.batch, reason: reason, at: now) else { return }
    reports.append(
      .refused(type: "", reason: reason, id: String(decoding: only.id, as: UTF8.self)))
  }

  // MARK: What is said and counted

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
          + "read): it may be there twice"))
  }

  private mutating func noteRefusals(_ running: Running, _ fates: [DocumentFate]) {
    for (place, fate) in zip(running.batch.places, fates) {
      guard case .refused(let type, let reason) = fate else { continue }
      reports.append(
        .refused(
          type: type, reason: reason, id: String(decoding: queue[place].id, as: UTF8.self)))
    }
  }

  /// Has refused documents written, so many at a time.
  private mutating func writeRefused() {
    let now = MonotonicTime.now
    while let (place, type, reason) = queue.nextRefused(at: now) {
      guard let path = options.refusedFile else {
        discarded += 1
        queue.refusedIsDone(place)
        continue
      }
      do throws(SystemError) {
        try RefusedFile(path: path).append(
          BulkBody.refused(queue[place], type: type, reason: reason))
        refusedFailures = 0
        queue.refusedIsDone(place)
      } catch {
        refusedFailures += 1
        let delay = options.delay.next(
          failures: refusedFailures, chance: Double.random(in: 0...1))
        queue.refusedWait(until: now + delay)
        trouble("\(error)")
      }
    }
  }
}
