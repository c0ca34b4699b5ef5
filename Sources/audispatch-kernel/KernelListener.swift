import AuditRecord
import Enrichment
import Glibc
import Linux
import Synchronization

/// Listens to the kernel on this thread, and leaves enriching and writing to another.
///
/// A look-up of a name may hang for as long as a directory server pleases: the kernel's messages are
/// taken off its hands meanwhile, and wait in a bounded queue.
struct KernelListener: ~Copyable {
  private let socket: AuditSocket
  private var status: StatusWatch
  private let queue: MessageQueue
  private let writer: RecordWriter
  private let signals: SignalSource
  private let page: CounterPage
  private var counters = KernelCounters()
  private var drops: UInt32 = 0
  private var buffer = [UInt8](repeating: 0, count: 64 << 10)
  private var lossReport = RateLimit(every: .seconds(10))
  private var saidLost: UInt64 = 0

  static func run(
    _ options: Options, node: String?, _ page: consuming CounterPage
  ) -> Int32 {
    do {
      let signals = try SignalSource([SIGTERM, SIGINT, SIGHUP, SIGUSR1])
      let socket = try AuditSocket(bufferBytes: Int32(options.receiveBuffer))
      if !socket.bufferIsForced { Report.say(Surroundings.warningAboutBuffer(socket.bufferBytes)) }
      if Surroundings.isInOtherNetwork {
        Report.say(
          "warning: the kernel sends its audit messages to the initial network namespace only, "
            + "and this is another one: nothing will come")
      }
      let status = StatusWatch()
      giveUpCapabilities()
      let queue = try MessageQueue(bound: options.queueBytes)
      let writer = try RecordWriter(queue: queue, content: options.content, node: node)
      try writer.start()
      var listener = KernelListener(
        socket: socket, status: status, queue: queue, writer: writer, signals: signals, page: page)
      return try listener.listen()
    } catch {
      Report.say("error: \(error)")
      if let advice = Surroundings.adviceOnJoining(error.cause) { Report.say("error: \(advice)") }
      return ExitStatus.failed
    }
  }

  /// The socket is open. What follows looks up names, and asks the kernel for its state. Before any
  /// other thread begins, whose capabilities are its own.
  private static func giveUpCapabilities() {
    let kept = Capabilities.auditControl
    if Capabilities.permitted.contains(.setBound) {
      try? Capabilities.bound(to: kept)
    } else {
      Capabilities.makeEffective(only: kept)
    }
  }

  private init(
    socket: consuming AuditSocket, status: consuming StatusWatch, queue: MessageQueue,
    writer: RecordWriter, signals: consuming SignalSource, page: consuming CounterPage
  ) {
    self.socket = socket
    self.status = status
    self.queue = queue
    self.writer = writer
    self.signals = signals
    self.page = page
  }

  /// Listens until a signal, or until the reader of the output is gone.
  private mutating func listen() throws(SystemError) -> Int32 {
    refresh(force: true)
    page.publish(counters)
    var busy = true
    while true {
      // Asking at a low rate, and not at all while nothing happens.
      let pause: Int32 = writerIsBehind ? 100 : busy ? 1000 : -1
      let before = counters
      let ready = Poll.wait(
        [
          (socket.descriptor.number, .read), (signals.number, .read),
          (writer.ended.number, .read),
          (1, []),
        ], milliseconds: pause)
      if !ready[0].isEmpty { try receive() }
      if !ready[1].isEmpty {
        switch signals.next() {
        case SIGUSR1?: refresh(force: true)
        case .some: return finish()
        case nil: break
        }
      }
      if !ready[2].isEmpty || ready[3].contains(.ended) {
        finishCounters()
        return ExitStatus.failed
      }
      counters.written = writer.written
      refresh(force: false)
      busy = counters != before
      page.publish(counters)
      reportLoss()
    }
  }

  /// Takes what the kernel has, a limited number at once.
  private mutating func receive() throws(SystemError) {
    for _ in 0..<1024 {
      let received = unsafe buffer.withUnsafeMutableBytes { unsafe socket.receive(into: $0) }
      switch received {
      case .message(let type, let count):
        guard MessageKind.isRecord(type) else { continue }
        counters.received += 1
        let (serial, admitted) = queue(type, count)
        if let serial { counters.note(serial: serial) }
        if !admitted { counters.queueLost += 1 }
        page.publishArrival(counters)
      case .malformed: counters.malformed += 1
      case .overrun: countDrops()
      case .wouldBlock: return
      case .failed(let reason):
        throw SystemError("receive", "the kernel's audit messages", reason)
      }
    }
  }

  /// Puts the message that was received into the queue: its event's serial, and whether there was
  /// room.
  private func queue(_ type: UInt16, _ count: Int) -> (serial: UInt64?, admitted: Bool) {
    let text = buffer.span.extracting(AuditSocket.textOffset..<AuditSocket.textOffset + count)
    var at = 0
    let stamp = RecordStamp(text, at: &at)
    return (stamp?.serial, queue.put(type: type, text))
  }

  /// Adds what the kernel could not put into our receive buffer.
  private mutating func countDrops() {
    guard let now = socket.droppedMessages else {
      counters.receiveOverruns += 1
      return
    }
    counters.receiveOverruns += UInt64(now &- drops)
    drops = now
  }

  private var writerIsBehind: Bool {
    counters.written + counters.queueLost < counters.received
  }

  private mutating func refresh(force: Bool) {
    if status.refresh(at: .now, force: force) {
      counters.kernelLost = status.lost
      counters.kernelAudit = status.enabled
    }
  }

  private mutating func reportLoss() {
    let lost = counters.kernelLost + counters.receiveOverruns + counters.queueLost
    guard lost > saidLost, lossReport.pass(.now) != nil else { return }
    saidLost = lost
    Report.say(
      "warning: records lost since the start: \(counters.kernelLost) in the kernel, "
        + "\(counters.receiveOverruns) at the receive buffer, \(counters.queueLost) at the queue")
  }

  /// Ends in good order: what was received is written, for at most a second.
  private mutating func finish() -> Int32 {
    try? receive()
    queue.close()
    _ = Poll.wait(writer.ended.number, for: .read, milliseconds: 1000)
    finishCounters()
    return ExitStatus.done
  }

  private mutating func finishCounters() {
    countDrops()
    refresh(force: true)
    counters.written = writer.written
    let left = counters.received - counters.queueLost - counters.written
    if left > 0 {
      counters.queueLost += left
      Report.say("warning: \(left) records were not written any more")
    }
    lossReport = RateLimit(every: lossReport.period)
    reportLoss()
    page.publish(counters)
  }
}

/// Which of the numbers that a netlink message may have as type are an audit record's.
enum MessageKind {
  /// The kernel's answers and orders are none, and auditd makes its own records itself.
  static func isRecord(_ type: UInt16) -> Bool {
    switch type {
    case 0..<1005, 1007..<1100, 1200..<1300, 1329: false
    default: true
    }
  }
}
