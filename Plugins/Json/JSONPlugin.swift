import AudispatchPlugin
import AuditRecord
import EventDocument
import Linux
import ProcessContext
import Shipping

/// Events as documents, to the destination of the configuration.
///
/// What could not be written waits, in bounded memory; a document is confirmed when its destination
/// has taken it. Behind auditd, which must not be made to wait for long, what is too much is dropped
/// and counted.
struct JSONPlugin: AuditPlugin, ~Copyable {
  typealias Options = JSONOptions

  /// Bytes that are held here before the input waits.
  private static var waitingBytes: Int { 512 << 10 }
  /// Bytes that are held at most where the input must not wait.
  private static var mostBytes: Int { 8 << 20 }
  private static var chunk: Int { 64 << 10 }
  /// How soon it is asked again what has arrived.
  private static var arrivalTime: Duration { .milliseconds(20) }
  private static var shortestDelay: Duration { .milliseconds(100) }
  private static var longestDelay: Duration { .seconds(30) }
  /// How long names of users and groups are believed.
  private static var namesLast: Duration { .seconds(60) }

  let doneWhen = DoneWhen.told
  private var log: PluginLog
  private let confirmations: Confirmations
  private var writer: DocumentWriter
  private var processes: ProcessFollower?
  private var prefix: [UInt8]
  private var options: JSONOptions
  private var destination: any Destination
  private var queue = LineQueue()
  private var poller: Poller
  private var watches: Int32?

  private var isOpen = false
  /// When it is asked what has arrived of what was written.
  private var arrivalAt: Duration?
  private var retryAt = Duration.zero
  private var delay = Self.shortestDelay
  private var said = ""
  private var names = MonotonicTime.now
  private var written = 0
  private var overflow = Overflow.ofThisProcess("documents")
  private var filtered = 0
  private var gaps = SerialGaps()

  init(
    _ options: JSONOptions, _ log: PluginLog, _ confirmations: Confirmations
  ) throws(SystemError) {
    self.options = options
    self.log = log
    self.confirmations = confirmations
    writer = DocumentWriter(options.form, options.documents)
    processes = ProcessFollower(options.processRequest, after: nil, log)
    prefix = Array(options.prefix.utf8)
    destination = Self.destination(options)
    poller = try Poller()
  }

  private static func destination(_ options: JSONOptions) -> any Destination {
    if let file = options.file { return DocumentFile(file, options) }
    if let socket = options.socket { return SocketDestination(socket) }
    if !options.program.isEmpty { return ProgramDestination(options.program) }
    return StandardOutput()
  }

  var wantsMore: Bool {
    queue.held < Self.waitingBytes || overflow.isStuck(at: MonotonicTime.now)
  }
  var watched: Int32? { watches == nil ? nil : poller.number }
  var deadline: Duration? {
    [
      queue.lines > 0 && !isOpen ? retryAt : nil, arrivalAt, wantsMore ? nil : overflow.deadline,
    ].compactMap { $0 }.min()
  }
  // Only a file has no reader who watches.
  var gathering: Duration { options.file == nil ? .zero : .milliseconds(1) }
  var figures: [(name: String, value: Int)] {
    [
      ("written", written), ("waiting", queue.lines), ("dropped", overflow.dropped),
      ("cut", writer.cut),
      ("serials_missing", gaps.missing), ("filtered", filtered),
    ] + (processes?.figures ?? [])
  }

  var hasLost: Bool { !confirmations.isAsked && (queue.lines > 0 || overflow.dropped > 0) }

  mutating func look(at event: inout AuditEvent) -> Bool {
    let isWanted = processes?.look(at: &event, &log) ?? true
    if !isWanted { filtered += 1 }
    return isWanted
  }

  mutating func handle(_ event: AuditEvent) throws(DestinationFailure) {
    if !event.isContinuation { gaps.note(event.stamp.serial) }
    let found = ProcessFollower.found(about: event)
    if found.context?.isFiltered == true {
      if !queue.skip(event.token) { confirmations.done(through: event.token) }
      return
    }
    let now = MonotonicTime.now
    if overflow.drops, queue.held >= Self.mostBytes {
      let records = event.records.count * (event.repetition?.count ?? 1)
      if let text = overflow.drop(records, at: now) { log.write(.error, text) }
      return
    }
    if queue.held < Self.mostBytes / 2, let text = overflow.end() { log.write(.notice, text) }
    if now - names >= Self.namesLast {
      writer.forgetAccounts()
      names = now
    }
    queue.append(prefix, writer.document(event, found.context), event.token)
    if queue.waiting >= Self.chunk { try advance() }
  }

