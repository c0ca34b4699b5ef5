import AudispatchPlugin
import AuditRecord
import BulkIndexing
import EventDocument
import Linux
import Shipping

/// Which event a message is of, and where it goes.
struct Destination: Comparable {
  let token: DeliveryToken
  let subject: String
  /// All subjects of its node.
  let doubts: String

  static func < (a: Destination, b: Destination) -> Bool { a.token < b.token }
  static func == (a: Destination, b: Destination) -> Bool { a.token == b.token }
}

/// Brings documents into a stream, one batch after another: what is not stored of one comes again
/// before all that follows, so that the order of a node's messages stays.
struct Publisher: ShippingEngine {
  typealias Queue = BulkQueue<Destination>

  static let things = (many: "messages", one: "message")

  private let options: NatsOptions
  private var documents: DocumentMaker
  private let thread: StreamThread
  private var queue: Queue
  private var servers = HostChoice(count: 1)
  private var refused: RefusedOutlet
  private var running: Queue.Batch?
  private var batches: Int
  private var notLookedUp: Int
  private var hasTrouble = false
  private var saidNotLookedUp = false
  private var reports: [ShippingReport] = []

  init(_ options: NatsOptions, after predecessor: Publisher?) throws(SystemError) {
    self.options = options
    documents = DocumentMaker(options.form, options.document, after: predecessor?.documents)
    thread = try StreamThread(options)
    queue = predecessor?.queue ?? Queue(delay: options.patience.delay)
    queue.delay = options.patience.delay
    refused = RefusedOutlet(path: options.refusedFile, after: predecessor?.refused)
    batches = predecessor?.batches ?? 0
    notLookedUp = predecessor?.notLookedUp ?? 0
  }

  var waiting: (count: Int, bytes: Int) { (queue.count, queue.bytes) }
  var watched: Int32 { thread.number }
  var share: Int { options.batch.documents }
  var lost: Int { refused.discarded }
  var placeOfRefused: String { refused.place }

  var deadline: Duration? {
    let next = running == nil ? queue.nextTime(options.batch) : nil
    return [next.map { max($0, servers.earliest) }, queue.refusedTime].compactMap { $0 }.min()
  }

  var figures: [(name: String, value: Int)] {
    let counts = queue.counts
    return [
      ("stored", counts.stored), ("already_there", counts.alreadyThere),
      ("retried", counts.retried), ("refused", counts.refused),
      ("refused_waiting", queue.refusedWaiting), ("discarded", refused.discarded),
      ("not_looked_up", notLookedUp), ("perhaps_twice", counts.perhapsTwice),
      ("cut", documents.cut), ("batches", batches),
    ]
  }

  mutating func append(_ event: AuditEvent, isDoubtful: Bool, at now: Duration) {
    let body = documents.document(event, at: now)
    let node = documents.options.node(of: event)
    var values = SubjectTemplate.Values(node: node)
    if options.subject.needsOutline {
      let outline = documents.outline(of: event)
      values.action = outline.action
      values.key = outline.keys.first ?? []
    }
    if let record = event.records.first { values.type = Array(event.bytes[record.typeName]) }
    queue.append(
      Destination(
        token: event.token, subject: options.subject.subject(values),
        doubts: options.subject.wildcard(node: node)),
      id: documents.options.identity(of: event), body: body,
      milliseconds: event.stamp.milliseconds, doubt: isDoubtful ? .possible(since: []) : .none,
      at: now)
  }

  mutating func advance(waits: Bool) -> DeliveryToken? {
    if let answer = thread.takeAnswer() { take(answer) }
    writeRefused()
    let now = MonotonicTime.now
    if running == nil, servers.isReady(at: now),
      let batch = queue.next(options.batch, at: now, waits: waits)
    {
      begin(batch)
    }
    return queue.takeDone()?.token
  }

  mutating func takeReports() -> [ShippingReport] {
    defer { reports = [] }
    return reports
  }

