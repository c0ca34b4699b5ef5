import AudispatchPlugin
import AuditRecord
import BulkIndexing
import EventDocument
import Glibc
import Linux

/// Events as documents, into an index.
///
/// What is not stored waits, in bounded memory, and behind it in the dispatcher's queue; an event
/// is confirmed when an index has it, or the file of refused ones. Behind auditd, which must not be
/// made to wait, what is too much is dropped and counted.
struct ElasticPlugin: AuditPlugin, ~Copyable {
  typealias Options = ElasticOptions

  /// What waits here before the input does: so many may be stored that were not confirmed.
  private static var waitingBytes: Int { 16 << 20 }
  private static var waitingDocuments: Int { 20_000 }
  /// How long names of users and groups are believed.
  private static var namesLast: Duration { .seconds(60) }
  /// How often the same kind of trouble is said.
  private static var sayEvery: Duration { .seconds(60) }

  let doneWhen = DoneWhen.told
  private var log: PluginLog
  private let confirmations: Confirmations
  private var options: ElasticOptions
  private var documents: DocumentOptions
  private var writer: DocumentWriter
  private var indexer: Indexer
  private var overflow = Overflow.ofThisProcess("documents")
  private var namesSince = MonotonicTime.now
  private var gaps = SerialGaps()
  /// Documents that a process before this one may have stored.
  private var doubtful: Int
  private var appended = 0
  private var said = (trouble: "", at: Duration.zero)
  private var refusals = (count: 0, at: Duration?.none)

  init(
    _ options: ElasticOptions, _ log: PluginLog, _ confirmations: Confirmations
  ) throws(SystemError) {
    self.options = options
    self.log = log
    self.confirmations = confirmations
    documents = options.document.options
    writer = DocumentWriter(options.form, documents)
    indexer = try Indexer(options)
    doubtful = confirmations.isAsked ? Self.waitingDocuments : 0
  }

  private var isFull: Bool {
    indexer.queue.bytes >= Self.waitingBytes || indexer.queue.count >= Self.waitingDocuments
  }
  var wantsMore: Bool { !isFull || overflow.isStuck(at: MonotonicTime.now) }
  var watched: Int32? { indexer.watched }
  var deadline: Duration? {
    [indexer.deadline, isFull && !wantsMore ? overflow.deadline : nil].compactMap { $0 }.min()
  }
  var gathering: Duration { .milliseconds(1) }

  var hasLost: Bool {
    !confirmations.isAsked && (indexer.queue.count > 0 || overflow.dropped > 0)
      || indexer.discarded > 0
  }

  var figures: [(name: String, value: Int)] {
    let counts = indexer.queue.counts
    return [
      ("stored", counts.stored), ("already_there", counts.alreadyThere),
      ("retried", counts.retried), ("as_text", counts.asText), ("refused", counts.refused),
      ("refused_waiting", indexer.queue.refusedWaiting), ("discarded", indexer.discarded),
      ("not_looked_up", indexer.notLookedUp), ("perhaps_twice", counts.perhapsTwice),
      ("waiting", indexer.queue.count), ("dropped", overflow.dropped), ("cut", writer.cut),
      ("requests", indexer.requestCount), ("serials_missing", gaps.missing),
    ]
  }

  mutating func handle(_ event: AuditEvent) {
    if !event.isContinuation { gaps.note(event.stamp.serial) }
    let now = MonotonicTime.now
    if isFull, overflow.drops {
      let records = event.records.count * (event.repetition?.count ?? 1)
      if let text = overflow.drop(records, at: now) { log.write(.error, text) }
      return confirmations.done(through: event.token)
    }
    if !isFull, let text = overflow.end() { log.write(.notice, text) }
    if now - namesSince >= Self.namesLast {
      writer.forgetAccounts()
      namesSince = now
    }
    indexer.append(
      event.token, id: documents.identity(of: event), body: writer.document(event),
      milliseconds: event.stamp.milliseconds, isDoubtful: doubtful > 0)
    doubtful = max(0, doubtful - 1)
    appended += 1
    // Each look at the queue costs as much as it is long.
    if appended >= options.batch.documents { advance() }
  }

  mutating func idle() { advance() }
  mutating func wake() { advance() }

  private mutating func advance(waits: Bool = true) {
    appended = 0
    let now = MonotonicTime.now
    if let token = indexer.advance(waits: waits) {
      confirmations.done(through: token)
      overflow.progressed(at: now)
    }
    if indexer.queue.count == 0 { overflow.progressed(at: now) }
    for report in indexer.takeReports() { say(report, now) }
  }

  private mutating func say(_ report: Indexer.Report, _ now: Duration) {
    switch report {
    case .trouble(let text):
      guard text != said.trouble || now - said.at >= Self.sayEvery else { return }
      said = (text, now)
      log.write(.error, "\(text); \(indexer.queue.count) documents wait here")
    case .recovered:
      said.trouble = ""
      log.write(.notice, "documents are stored again")
    case .refused(let type, let reason, let id):
      refusals.count += 1
      if let at = refusals.at, now - at < Self.sayEvery { return }
      let more = refusals.count > 1 ? " (and \(refusals.count - 1) before it)" : ""
      refusals = (0, now)
      let place = options.refusedFile.map { "goes to \($0)" } ?? "is dropped"
      let kind = type.isEmpty ? "" : "\(type): "
      log.write(.error, "document \(id)\(more) is refused and \(place): \(kind)\(reason)")
    case .note(let text): log.write(.warning, text)
    }
  }

  /// Goes on with the new options; what waits goes where they say, as the document that it is.
  mutating func reload(_ new: ElasticOptions) throws(SystemError) {
    guard new != options else { return }
    if let token = indexer.stop() { confirmations.done(through: token) }
    let old = indexer
    indexer = try Indexer(new, queue: old.queue)
    options = new
    documents = new.document.options
    writer = DocumentWriter(new.form, documents)
    advance()
  }

  /// Sends what waits, as long as there is time.
  mutating func finish(by end: Duration) {
    let last = end - .milliseconds(300)
    advance(waits: false)
    while indexer.queue.count > 0, MonotonicTime.now < last {
      let until = min(indexer.deadline ?? last, last)
      let patience = max(until - MonotonicTime.now, .milliseconds(1))
      _ = Poll.wait(
        indexer.watched, for: .read,
        milliseconds: Int32(clamping: Int(patience / .milliseconds(1)) + 1))
      advance(waits: false)
    }
    if let token = indexer.stop() { confirmations.done(through: token) }
    let left = indexer.queue.count
    if left > 0 { log.write(.error, "ends before \(left) documents were stored") }
  }
}
