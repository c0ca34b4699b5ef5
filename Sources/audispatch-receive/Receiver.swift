import Glibc
import Linux
import RemoteProtocol
import SecureChannel

/// Takes connections and records, passes them on, and answers what is safe. One thread, one epoll for
/// the peers inside another: while audispatchd takes no more, no peer is read.
final class Receiver {
  /// Of one peer, before the others have their turn.
  private static let readsAtOnce = 4
  private static let acceptsAtOnce = 64
  /// How long what is there is read and answered once it is to end.
  private static let rest = Duration.milliseconds(700)

  private final class Listener {
    let isSecure: Bool
    let socket: Descriptor

    init(_ socket: consuming Descriptor, isSecure: Bool) {
      self.socket = socket
      self.isSecure = isSecure
    }
  }

  private enum Token {
    static let link: UInt64 = 1 << 32
    static let peers: UInt64 = 2 << 32
    static let listener: UInt64 = 3 << 32
  }

  private var link: Link
  private var outer: Poller
  private var inner: Poller
  private var listeners: [UInt8: Listener] = [:]
  private var pending: Settings?
  private var admission = PeerAdmission(PeerAdmission.Limits(connections: 0, perAddress: 0))
  private var limits = PeerState.Limits()
  private var networks: [AddressRange] = []
  private var server: TLSServer?
  private var peers: [UInt32: PeerConnection] = [:]
  private var ofAddress: [HostAddress: Set<UInt32>] = [:]
  /// Peers that wait for an answer.
  private var waiting: Set<UInt32> = []
  /// Peers of which there may be more than was read.
  private var unread: Set<UInt32> = []
  /// Peers that audispatchd was told of.
  private var announced: Set<UInt32> = []
  private var nextPeer: UInt32 = 1
  /// Records that were passed on.
  private var total: UInt64 = 0
  private var safe: UInt64 = 0
  private var isHolding = false
  private var finishing: Duration?
  private var isWatchingPeers = true
  private var buffer = [UInt8](repeating: 0, count: 32 << 10)
  private var nextSweep = Duration.zero
  private var now = Duration.sinceStart

  init(_ link: consuming Link) throws(SystemError) {
    outer = try Poller()
    inner = try Poller()
    try outer.watch(link.number, Token.link, .read)
    try outer.watch(inner.number, Token.peers, .read)
    self.link = link
  }

  /// Runs until audispatchd is gone, or has it end.
  func run() -> Int32 {
    while true {
      let count = outer.wait(milliseconds: timeout)
      now = .sinceStart
      for index in 0..<count {
        let (token, interest) = outer.event(index)
        if token == Token.link {
          if interest.contains(.write) { link.flush() }
          if !takeOrders() { return 0 }
        }
      }
      if !link.isFull { turn() }
      sweep()
      link.flush()
      watch()
      if let finishing, peers.isEmpty || now - finishing > Self.rest + PeerConnection.farewell {
        link.flush()
        return 0
      }
    }
  }

  private var timeout: Int32 {
    if !unread.isEmpty, !link.isFull { return 0 }
    guard nextSweep < .seconds(1 << 40) else { return -1 }
    let left = max(nextSweep - now, .zero)
    return Int32(clamping: left.inNanoseconds / 1_000_000 + 1)
  }

  /// Waits for audispatchd where it takes no more, and for peers where it does.
  private func watch() {
    outer.change(link.number, Token.link, link.isFull ? [.read, .write] : .read)
    guard isWatchingPeers == link.isFull else { return }
    isWatchingPeers = !link.isFull
    if isWatchingPeers {
      _ = outer.add(inner.number, Token.peers, .read)
    } else {
      outer.remove(inner.number)
    }
  }

  // MARK: Orders

  /// `false` when audispatchd is gone.
  private func takeOrders() -> Bool {
    while true {
      switch link.receive() {
      case .nothing: return true
      case .ended: return false
      case .orders(let orders, let file):
        var file = consume file
        for order in orders { follow(order, file.take()) }
      }
    }
  }

