import AudispatchPlugin
import AuditRecord
import Linux
import SyslogSending

/// Records as they are into a datagram socket of this host: the plain case, and the cheap one.
/// Nothing is copied; 64 records are a system call.
///
/// While the socket takes nothing, nothing more is taken: the dispatcher's queue keeps it. See
/// `Overflow` for what is otherwise under auditd.
struct LocalRecords: RecordPlugin, ~Copyable {
  typealias Options = SyslogOptions

  let doneWhen = DoneWhen.told
  private let confirmations: Confirmations
  private var log: PluginLog
  private var writer: MessageWriter
  private var sendsEnds: Bool
  private var path: String
  private var socket: LocalSocket

  /// What is being sent; what was handed out is sent before more is taken.
  private var batch: RecordBatch?
  private var lines: [DatagramSocket.Line] = []
  /// The second of the event of each line.
  private var seconds: [UInt64] = []
  private var next = 0
  private var head: [UInt8] = []
  private var headSecond = UInt64.max
  /// Under auditd, what came while the socket took nothing.
  private var waiting: [RecordBatch] = []
  private var waitingBytes = 0
  private var overflow = Overflow.ofThisProcess()
  /// Whether anything was taken in this turn.
  private var isMoving = false

  private var sent = 0
  private var tooLong = 0

  /// The socket's path if those options are the plain case.
  static func path(for options: SyslogOptions) -> String? {
    guard options.servers.addresses.count == 1,
      case .unix(let path) = options.servers.addresses[0].kind,
      options.headerForm == .local, MessageWriter.takesRecords(options),
      // Beyond what a record can be.
      options.maximumSize ?? 0 >= 32 << 10
    else { return nil }
    return path
  }

  init(
    _ options: SyslogOptions, _ path: String, _ log: PluginLog, _ confirmations: Confirmations
  ) {
    self.confirmations = confirmations
    self.log = log
    self.path = path
    sendsEnds = options.ends ?? true
    writer = MessageWriter(options, host: "", process: 0)
    socket = LocalSocket(path: path, retryDelay: .milliseconds(200))
  }

  private var isIdle: Bool { next == lines.count }
  var wantsMore: Bool { isIdle || overflow.isStuck(at: MonotonicTime.now) }
  var watched: Int32? { socket.watched }
  var deadline: Duration? {
    [socket.deadline, wantsMore ? nil : overflow.deadline].compactMap { $0 }.min()
  }
  var figures: [(name: String, value: Int)] {
    [
      ("sent", sent), ("dropped", overflow.dropped), ("too_long", tooLong),
      ("reconnects", socket.reconnects),
    ]
  }

  mutating func handle(_ records: RecordBatch) {
    if isIdle {
      begin(records)
      send()
    } else if waitingBytes < Overflow.bytes {
      waiting.append(records)
      waitingBytes += records.bytes.count
    } else if let text = overflow.drop(records.records.count, at: MonotonicTime.now) {
      log.write(.error, text)
    }
  }

  private mutating func begin(_ records: RecordBatch) {
    batch = records
    lines.removeAll(keepingCapacity: true)
    seconds.removeAll(keepingCapacity: true)
    next = 0
    for record in records.records {
      if record.type == .endOfEvent, !sendsEnds { continue }
      lines.append(DatagramSocket.Line(record.line))
      seconds.append(record.stamp.milliseconds / 1000)
    }
  }

  mutating func wake() { send() }

  /// Sends what the socket takes.
  private mutating func send() {
    isMoving = false
    sendAll()
    if isMoving { overflow.progressed(at: MonotonicTime.now) }
  }

  private mutating func sendAll() {
    sendBatch()
    guard isIdle, !waiting.isEmpty else { return }
    for (index, batch) in waiting.enumerated() {
      waitingBytes -= batch.bytes.count
      begin(batch)
      sendBatch()
      guard isIdle else {
        waiting.removeFirst(index + 1)
        return
      }
    }
    waiting = []
    if let text = overflow.end() { log.write(.notice, text) }
  }

  private mutating func sendBatch() {
    guard let batch else { return }
    while next < lines.count {
      let second = seconds[next]
      if second != headSecond {
        head = writer.plainHeader(milliseconds: second * 1000)
        headSecond = second
      }
      var end = next + 1
      while end < lines.count, end - next < 64, seconds[end] == second { end += 1 }
      switch socket.send(head, lines[next..<end], of: batch.bytes) {
      case .bytes(let count):
        next += count
        sent += count
        isMoving = true
      case .wouldBlock:
        report()
        return
      case .failed(.messageTooLong):
        // Only one that is the first is refused alone.
        next += 1
        tooLong += 1
      case .failed:
        report()
        return
      }
    }
    report()
    confirmations.done(through: batch.token)
  }

  private mutating func report() {
    for (severity, text) in socket.takeReports() {
      log.write(severity, severity == .error ? "\(text); \(left) records wait here" : text)
    }
  }

  /// Connects anew, and goes on by the new options; what else they ask for needs a new start.
  mutating func reload(_ options: SyslogOptions) {
    guard let path = Self.path(for: options) else {
      log.write(
        .error,
        "plain records to a local socket are not exchanged for others without a new start: "
          + "everything stays as it was")
      return
    }
    self.path = path
    sendsEnds = options.ends ?? true
    writer = MessageWriter(options, host: "", process: 0)
    headSecond = .max
    socket = LocalSocket(path: path, retryDelay: .milliseconds(200))
    send()
  }

  /// Records that were taken and not sent.
  private var left: Int { lines.count - next + waiting.reduce(0) { $0 + $1.records.count } }
  var hasLost: Bool { !confirmations.isAsked && (left > 0 || overflow.dropped > 0) }

  mutating func outlastsInput() -> Bool {
    send()
    return left > 0
  }

  /// Waits for the socket.
  mutating func finish(by end: Duration) {
    while !isIdle, MonotonicTime.now < end {
      socket.wait(milliseconds: 50)
      send()
    }
    if left > 0 { log.write(.error, "\(path) did not take the last \(left) records") }
  }
}