  mutating func idle() throws(DestinationFailure) { try advance() }
  mutating func wake() throws(DestinationFailure) { try advance() }

  /// Writes what waits, as far as the destination takes it.
  private mutating func advance() throws(DestinationFailure) {
    do throws(DestinationFailure) {
      if queue.lines > 0, try !opened() { return }
      while queue.waiting > 0 {
        let count = try destination.write(queue.chunk(Self.chunk))
        queue.wrote(count)
        try takeArrived()
        guard count > 0 else { return watch(destination.descriptor) }
        overflow.progressed(at: MonotonicTime.now)
      }
      try takeArrived()
    } catch {
      if error.isFinal { throw error }
      return fail(error)
    }
    if queue.lines == 0 { overflow.progressed(at: MonotonicTime.now) }
    watch(nil)
  }

  /// Confirms the lines that are where they shall be.
  private mutating func takeArrived() throws(DestinationFailure) {
    arrivalAt = nil
    guard queue.awaitsArrival else { return }
    try destination.sync()
    let (lines, token) = queue.arrive(allBut: try destination.missing())
    written += lines
    if queue.awaitsArrival { arrivalAt = MonotonicTime.now + Self.arrivalTime }
    guard let token else { return }
    confirmations.done(through: token)
    overflow.progressed(at: MonotonicTime.now)
    delay = Self.shortestDelay
    if !said.isEmpty {
      log.write(.notice, "writes to \(destination.name) again")
      said = ""
    }
  }

  private mutating func opened() throws(DestinationFailure) -> Bool {
    if isOpen { return true }
    guard MonotonicTime.now >= retryAt else { return false }
    try destination.open()
    isOpen = true
    return true
  }

  private mutating func fail(_ failure: DestinationFailure) {
    if failure.text != said { log.write(.error, failure.text) }
    said = failure.text
    leave()
    retryAt = MonotonicTime.now + delay
    delay = min(delay * 2, Self.longestDelay)
  }

  /// What has not arrived is for the next one.
  private mutating func leave() {
    watch(nil)
    destination.close()
    isOpen = false
    arrivalAt = nil
    queue.startOver()
  }

  /// Waits until a descriptor takes something.
  private mutating func watch(_ descriptor: Int32?) {
    guard descriptor != watches else { return }
    if let old = watches { poller.remove(old) }
    if let descriptor { _ = poller.add(descriptor, 0, .write) }
    watches = descriptor
  }

  /// Makes documents by the new options; those that wait stay as they are. A file is opened anew; what
  /// reads goes on reading, where it is the same.
  mutating func reload(_ new: JSONOptions) throws(DestinationFailure) {
    try advance()
    if new.file != nil || !new.hasPlace(of: options) {
      leave()
      retryAt = .zero
      destination = Self.destination(new)
    }
    options = new
    writer = DocumentWriter(new.form, new.documents)
    processes?.save(&log)
    processes = ProcessFollower(new.processRequest, after: processes, log)
    prefix = Array(new.prefix.utf8)
  }

  mutating func outlastsInput() throws(DestinationFailure) -> Bool {
    try advance()
    return queue.lines > 0
  }

  mutating func finish(by end: Duration) throws(DestinationFailure) {
    processes?.save(&log)
    let last = end - .milliseconds(100)
    try advance()
    while queue.lines > 0, MonotonicTime.now < last {
      let longest = arrivalAt == nil ? .milliseconds(100) : Self.arrivalTime
      let patience = Int32(
        clamping: Int(min(last - MonotonicTime.now, longest) / .milliseconds(1)))
      _ = Poll.wait(poller.number, for: .read, milliseconds: max(patience, 1))
      try advance()
    }
    if queue.lines > 0 {
      log.write(.error, "ends before \(queue.lines) documents were taken by \(destination.name)")
    }
    watch(nil)
    destination.close()
  }
}