  private func follow(_ order: ReceiverOrder, _ file: consuming Descriptor?) {
    switch order {
    case .begin(let settings): pending = Settings(settings)
    case .listener(let source, let isSecure):
      if let socket = file.take() { listen(source, isSecure, socket) }
    case .sharedKey(let identity):
      if let file = file.take() { pending?.add(key: identity, file) }
    case .file(let kind):
      if let file = file.take() { pending?.add(kind, file) }
    case .apply: apply()
    case .ok(let number): isSafe(through: number)
    case .has(let id, let number):
      guard let peer = peers[id] else { return }
      peer.answers.has(number)
      answer(peer)
    case .hold:
      isHolding = true
      for peer in peers.values { endGently(peer, .holding) }
    case .goOn: isHolding = false
    case .finish: finish()
    }
  }

  private func listen(_ source: UInt8, _ isSecure: Bool, _ socket: consuming Descriptor) {
    let token = Token.listener | UInt64(source)
    if inner.add(socket.number, token, .read) {
      listeners[source] = Listener(socket, isSecure: isSecure)
    }
  }

  /// What was given so far stands from now on. Who has a key no more is let go.
  private func apply() {
    guard var settings = pending.take() else { return }
    admission.limits = settings.admission
    limits = settings.peers
    networks = settings.networks
    server = settings.server()
    for text in settings.objections { link.put(.objection(text)) }
    guard !settings.hasCertificate else { return }
    let known = Set(settings.identities)
    for peer in peers.values where !peer.identity.isEmpty && !known.contains(peer.identity) {
      endGently(peer, .broken("its key does not count any more"))
    }
  }

  private func isSafe(through number: UInt64) {
    safe = max(safe, number)
    for id in waiting { if let peer = peers[id] { answer(peer) } }
  }

  // MARK: A turn

  /// Takes connections, and reads every peer that has something.
  private func turn() {
    var ready = unread
    unread = []
    let count = inner.wait(milliseconds: 0)
    for index in 0..<count {
      let (token, interest) = inner.event(index)
      if token & Token.listener == Token.listener {
        accept(UInt8(truncatingIfNeeded: token))
      } else if let peer = peers[UInt32(truncatingIfNeeded: token)] {
        if interest.contains(.write) { answer(peer) }
        ready.insert(peer.id)
      }
    }
    for id in ready {
      // What audispatchd has no room for stays where it is.
      if link.isFull {
        unread.insert(id)
      } else if let peer = peers[id] {
        read(peer)
      }
    }
  }

  private func read(_ peer: PeerConnection) {
    do throws(PeerEnd) {
      guard try peer.shake(now: now) else { return watch(peer) }
      if !announced.contains(peer.id) { announce(peer) }
      var hasMore = mayRead(peer)
      var reads = 0
      while hasMore, reads < Self.readsAtOnce, mayRead(peer) {
        reads += 1
        hasMore = try peer.read(&buffer, now: now) { take($0, of: peer) }
      }
      if hasMore, mayRead(peer) { unread.insert(peer.id) }
      try peer.answer()
      noteWaiting(peer)
      watch(peer)
    } catch { end(peer, error) }
  }

  private func mayRead(_ peer: PeerConnection) -> Bool { !link.isFull && isToSayMore(peer) }

  private func take(_ message: PeerMessage, of peer: PeerConnection) {
    switch message.type {
    case .record:
      total += 1
      peer.answers.record(total, sequence: message.sequence)
      link.put(
        .record(peer: peer.id, sequence: message.sequence, line: PeerText.line(message.payload)))
    default:
      guard let opening = Opening(payload: message.payload), peer.unanswered == 0 else {
        return peer.answers.heartbeat(sequence: message.sequence)
      }
      peer.answers.opening(sequence: message.sequence)
      peer.name = opening.name
      link.put(.named(peer: peer.id, opening))
      replaceFormer(of: peer)
    }
  }

