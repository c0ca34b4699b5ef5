import AudispatchPlugin
import Configuration
import Linux
import RemoteProtocol
import SecureChannel

/// Where records go: does what `Sender` decides, over sockets and by the clock.
struct Uplink: ~Copyable {
  private static let outBytes = 64 << 10

  private var options: RemoteOptions
  private var sender: Sender
  private(set) var records: OutgoingRecords
  /// What receivers of ours know this sender by.
  private let name: String
  private var server = 0
  private var opening: ChannelOpening?
  private var channel: ByteChannel?
  private var replies = ReplyReader()
  /// Bytes to write, from `outAt` on.
  private var out: [UInt8] = []
  private var outAt = 0
  private var input = [UInt8](repeating: 0, count: 16 << 10)
  private var interest: Interest = .read
  private var poller: Poller
  private var watching: (descriptor: Int32, generation: Int, interest: Interest)?
  private var generation = 0

  private var news = ServerNews()
  private(set) var counts = Counts()

  struct Counts {
    var stored = 0
    var sentAgain = 0
    var cut = 0
    var connections = 0
  }

  /// - Parameters:
  ///   - name: printable; another one for each stream of records.
  ///   - first: the dispatcher's number of the first record; `nil` where it numbers none.
  init(_ options: RemoteOptions, name: String, first: UInt64?) throws(SystemError) {
    self.options = options
    self.name = name
    records = OutgoingRecords(first: first)
    sender = Self.sender(options)
    poller = try Poller()
  }

  private static func sender(_ options: RemoteOptions) -> Sender {
    Sender(
      Sender.Settings(
        servers: options.servers.count, window: options.window, answerTime: options.answerTime,
        heartbeat: options.heartbeat, retry: options.retryTime...options.retryTimeMaximum,
        tries: options.tries, opens: true),
      seed: UInt64.random(in: 0 ... .max), now: MonotonicTime.now)
  }

  var watched: Int32? { poller.number }
  var deadline: Duration? { [sender.deadline, opening?.deadline].compactMap { $0 }.min() }

  /// Adds records; `false` when there is none of them to send, and they are done with what is before.
  mutating func append(_ batch: RecordBatch) -> Bool { records.append(batch) }
  /// Puts records that no dispatcher knows of in front; what is behind waits for more of them.
  mutating func putInFront(_ lines: [[UInt8]], awaitsMore: Bool) {
    records.putInFront(lines)
    records.awaitsFront = awaitsMore
  }

  mutating func takeReports() -> [ServerNews.Report] { news.take() }

  // MARK: Going on

  /// Does whatever can be done now; what is done by it.
  mutating func advance() -> DeliveryToken? {
    var token: DeliveryToken?
    // As many attempts as there are servers: each may fail at once.
    var attempts = 0
    while true {
      let now = MonotonicTime.now
      do throws(Loss) {
        if case .connect? = try follow(now) { attempts += 1 }
        try open(now)
        try exchange(now, &token)
        break
      } catch {
        lose(error, now)
        if attempts > options.servers.count { break }
      }
    }
    watch()
    return token
  }

  /// Does what the sender wants done; the last of it.
  private mutating func follow(_ now: Duration) throws(Loss) -> Sender.Step? {
    var last: Sender.Step?
    while let step = sender.step(now: now) {
      last = step
      switch step {
      case .giveUp(let loss): throw loss
      case .heartbeat(let number): MessageHeader(.heartbeat, sequence: number).append(to: &out)
      case .open(let number):
        let payload = Opening(name: name, next: records.nextNumber).payload
        MessageHeader(.heartbeat, length: payload.count, sequence: number).append(to: &out)
        out += payload
      case .connect(let server):
        self.server = server
        do throws(SystemError) {
          opening = try ChannelOpening(
            options.target(options.servers[server]), timeout: options.answerTime, now)
        } catch { throw .unreachable(error.description) }
      }
    }
    return last
  }

  private mutating func open(_ now: Duration) throws(Loss) {
    guard let opening else { return }
    let opened: ByteChannel?
    do throws(ChannelFailure) {
      opened = try opening.advance(now)
    } catch { throw .unreachable(error.description) }
    guard let opened else { return }
    self.opening = nil
    channel = opened
    generation += 1
    counts.connections += 1
    replies = ReplyReader()
    news.connected()
    sender.connected(now: now)
    if options.transport == .tls { forgetStartingCode() }
  }

  private mutating func exchange(_ now: Duration, _ token: inout DeliveryToken?) throws(Loss) {
    guard let channel else { return }
    try read(channel, now, &token)
    while true {
      fill(now)
      guard outAt < out.count else { break }
      guard try write(channel, now, &token) else { break }
      // The answers may already be there.
      try read(channel, now, &token)
    }
    if sender.isHeard { news.heard(serverName, isFirst: server == 0) }
  }

