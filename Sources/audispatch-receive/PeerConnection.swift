import Linux
import RemoteProtocol
import SecureChannel

/// One peer's connection: its socket, and what `PeerState` and `PeerAnswers` decide about it.
final class PeerConnection {
  /// How long a peer that was told of the end may take to close.
  static let farewell = Duration.seconds(1)

  let id: UInt32
  let source: UInt8
  let peer: InternetPeer
  let channel: ByteChannel
  var state: PeerState
  var answers = PeerAnswers()
  private(set) var identity = ""
  private var reader = PeerReader()
  /// Answers that the socket has not taken.
  private var out: [UInt8] = []
  private var outAt = 0
  /// It sends nothing any more, and waits for its answers.
  private(set) var hasFinished = false
  /// When it was told of the end.
  private(set) var endedAt: Duration?
  /// What it is waited for, when it is.
  var watched: Interest?
  var wanted: Interest = .read
  /// It said who it is.
  var name: String?

  init(
    _ id: UInt32, source: UInt8, _ peer: InternetPeer, _ channel: ByteChannel, shakesHands: Bool,
    now: Duration
  ) {
    self.id = id
    self.source = source
    self.peer = peer
    self.channel = channel
    state = PeerState(shakesHands: shakesHands, now: now)
  }

  var unanswered: Int { answers.count }
  var untaken: Int { out.count - outAt }
  var isDone: Bool { hasFinished && unanswered == 0 && untaken == 0 }

  /// Shakes hands; `false` when more of the peer is needed for that.
  func shake(_ access: SecureAccess, now: Duration) throws(PeerEnd) -> Bool {
    guard state.isShaking else { return true }
    do throws(ChannelFailure) {
      switch try channel.begin() {
      case .bytes:
        // While it did, other keys may have come.
        if let reason = access.objection(to: channel) { throw ChannelFailure(reason) }
        state.shaken(now: now)
        identity = channel.peerIdentity
        wanted = .read
        return true
      case .wants(let interest):
        wanted = interest
        return false
      case .ended: throw ChannelFailure("ended the connection while shaking hands")
      }
    } catch { throw .broken(error.description) }
  }

  /// Reads once, so many bytes at most, and gives each message that became whole to `body`.
  ///
  /// - Returns: whether more may be there.
  func read(
    _ buffer: inout [UInt8], atMost limit: Int, now: Duration, _ body: (PeerMessage) -> Void
  ) throws(PeerEnd) -> Bool {
    let outcome: ByteChannel.Outcome
    do throws(ChannelFailure) {
      outcome = try channel.read(into: &buffer, atMost: limit)
    } catch { throw .broken(error.description) }
    switch outcome {
    case .wants(let interest):
      wanted = interest
      return false
    case .ended:
      guard reader.heldBytes == 0 else { throw .closed(inMessage: true) }
      hasFinished = true
      if isDone { throw .closed(inMessage: false) }
      return false
    case .bytes(let count):
      if state.isEnding { return true }
      reader.append(buffer[..<count])
      var messages = 0
      do throws(PeerFault) {
        while let message = try reader.next() {
          messages += 1
          body(message)
        }
      } catch { throw .fault(error) }
      state.took(messages: messages, isWhole: reader.heldBytes == 0, now: now)
      return true
    }
  }

  /// Writes what can be answered, as far as the socket takes it.
  func answer() throws(PeerEnd) {
    if endedAt == nil { _ = answers.take(into: &out) }
    while outAt < out.count {
      do throws(ChannelFailure) {
        switch try channel.write(out[outAt...]) {
        case .bytes(let count): outAt += count
        case .wants(let interest):
          wanted = wanted.union(interest)
          return
        case .ended: throw ChannelFailure("closed the connection")
        }
      } catch { throw .broken(error.description) }
    }
    // What a read of TLS wanted to write goes with the next read.
    wanted = .read
    out = []
    outAt = 0
    if isDone { throw .closed(inMessage: false) }
  }

  /// Tells it that this receiver ends, behind what can be answered; it has a moment to close.
  func end(now: Duration) {
    guard endedAt == nil else { return }
    if !state.isShaking {
      _ = answers.take(into: &out)
      MessageHeader(.ending).append(to: &out)
    }
    try? answer()
    state.end()
    endedAt = now
    channel.close()
    SocketState.endWriting(channel.number)
    wanted = .read
  }

  /// When it is to be looked at though it says nothing; `nil`: not.
  ///
  /// - Parameter finished: when it is told of the end at the latest, if there is one.
  func due(_ limits: PeerState.Limits, finished: Duration?, now: Duration) -> Duration? {
    if let endedAt { return endedAt + Self.farewell }
    let due = state.deadline(unanswered: unanswered, limits)
    if let finished { return min(due ?? finished, finished) }
    // What idles is looked at again in good time, as its deadline moves with what it says.
    return due ?? limits.idle.map { now + $0 }
  }

  // MARK: What audispatchd is told

  var opened: ReceiverItem {
    .opened(
      peer: id, source: source, address: "\(peer.address)", port: peer.port, identity: identity)
  }

  /// What is to be said of its certificate.
  var warning: String? {
    channel.peerTimeLeft.flatMap {
      Validity("the certificate of \(identity) (\(peer.address))", left: $0).warning
    }
  }

  /// - Parameter wasAnnounced: else it never came so far that it was a peer.
  func closed(_ reason: PeerEnd, wasAnnounced: Bool) -> ReceiverItem {
    wasAnnounced
      ? .closed(peer: id, isFault: reason.isFault, reason: reason.description)
      : .refused(source: source, address: "\(peer.address)", reason: reason.description)
  }
}

extension Duration {
  /// Since the system's start.
  static var sinceStart: Duration { .nanoseconds(Moment.now.nanoseconds) }
}
