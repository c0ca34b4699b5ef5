import AudispatchPlugin
import AuditRecord
import Glibc
import Linux
import SyslogSending

/// Events or records as messages to the servers of the configuration.
struct SyslogPlugin: AuditPlugin, RecordPlugin, ~Copyable {
  typealias Options = SyslogOptions

  /// Bytes of messages that wait here before the input does.
  private static var waitingBytes: Int { 256 << 10 }

  let doneWhen = DoneWhen.told
  private let confirmations: Confirmations
  private var log: PluginLog
  private var options: SyslogOptions
  private var writer: MessageWriter
  private var outlet: Outlet
  private var overflow = Overflow.ofThisProcess()
  /// By writers before this one.
  private var redacted = 0

  init(
    _ options: SyslogOptions, _ log: PluginLog, _ confirmations: Confirmations
  ) throws(SystemError) {
    self.confirmations = confirmations
    self.log = log
    self.options = options
    writer = MessageWriter(options, host: HostName.current, process: getpid())
    outlet = try Outlet(options.servers)
    advance()
  }

  private var isFull: Bool { outlet.waitingBytes >= Self.waitingBytes }
  var wantsMore: Bool { !isFull || overflow.isStuck(at: MonotonicTime.now) }
  var watched: Int32? { outlet.watched }
  var deadline: Duration? {
    [outlet.deadline, isFull && !wantsMore ? overflow.deadline : nil].compactMap { $0 }.min()
  }
  var figures: [(name: String, value: Int)] {
    [
      ("sent", outlet.done), ("waiting", outlet.waiting), ("dropped", overflow.dropped),
      ("sent_again", outlet.sentAgain),
      ("too_long", outlet.tooLong), ("refused", outlet.refused),
      ("connections", outlet.connections),
    ] + (options.volume.redacts ? [("redacted", redacted + writer.redacted)] : [])
  }

  mutating func handle(_ event: AuditEvent) {
    if drops(event.records.count) { return }
    let messages = writer.messages(of: event)
    let serial = event.stamp.serial
    for message in messages.dropLast() { outlet.append(message, token: nil, serial: serial) }
    finish(with: messages.last, event.token, serial)
  }

  /// Drops so many records if no more may wait.
  private mutating func drops(_ records: Int) -> Bool {
    if outlet.waitingBytes >= Overflow.bytes {
      if let text = overflow.drop(records, at: MonotonicTime.now) { log.write(.error, text) }
      return true
    }
    // Not at each message of a queue that is full again and again.
    if outlet.waitingBytes < Overflow.bytes / 2, let text = overflow.end() {
      log.write(.notice, text)
    }
    return false
  }

  mutating func handle(_ records: RecordBatch) {
    if drops(records.records.count) { return }
    var last: [UInt8]?
    var serial: UInt64 = 0
    for record in records.records {
      if record.type == .endOfEvent, options.ends == false { continue }
      if let last { outlet.append(last, token: nil, serial: serial) }
      last = writer.message(of: record, in: records.bytes)
      serial = record.stamp.serial
    }
    finish(with: last, records.token, serial)
  }

  /// Adds the last message of what has that token; `nil` when there was none.
  private mutating func finish(with last: [UInt8]?, _ token: DeliveryToken, _ serial: UInt64) {
    if let last {
      outlet.append(last, token: token, serial: serial)
    } else if !outlet.attach(token) {
      confirmations.done(through: token)
    }
    advance()
  }

  mutating func wake() { advance() }

  private mutating func advance() {
    let before = outlet.done
    if let token = outlet.advance() { confirmations.done(through: token) }
    if outlet.done > before || outlet.waiting == 0 { overflow.progressed(at: MonotonicTime.now) }
    for (severity, text) in outlet.takeReports() { log.write(severity, text) }
  }

  /// Connects anew, and makes messages by the new options; those that wait stay as they are.
  ///
  /// Whether events are put together is settled when the session begins to run, and what waits for
  /// the journal is not for other servers: that stays as it was.
  mutating func reload(_ new: SyslogOptions) {
    guard new.servers.areJournals == options.servers.areJournals else {
      log.write(
        .error,
        "the journal is not exchanged for other servers, nor they for it, without a new start: "
          + "everything stays as it was")
      return
    }
    var new = new
    if MessageWriter.takesRecords(new) != MessageWriter.takesRecords(options) {
      log.write(
        .error,
        "messages, body, interpret and redact stay as they were until the plugin is started anew; "
          + "everything else applies")
      new.unit = options.unit
      new.body = options.body
      new.interpret = options.interpret
      new.volume = options.volume
      new.redactsVerbatim = options.redactsVerbatim
    }
    options = new
    redacted += writer.redacted
    writer = MessageWriter(options, host: HostName.current, process: getpid())
    outlet.change(to: options.servers)
    advance()
  }

  var hasLost: Bool { !confirmations.isAsked && (outlet.waiting > 0 || overflow.dropped > 0) }

  mutating func outlastsInput() -> Bool {
    advance()
    return outlet.waiting > 0
  }

  /// Sends what waits, and takes leave of the server.
  mutating func finish(by end: Duration) {
    let last = end - .milliseconds(100)
    while outlet.waiting > 0, MonotonicTime.now < last {
      outlet.wait(atMost: last - MonotonicTime.now)
      advance()
    }
    if outlet.waiting > 0 {
      log.write(.error, "ends before \(outlet.waiting) messages were taken by a server")
    }
    outlet.close(within: min(.milliseconds(300), max(end - MonotonicTime.now, .zero)))
  }
}

/// The name of this host.
enum HostName {
  static var current: String {
    let name = try? NodeName.resolve(.hostname, name: nil)
    return name ?? "localhost"
  }
}