  /// A sender of ours has one connection: a former one of the same name is a dead one.
  private func replaceFormer(of peer: PeerConnection) {
    for id in ofAddress[peer.peer.address] ?? [] where id != peer.id {
      guard let former = peers[id], former.name == peer.name, former.identity == peer.identity
      else { continue }
      end(former, .replaced)
    }
  }

  private func answer(_ peer: PeerConnection) {
    peer.answers.isSafe(through: safe)
    do throws(PeerEnd) {
      try peer.answer()
      noteWaiting(peer)
      watch(peer)
      if finishing != nil, peer.unanswered == 0 { endGently(peer, .finished) }
    } catch { end(peer, error) }
  }

  private func noteWaiting(_ peer: PeerConnection) {
    if peer.unanswered > 0 { waiting.insert(peer.id) } else { waiting.remove(peer.id) }
  }

  /// Waits for what the peer can do next; for nothing while it has to wait for us.
  private func watch(_ peer: PeerConnection) {
    var interest = peer.wanted
    if !peer.state.isShaking, !isToSayMore(peer) { interest.remove(.read) }
    guard interest != peer.watched ?? [] else { return }
    let token = UInt64(peer.id)
    if interest.isEmpty {
      inner.remove(peer.channel.number)
    } else if peer.watched == nil {
      _ = inner.add(peer.channel.number, token, interest)
    } else {
      inner.change(peer.channel.number, token, interest)
    }
    peer.watched = interest.isEmpty ? nil : interest
  }

  /// Whether what a peer says is taken: it does not have too much unanswered.
  private func isToSayMore(_ peer: PeerConnection) -> Bool {
    !peer.hasFinished
      && (peer.state.isEnding
        || peer.state.mayRead(unanswered: peer.unanswered, untaken: peer.untaken, limits))
  }

  // MARK: Beginning

  private func accept(_ source: UInt8) {
    guard let listener = listeners[source] else { return }
    for _ in 0..<Self.acceptsAtOnce where finishing == nil && !link.isFull {
      do throws(Errno) {
        guard let socket = try UnixSocket.acceptNext(listener.socket.number) else { return }
        take(socket, source, isSecure: listener.isSecure)
      } catch {
        // Without a descriptor left the connection stays in the queue: it is not tried in a row.
        link.put(
          .refused(source: source, address: "", reason: "cannot take a connection: \(error)"))
        return Pause.nanoseconds(10_000_000)
      }
    }
  }

  private func take(_ socket: consuming Descriptor, _ source: UInt8, isSecure: Bool) {
    guard let peer = InternetPeer(of: socket.number) else { return }
    let verdict = judge(peer, isSecure: isSecure)
    if case .refuse(let refusal) = verdict {
      if refusal == .holding { sendEnding(socket, isSecure) }
      return link.put(
        .refused(source: source, address: "\(peer.address)", reason: refusal.rawValue))
    }
    SocketState.watchPeer(socket.number, within: .seconds(60))
    let channel = ByteChannel(socket)
    if isSecure {
      do throws(ChannelFailure) {
        guard let server else { throw ChannelFailure("TLS is not set up") }
        try channel.secure(server)
      } catch {
        return link.put(
          .refused(source: source, address: "\(peer.address)", reason: error.description))
      }
    }
    if case .replace(let id) = verdict, let former = peers[id] { end(former, .replaced) }
    let connection = PeerConnection(
      nextPeer, source: source, peer, channel, shakesHands: isSecure, now: now)
    nextPeer &+= 1
    peers[connection.id] = connection
    ofAddress[peer.address, default: []].insert(connection.id)
    if !isSecure { announce(connection) }
    watch(connection)
    scheduleSweep(for: connection)
  }

  private func announce(_ peer: PeerConnection) {
    announced.insert(peer.id)
    link.put(
      .opened(
        peer: peer.id, source: peer.source, address: "\(peer.peer.address)", port: peer.peer.port,
        identity: peer.identity))
  }