  private mutating func fill(_ now: Duration) {
    if outAt == out.count {
      out.removeAll(keepingCapacity: true)
      outAt = 0
    } else if outAt >= Self.outBytes {
      // A socket that is never empty must not let it grow.
      out.removeFirst(outAt)
      outAt = 0
    }
    while out.count - outAt < Self.outBytes, sender.hasRoom, let record = records.next() {
      let number = sender.sendRecord(as: UInt32(truncatingIfNeeded: record.number), now: now)
      let cut = RecordPayload.appendMessage(
        record.line, number, to: &out, limit: MessageLimit.auditd)
      if cut > 0 { counts.cut += 1 }
    }
  }

  private mutating func write(
    _ channel: ByteChannel, _ now: Duration, _ token: inout DeliveryToken?
  ) throws(Loss) -> Bool {
    do throws(ChannelFailure) {
      switch try channel.write(out[outAt...]) {
      case .bytes(let count):
        outAt += count
        return true
      case .wants(let wanted):
        interest = [.read, wanted]
        return false
      case .ended: throw ChannelFailure("ended the connection")
      }
    } catch {
      // What it said before it went still counts.
      try read(channel, now, &token)
      throw ended(error.description, now)
    }
  }

  /// A connection that broke may as well be one that was not wanted. Over TLS the reason may be that of
  /// a server which does not like our certificate, as it says when our handshake is over.
  private func ended(_ reason: String, _ now: Duration) -> Loss {
    let meaning = sender.meaning(ofEndAt: now)
    return meaning == .turnedAway && options.transport == .tcp ? meaning : .broken(reason)
  }

  private mutating func read(
    _ channel: ByteChannel, _ now: Duration, _ token: inout DeliveryToken?
  ) throws(Loss) {
    while true {
      let outcome: ByteChannel.Outcome
      do throws(ChannelFailure) {
        outcome = try channel.read(into: &input)
      } catch { throw ended(error.description, now) }
      switch outcome {
      case .wants(let wanted):
        interest = wanted
        return
      case .ended: throw sender.meaning(ofEndAt: now)
      case .bytes(let count):
        replies.append(input[..<count])
        try takeReplies(now, &token)
      }
    }
  }

  private mutating func takeReplies(
    _ now: Duration, _ token: inout DeliveryToken?
  ) throws(Loss) {
    while true {
      let reply: Reply?
      do throws(Violation) {
        reply = try replies.next()
      } catch { throw .violation(error) }
      guard let reply else { return }
      guard let stored = try sender.take(reply, now: now) else { continue }
      counts.stored += 1
      token = records.finish() ?? token
      if let warning = stored.warning { news.warns(serverName, warning, now) }
    }
  }

  // MARK: Losing a connection

  private var serverName: String { options.name(options.servers[server]) }

  private mutating func lose(_ loss: Loss, _ now: Duration) {
    let outlook = sender.lost(loss, now: now)
    records.startOver()
    counts.sentAgain += outlook.again
    drop()
    news.lost(serverName, loss, outlook, tries: options.tries)
  }

  private mutating func drop() {
    if let watching { poller.remove(watching.descriptor) }
    watching = nil
    opening = nil
    channel = nil
    out.removeAll(keepingCapacity: true)
    outAt = 0
  }

  /// Goes on with other settings: over a new connection everything is sent that is not acknowledged.
  mutating func change(to options: RemoteOptions) {
    self.options = options
    records.startOver()
    counts.sentAgain += sender.outstanding
    sender = Self.sender(options)
    drop()
  }

  // MARK: Waiting

  private mutating func watch() {
    let wanted: (descriptor: Int32, generation: Int, interest: Interest)
    if let opening {
      // Numbers of openings and of channels never meet.
      wanted = (opening.descriptor, -1 - opening.generation, opening.interest)
    } else if let channel {
      wanted = (channel.number, generation, interest)
    } else {
      return
    }
    if let watching, watching.descriptor == wanted.descriptor,
      watching.generation == wanted.generation
    {
      if watching.interest != wanted.interest {
        poller.change(wanted.descriptor, 0, wanted.interest)
      }
    } else {
      if let watching { poller.remove(watching.descriptor) }
      _ = poller.add(wanted.descriptor, 0, wanted.interest)
    }
    watching = wanted
  }

  /// Waits until something may go forward.
  mutating func wait(atMost limit: Duration) {
    let until = min(limit, deadline.map { max($0 - MonotonicTime.now, .zero) } ?? limit)
    _ = poller.wait(milliseconds: Int32(clamping: until.inNanoseconds / 1_000_000 + 1))
  }

  /// Lets go of the connection.
  mutating func close() {
    channel?.close()
    drop()
  }
}
