import AudispatchPlugin
import Linux
import SecureChannel

/// A connection over TCP or TLS, plain or with RELP on it.
///
/// With RELP a message is done when the server says so. Without, nothing is ever said: a message
/// is done when the server's host has acknowledged all its bytes. Its host acknowledges too what a
/// server never reads that refuses our certificate: nothing is sent before that is judged.
final class StreamLink: Link {
  /// How messages are told apart.
  enum Manner: Equatable { case octetCounting, lines, relp }

  struct Settings {
    var manner: Manner
    /// Messages on their way at most, with RELP.
    var window: Int
    var timeout: Duration
    /// Set for TLS.
    var identity: TLSIdentity?
  }

  private enum Phase { case opening, judging, ready, closing }

  private static let outBytes = 64 << 10
  /// How long a server that says nothing of our certificate may still refuse it.
  private static let patience = Duration.seconds(1)

  private let settings: Settings
  private var phase = Phase.opening
  private let opening: ChannelOpening
  private var channel: ByteChannel?
  private var relp = RelpSession()

  /// Bytes to write, from `outAt` on.
  private var out: [UInt8] = []
  private var outAt = 0
  private var input = [UInt8](repeating: 0, count: 4096)
  private var arrival = StreamArrival()
  /// When something last went forward.
  private var progress: Duration
  private var waitsFor: Interest = .read

  init(to server: ServerAddress, _ settings: Settings, _ now: Duration) throws(SystemError) {
    self.settings = settings
    progress = now
    opening = try ChannelOpening(
      ChannelOpening.Target(host: server.host, port: server.port, identity: settings.identity),
      timeout: settings.timeout, now)
  }

  var descriptor: Int32 { opening.descriptor }
  var generation: Int { opening.generation }
  var interest: Interest { phase == .opening ? opening.interest : waitsFor }
  var isReady: Bool {
    phase == .ready && (settings.manner != .relp || relp.state == .open)
  }

  private var isWaited: Bool {
    !isReady || relp.outstanding > 0 || outAt < out.count
  }

  var deadline: Duration? {
    if phase == .opening { return opening.deadline }
    if phase == .judging { return progress + Self.patience }
    var deadline: Duration?
    if isWaited { deadline = progress + settings.timeout }
    // Nobody says when the other host has acknowledged something: it must be asked.
    if arrival.isAwaited {
      deadline = min(deadline ?? .seconds(1 << 40), MonotonicTime.now + .milliseconds(20))
    }
    return deadline
  }

  func advance(
    _ queue: inout MessageQueue, _ now: Duration, _ done: inout Int
  ) throws(LinkFailure) {
    if phase == .opening, try !open(now) { return }
    guard let channel else { return }
    if phase == .judging, try !awaitJudgement(channel, now) { return }
    if isWaited, now - progress >= settings.timeout {
      throw LinkFailure(isReady ? "takes and acknowledges nothing" : "does not answer")
    }
    // Time counts from when there is something to wait for.
    if !isWaited { progress = now }
    try read(channel, now, &done)
    while true {
      fill(from: &queue)
      guard outAt < out.count else { break }
      guard try write(channel, now) else { break }
      // The answers may already be there.
      try read(channel, now, &done)
    }
    if settings.manner != .relp { done += arrival.take(channel.acknowledged) }
    if done > 0 { progress = now }
  }

  private func open(_ now: Duration) throws(LinkFailure) -> Bool {
    channel = try LinkFailure.of { () throws(ChannelFailure) in try opening.advance(now) }
    guard channel != nil else { return false }
    phase = .judging
    progress = now
    waitsFor = .read
    return true
  }

  /// Waits until the server has judged our certificate. With RELP its answers say so.
  private func awaitJudgement(
    _ channel: ByteChannel, _ now: Duration
  ) throws(LinkFailure) -> Bool {
    // Tickets are taken, and a refusal noticed, by reading.
    while settings.manner != .relp, !channel.isJudged, now - progress < Self.patience {
      switch try read(channel) {
      case .wants(let interest):
        waitsFor = interest
        guard channel.isJudged else { return false }
      case .ended: throw LinkFailure("ended the connection")
      case .bytes: continue
      }
    }
    phase = .ready
    progress = now
    // Certificates take much code that is not needed again.
    if settings.identity != nil { forgetStartingCode() }
    if settings.manner == .relp { relp.open(&out) }
    return true
  }

  private func read(_ channel: ByteChannel) throws(LinkFailure) -> ByteChannel.Outcome {
    try LinkFailure.of { () throws(ChannelFailure) in try channel.read(into: &input) }
  }

  private func read(
    _ channel: ByteChannel, _ now: Duration, _ done: inout Int
  ) throws(LinkFailure) {
    while true {
      switch try read(channel) {
      case .wants(let interest):
        waitsFor = interest
        return
      case .ended:
        if phase == .closing { return }
        throw LinkFailure("ended the connection")
      case .bytes(let count):
        // Without RELP a server has nothing to say.
        guard settings.manner == .relp else { continue }
        do throws(RelpSession.Violation) {
          done += try relp.take(input[..<count])
        } catch {
          done += error.done
          throw LinkFailure(error.description, refused: error.refused)
        }
        progress = now
        if relp.state == .closed {
          if phase == .closing { return }
          throw LinkFailure("ended the session")
        }
      }
    }
  }

  private func fill(from queue: inout MessageQueue) {
    if outAt == out.count {
      out.removeAll(keepingCapacity: true)
      outAt = 0
    }
    guard isReady else { return }
    while out.count - outAt < Self.outBytes {
      if settings.manner == .relp, relp.outstanding >= settings.window { return }
      guard let message = queue.next() else { return }
      switch settings.manner {
      case .relp: relp.send(message, &out)
      case .octetCounting:
        out += "\(message.count) ".utf8
        out += message
      case .lines:
        out += message
        out.append(0x0a)
      }
      if settings.manner != .relp { arrival.sent(upTo: out.count - outAt) }
    }
  }

  /// Writes what is taken; `false` when no more is.
  private func write(_ channel: ByteChannel, _ now: Duration) throws(LinkFailure) -> Bool {
    switch try LinkFailure.of({ () throws(ChannelFailure) in try channel.write(out[outAt...]) }) {
    case .bytes(let count):
      outAt += count
      progress = now
      // Over RELP the server says what it has; nobody would take these marks.
      if settings.manner != .relp { arrival.wrote(count, raw: channel.written) }
      return true
    case .wants(let interest):
      waitsFor = [.read, interest]
      return false
    case .ended: throw LinkFailure("ended the connection")
    }
  }

  func close() {
    guard phase == .ready else { return }
    phase = .closing
    relp.close(&out)
    if settings.manner != .relp { channel?.close() }
  }

  /// Whether the server has answered that the session is over.
  var isClosed: Bool { settings.manner != .relp || relp.state != .closing }
}