  private func judge(_ peer: InternetPeer, isSecure: Bool) -> PeerAdmission.Verdict {
    if isHolding { return .refuse(.holding) }
    let present = (ofAddress[peer.address] ?? []).compactMap { id in
      peers[id].map { PeerAdmission.Present(id: id, heard: $0.state.heard) }
    }
    return admission.judge(
      port: peer.port,
      isAllowed: networks.isEmpty || networks.contains { $0.contains(peer.address) },
      ofAddress: present, all: peers.count,
      shaking: isSecure ? peers.values.count { $0.state.isShaking } : nil, now: now)
  }

  /// A peer that is told to come again keeps its record, and tries with the next.
  private func sendEnding(_ socket: borrowing Descriptor, _ isSecure: Bool) {
    guard !isSecure else { return }
    var bytes: [UInt8] = []
    MessageHeader(.ending).append(to: &bytes)
    _ = unsafe bytes.withUnsafeBytes { unsafe UnixSocket.send(socket.number, $0) }
  }

  // MARK: Ending

  /// Lets go of those that took too long.
  private func sweep() {
    guard now >= nextSweep else { return }
    nextSweep = .seconds(1 << 41)
    for peer in peers.values {
      if let endedAt = peer.endedAt {
        if now - endedAt >= PeerConnection.farewell { forget(peer) }
      } else if let end = peer.state.end(now: now, unanswered: peer.unanswered, limits) {
        self.end(peer, end)
      } else if let finishing, now - finishing >= Self.rest {
        endGently(peer, .finished)
      }
      if peers[peer.id] != nil { scheduleSweep(for: peer) }
    }
  }

  private func scheduleSweep(for peer: PeerConnection) {
    var due = peer.state.deadline(unanswered: peer.unanswered, limits)
    if let endedAt = peer.endedAt { due = endedAt + PeerConnection.farewell }
    if let finishing, peer.endedAt == nil {
      due = min(due ?? .seconds(1 << 40), finishing + Self.rest)
    }
    // What idles is looked at again in good time, as its deadline moves with what it says.
    if due == nil, let idle = limits.idle { due = now + idle }
    guard let due else { return }
    nextSweep = min(nextSweep, max(due, now + .milliseconds(20)))
  }

  /// Reads what every peer has sent by now, and tells each of the end when that is answered.
  private func finish() {
    guard finishing == nil else { return }
    finishing = now
    for listener in listeners.values { inner.remove(listener.socket.number) }
    listeners = [:]
    for peer in peers.values {
      if peer.state.isShaking { end(peer, .finished) } else { read(peer) }
    }
    for peer in peers.values where peer.unanswered == 0 && !unread.contains(peer.id) {
      endGently(peer, .finished)
    }
    nextSweep = now
  }

  private func endGently(_ peer: PeerConnection, _ reason: PeerEnd) {
    guard peer.endedAt == nil else { return }
    peer.answers.isSafe(through: safe)
    sayClosed(peer, reason)
    peer.end(now: now)
    waiting.remove(peer.id)
    watch(peer)
    scheduleSweep(for: peer)
  }

  private func end(_ peer: PeerConnection, _ reason: PeerEnd) {
    if peer.endedAt == nil { sayClosed(peer, reason) }
    forget(peer)
  }

  private func sayClosed(_ peer: PeerConnection, _ reason: PeerEnd) {
    if announced.remove(peer.id) == nil {
      // It never came so far that it was a peer.
      link.put(
        .refused(
          source: peer.source, address: "\(peer.peer.address)", reason: reason.description))
    } else {
      link.put(
        .closed(peer: peer.id, isFault: reason.isFault, reason: reason.description))
    }
  }

  private func forget(_ peer: PeerConnection) {
    if peer.watched != nil { inner.remove(peer.channel.number) }
    peer.watched = nil
    peers[peer.id] = nil
    waiting.remove(peer.id)
    unread.remove(peer.id)
    ofAddress[peer.peer.address]?.remove(peer.id)
    if ofAddress[peer.peer.address]?.isEmpty ?? false { ofAddress[peer.peer.address] = nil }
  }
}
