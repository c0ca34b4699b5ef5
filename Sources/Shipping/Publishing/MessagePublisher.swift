public import AudispatchPlugin
import AuditRecord
import BulkIndexing
import EventDocument
public import Linux
public import ProcessContext

/// Which event a message is of, and where it goes.
public struct MessagePlace: Comparable, Sendable {
  let token: DeliveryToken
  let subject: String
  let node: [UInt8]

  public static func < (a: MessagePlace, b: MessagePlace) -> Bool { a.token < b.token }
  public static func == (a: MessagePlace, b: MessagePlace) -> Bool { a.token == b.token }
}

/// Brings documents as messages to a server, one batch after another: what is not stored of one comes
/// again before all that follows, so that the order of a node's messages stays.
public struct MessagePublisher<Options: PublishingOptions>: ShippingEngine {
  typealias Queue = BulkQueue<MessagePlace>

  public static var things: (many: String, one: String) { ("messages", "message") }

  private let subject: SubjectTemplate
  private let settings: PublishingSettings
  private var documents: DocumentMaker
  private let thread: PublishingThread<Options.Client>
  private var queue: Queue
  private var servers = HostChoice(count: 1)
  private var refused: RefusedOutlet
  private var running: Queue.Batch?
  private var batches: Int
  private var notLookedUp: Int
  private var hasTrouble = false
  private var saidNotLookedUp = false
  private var reports: [ShippingReport] = []

  public init(_ options: Options, after predecessor: Self?) throws(SystemError) {
    subject = options.subject
    settings = options.publishing
    documents = DocumentMaker(settings.form, settings.document, after: predecessor?.documents)
    thread = try PublishingThread(options.makeClient())
    queue = predecessor?.queue ?? Queue(delay: settings.patience.delay)
    queue.delay = settings.patience.delay
    refused = RefusedOutlet(settings.refused, after: predecessor?.refused)
    hasTrouble = predecessor?.hasTrouble ?? false
    batches = predecessor?.batches ?? 0
    notLookedUp = predecessor?.notLookedUp ?? 0
  }

  public var waiting: Int { queue.count }
  public var held: (count: Int, bytes: Int) { (queue.held, queue.bytes) }
  public var watched: Int32 { thread.number }
  public var share: Int { settings.batch.documents }
  public var lost: Int { refused.lost }
  public var placeOfRefused: String { refused.place }

  public var deadline: Duration? {
    let next = running == nil ? queue.nextTime(settings.batch) : nil
    return [next.map { max($0, servers.earliest) }, queue.refusedTime].compactMap { $0 }.min()
  }

  public var figures: [(name: String, value: Int)] {
    let counts = queue.counts
    return [
      ("stored", counts.stored), ("already_there", counts.alreadyThere),
      ("retried", counts.retried), ("refused", counts.refused),
      ("refused_waiting", queue.refusedWaiting),
    ] + refused.figures + [
      ("not_looked_up", notLookedUp), ("perhaps_twice", counts.perhapsTwice),
      ("cut", documents.cut), ("batches", batches),
    ]
  }

  public mutating func append(
    _ event: AuditEvent, _ context: EventContext?, isDoubtful: Bool, at now: Duration
  ) {
    let body = documents.document(event, context, at: now)
    let node = documents.options.node(of: event)
    var values = SubjectTemplate.Values(node: node)
    if subject.needsOutline {
      let outline = documents.outline(of: event)
      values.action = outline.action
      values.key = outline.keys.first ?? []
    }
    if let record = event.records.first { values.type = Array(event.bytes[record.typeName]) }
    queue.append(
      MessagePlace(token: event.token, subject: subject.subject(values), node: node),
      id: documents.options.identity(of: event), body: body,
      milliseconds: event.stamp.milliseconds, doubt: isDoubtful ? .possible(since: []) : .none,
      at: now)
  }