  mutating func stop() -> DeliveryToken? {
    let mayBeStored = thread.stop()
    if let answer = thread.takeAnswer() { take(answer) }
    if let batch = running {
      queue.giveBack(batch, mayBeStored: mayBeStored, index: [], at: MonotonicTime.now)
    }
    running = nil
    writeRefused()
    return queue.takeDone()?.token
  }

  private mutating func begin(_ batch: Queue.Batch) {
    let messages = batch.places.map { place in
      StreamMessage(
        subject: queue[place].token.subject, id: queue[place].id, body: queue[place].body)
    }
    thread.send(
      PublishRequest(
        messages: messages,
        doubts: batch.isDoubtful ? batch.places.map { queue[$0].token.doubts } : []))
    running = batch
    batches += 1
  }

  private mutating func take(_ answer: PublishAnswer) {
    guard let batch = running.take() else { return }
    let now = MonotonicTime.now
    switch answer {
    case .failed(let reason):
      queue.giveBack(batch, mayBeStored: false, index: [], at: now)
      fail(reason, now)
    case .outcomes(let outcomes, let why, let notLookedUp):
      if batch.isDoubtful, let notLookedUp { noteDoubts(outcomes, notLookedUp) }
      let isWhole = settle(batch, outcomes, now)
      guard isWhole else { return fail(why, now) }
      servers.succeeded(0)
      if hasTrouble { reports.append(.recovered) }
      hasTrouble = false
    }
  }

  /// Whether all of a batch is settled; what is not comes again.
  private mutating func settle(
    _ batch: Queue.Batch, _ outcomes: [MessageOutcome], _ now: Duration
  ) -> Bool {
    var (settled, fates): ([Int], [DocumentFate]) = ([], [])
    var (unsent, unknown): ([Int], [Int]) = ([], [])
    for (place, outcome) in zip(batch.places, outcomes) {
      switch outcome {
      case .later, .unsent: unsent.append(place)
      case .unknown: unknown.append(place)
      case .stored, .alreadyThere, .refused:
        settled.append(place)
        fates.append(fate(outcome, of: place))
      }
    }
    for (places, mayBeStored) in [(unsent, false), (unknown, true)] where !places.isEmpty {
      queue.giveBack(
        Queue.Batch(places: places, isDoubtful: batch.isDoubtful), mayBeStored: mayBeStored,
        index: [], at: now)
    }
    queue.settle(
      Queue.Batch(places: settled, isDoubtful: batch.isDoubtful), fates, index: [], at: now,
      chance: 0)
    return unsent.isEmpty && unknown.isEmpty
  }

  private mutating func fate(_ outcome: MessageOutcome, of place: Int) -> DocumentFate {
    switch outcome {
    case .stored: return .stored
    case .refused:
      reports.append(
        .refused(
          type: "", reason: MessageOutcome.tooLarge,
          id: String(decoding: queue[place].id, as: UTF8.self)))
      return .refused(type: "", reason: MessageOutcome.tooLarge)
    case .alreadyThere, .later, .unknown, .unsent: return .alreadyThere
    }
  }

  private mutating func fail(_ reason: String, _ now: Duration) {
    servers.failed(
      0, at: now, options.patience.delay, chance: Double.random(in: 0...1))
    trouble(reason)
  }

  private mutating func trouble(_ text: String) {
    hasTrouble = true
    reports.append(.trouble(text))
  }

  private mutating func noteDoubts(_ outcomes: [MessageOutcome], _ reason: String) {
    notLookedUp += outcomes.count
    queue.notePerhapsTwice(
      outcomes.count { outcome in
        if case .stored = outcome { true } else { false }
      })
    guard !saidNotLookedUp else { return }
    saidNotLookedUp = true
    reports.append(
      .note(
        "cannot look up what may be stored already: \(reason) (it needs {node} in subject, and the "
          + "right to ask for the stream, its last message, and a consumer): beyond the stream's "
          + "window it may be there twice"))
  }

  private mutating func writeRefused() {
    if let text = refused.write(from: &queue, at: MonotonicTime.now) { trouble(text) }
  }
}
