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
  /// How long names of users and groups are believed.
  private static var namesLast: Duration { .seconds(60) }

  let doneWhen = DoneWhen.told
  private var log: PluginLog
  private let confirmations: Confirmations
  private var writer: DocumentWriter
  private var processes: ProcessFollower?
  private var prefix: [UInt8]
  private var options: JSONOptions
  private var output: DocumentOutput
  private var names = MonotonicTime.now
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
    output = try DocumentOutput(to: Self.destination(options))
  }

  private static func destination(_ options: JSONOptions) -> any Destination {
    if let file = options.file { return DocumentFile(file, options) }
    if let socket = options.socket { return SocketDestination(socket) }
    if !options.program.isEmpty { return ProgramDestination(options.program) }
    return StandardOutput()
  }

  var wantsMore: Bool {
    output.held < Self.waitingBytes || overflow.isStuck(at: MonotonicTime.now)
  }
  var watched: Int32? { output.number }
  var deadline: Duration? {
    [output.deadline, wantsMore ? nil : overflow.deadline].compactMap { $0 }.min()
  }
  // Only a file has no reader who watches.
  var gathering: Duration { options.file == nil ? .zero : .milliseconds(1) }
  var figures: [(name: String, value: Int)] {
    [
      ("written", output.written), ("waiting", output.waiting), ("dropped", overflow.dropped),
      ("cut", writer.cut),
      ("serials_missing", gaps.missing), ("filtered", filtered),
    ] + (processes?.figures ?? [])
  }

  var hasLost: Bool { !confirmations.isAsked && (output.waiting > 0 || overflow.dropped > 0) }

  mutating func look(at event: inout AuditEvent) -> Bool {
    let isWanted = processes?.look(at: &event, &log) ?? true
    if !isWanted { filtered += 1 }
    return isWanted
  }

  mutating func handle(_ event: AuditEvent) throws(DestinationFailure) {
    if !event.isContinuation { gaps.note(event.stamp.serial) }
    let found = ProcessFollower.found(about: event)
    if found.context?.isFiltered == true {
      if !output.skip(event.token) { confirmations.done(through: event.token) }
      return
    }
    let now = MonotonicTime.now
    if overflow.drops, output.held >= Self.mostBytes {
      let records = event.records.count * (event.repetition?.count ?? 1)
      if let text = overflow.drop(records, at: now) { log.write(.error, text) }
      return
    }
    if output.held < Self.mostBytes / 2, let text = overflow.end() { log.write(.notice, text) }
    if now - names >= Self.namesLast {
      writer.forgetAccounts()
      names = now
    }
    output.append(prefix, writer.document(event, found.context), event.token)
    if output.isReady { try advance() }
  }

  mutating func idle() throws(DestinationFailure) { try advance() }
  mutating func wake() throws(DestinationFailure) { try advance() }

  /// Writes what waits, as far as the destination takes it, and confirms what has arrived.
  private mutating func advance() throws(DestinationFailure) {
    let progress = output.advance()
    if let token = progress.token { confirmations.done(through: token) }
    if progress.isMade { overflow.progressed(at: MonotonicTime.now) }
    if let (severity, text) = progress.report { log.write(severity, text) }
    if let failure = progress.end { throw failure }
  }

  /// Makes documents by the new options; those that wait stay as they are. A file is opened anew; what
  /// reads goes on reading, where it is the same.
  mutating func reload(_ new: JSONOptions) throws(DestinationFailure) {
    try advance()
    if new.file != nil || !new.hasPlace(of: options) { output.change(to: Self.destination(new)) }
    options = new
    writer = DocumentWriter(new.form, new.documents)
    processes?.save(&log)
    processes = ProcessFollower(new.processRequest, after: processes, log)
    prefix = Array(new.prefix.utf8)
  }

  mutating func outlastsInput() throws(DestinationFailure) -> Bool {
    try advance()
    return output.waiting > 0
  }

  mutating func finish(by end: Duration) throws(DestinationFailure) {
    processes?.save(&log)
    let last = end - .milliseconds(100)
    try advance()
    while output.waiting > 0, MonotonicTime.now < last {
      output.wait(atMost: last - MonotonicTime.now)
      try advance()
    }
    if output.waiting > 0 {
      log.write(.error, "ends before \(output.waiting) documents were taken by \(output.name)")
    }
    output.close()
  }
}