  public mutating func advance(waits: Bool) -> DeliveryToken? {
    takeAnswer()
    writeRefused()
    let now = MonotonicTime.now
    if running == nil, servers.isReady(at: now),
      let batch = queue.next(settings.batch, at: now, waits: waits)
    {
      begin(batch)
    }
    return queue.takeDone()?.token
  }

  public mutating func takeReports() -> [ShippingReport] {
    defer { reports = [] }
    return reports
  }

  public mutating func stop() -> DeliveryToken? {
    let mayBeStored = thread.stop()
    takeAnswer()
    if let batch = running {
      queue.giveBack(batch, mayBeStored: mayBeStored, index: [], at: MonotonicTime.now)
    }
    running = nil
    writeRefused()
    return queue.takeDone()?.token
  }

  private mutating func begin(_ batch: Queue.Batch) {
    let messages = batch.places.map { place in
      let document = queue[place]
      return OutgoingMessage(
        subject: document.token.subject, node: document.token.node, id: document.id,
        body: document.body, milliseconds: document.milliseconds)
    }
    thread.send(PublishingRequest(messages: messages, areDoubtful: batch.isDoubtful))
    running = batch
    batches += 1
  }

  private mutating func takeAnswer() {
    let (answer, said) = thread.take()
    for text in said { trouble(text) }
    guard let answer, let batch = running.take() else { return }
    let now = MonotonicTime.now
    switch answer {
    case .failed(let reason):
      queue.giveBack(batch, mayBeStored: false, index: [], at: now)
      fail(reason, now)
    case .published(let published, let reason):
      if batch.isDoubtful, let reason { noteDoubts(published.fates, reason) }
      settle(batch, published, now)
    }
  }

  private mutating func settle(
    _ batch: Queue.Batch, _ published: PublishedMessages, _ now: Duration
  ) {
    let sorted = SortedFates(batch.places, published.fates)
    func part(_ places: [Int]) -> Queue.Batch {
      Queue.Batch(places: places, isDoubtful: batch.isDoubtful)
    }
    queue.giveBack(part(sorted.unsent), mayBeStored: false, index: [], at: now)
    queue.giveBack(part(sorted.unknown), mayBeStored: true, index: [], at: now)
    if let reason = sorted.reasonTogether {
      let together = part(sorted.together)
      if !queue.split(together, reason: reason, at: now) {
        together.places.forEach { report($0, reason) }
      }
    }
    for (place, fate) in zip(sorted.settled, sorted.fates) {
      if case .refused(_, let reason) = fate { report(place, reason) }
    }
    queue.settle(part(sorted.settled), sorted.fates, index: [], at: now, chance: 0)
    // What was refused together comes again at once, in parts.
    if sorted.reasonTogether != nil { return }
    guard sorted.unsent.isEmpty, sorted.unknown.isEmpty else { return fail(published.why, now) }
    servers.succeeded(0)
    if hasTrouble { reports.append(.recovered) }
    hasTrouble = false
  }

  private mutating func report(_ place: Int, _ reason: String) {
    let id = String(decoding: queue[place].id, as: UTF8.self)
    reports.append(.refused(type: "", reason: reason, id: id))
  }

  private mutating func fail(_ reason: String, _ now: Duration) {
    servers.failed(0, at: now, settings.patience.delay, chance: Double.random(in: 0...1))
    trouble(reason)
  }

  private mutating func trouble(_ text: String) {
    hasTrouble = true
    reports.append(.trouble(text))
  }

  private mutating func noteDoubts(_ fates: [MessageFate], _ reason: String) {
    notLookedUp += fates.count
    queue.notePerhapsTwice(fates.count { $0 == .stored })
    guard !saidNotLookedUp else { return }
    saidNotLookedUp = true
    let (needs, failing) = Options.lookUp
    reports.append(
      .note("cannot look up what may be stored already: \(reason) (it needs \(needs)): \(failing)"))
  }

  private mutating func writeRefused() {
    // Messages are stored all the same, so this is no trouble that ends when they are.
    reports += refused.write(from: &queue, at: MonotonicTime.now)
  }
}
