import Glibc
import Linux
import RemoteProtocol
import SecureChannel

/// Takes connections and records, passes them on, and answers what is safe.
final class PeerService {
  /// Of one peer, before the others have their turn.
  private static let readsAtOnce = 4
  private static let acceptsAtOnce = 64
  /// How long what is there is read and answered once it is to end.
  private static let rest = Duration.milliseconds(700)

  private let link: Link
  private let access: SecureAccess
  private var poller: PeerPoller
  private var doors: Doors
  private var peers = ConnectedPeers()
  private var room = ReadingRoom()
  private var finishing: Duration?
  private var notices = CertificateNotices()
  private var buffer = [UInt8](repeating: 0, count: 32 << 10)
  private var nextSweep = Duration.zero
  /// When this turn began.
  private var now = Duration.sinceStart

  init(_ link: Link, _ access: SecureAccess) throws(SystemError) {
    self.link = link
    self.access = access
    doors = Doors(access)
    poller = try PeerPoller()
  }

  /// Readable when a peer has something.
  var number: Int32 { poller.number }
  /// Why somebody may never be heard again.
  var failure: SystemError? { poller.failure }

  /// Milliseconds until it has to have its turn, whether a peer has something or not; -1: for ever.
  var timeout: Int32 {
    if peers.haveMore, !link.isFull { return 0 }
    guard nextSweep < .seconds(1 << 40) else { return -1 }
    let left = max(nextSweep - now, .zero)
    return Int32(clamping: left.inNanoseconds / 1_000_000 + 1)
  }

  var isFinished: Bool {
    guard let finishing else { return false }
    return peers.isEmpty || now - finishing > Self.rest + PeerConnection.farewell
  }

  /// A turn begins.
  func readClock() { now = .sinceStart }

  // MARK: Orders

  func listen(_ socket: consuming Descriptor, _ source: UInt8, isSecure: Bool) {
    poller.listen(socket.number, of: source)
    doors.add(socket, of: source, isSecure: isSecure)
  }

  /// What was given so far stands from now on. Who would not be let in any more is let go.
  func apply(_ settings: borrowing Settings) {
    room.limits = settings.peers
    doors.apply(settings)
    for peer in peers.all where !peer.state.isShaking {
      if let reason = access.objection(to: peer.channel) { endGently(peer, .unwanted(reason)) }
    }
  }

  func hold(_ holds: Bool) {
    doors.hold(holds)
    if holds { for peer in peers.all { endGently(peer, .holding) } }
  }

  /// What is known of a sender of ours: the last number that was stored.
  func has(_ id: UInt32, _ number: UInt64?) {
    guard let peer = peers[id] else { return }
    peer.answers.has(number)
    answer(peer)
  }

  func isSafe(through number: UInt64) {
    room.intake.isSafe(through: number, now: now)
    for peer in peers.awaiting { answer(peer) }
  }

  /// Reads what every peer has sent by now, and tells each of the end when that is answered.
  func finish() {
    guard finishing == nil else { return }
    finishing = now
    doors.close { poller.remove($0) }
    for peer in peers.all {
      if peer.state.isShaking { end(peer, .finished) } else { read(peer) }
    }
    for peer in peers.all where peer.unanswered == 0 && !peers.hasMore(peer) {
      endGently(peer, .finished)
    }
    nextSweep = now
  }

  // MARK: A turn

  /// Takes connections, reads every peer that has something, and lets go of those that took too long.
  func turn() {
    if !link.isFull { readReady() }
    if now >= nextSweep { sweep() }
  }

  private func readReady() {
    var ready = peers.takeUnread()
    for event in poller.look() {
      switch event {
      case .listener(let source): accept(source)
      case .peer(let id, let interest):
        guard let peer = peers[id] else { continue }
        if interest.contains(.write) { answer(peer) }
        ready.insert(id)
      }
    }
    // Who waits for little goes before those who send all they can.
    for (id, _) in ready.map({ ($0, peers.unanswered($0)) }).sorted(by: { $0.1 < $1.1 }) {
      // What audispatchd has no room for stays where it is.
      if link.isFull {
        peers.noteMore(id)
      } else if let peer = peers[id] {
        read(peer, ready: ready.count)
      }
    }
  }

  /// - Parameter ready: as `ReadingRoom` says.
  private func read(_ peer: PeerConnection, ready: Int = 0) {
    do throws(PeerEnd) {
      guard try peer.shake(access, now: now) else { return watch(peer) }
      if !peers.isAnnounced(peer), peer.endedAt == nil { announce(peer) }
      let wasOpen = peer.state.isOpen
      // OpenSSL may have more of it, which no poll shows: only a read can find that there is nothing.
      var hasMore = true
      for _ in 0..<Self.readsAtOnce where hasMore && !link.isFull && bytes(of: peer, ready) > 0 {
        hasMore = try peer.read(&buffer, atMost: bytes(of: peer, ready), now: now) {
          take($0, of: peer)
        }
      }
      if hasMore { bytes(of: peer, ready) > 0 ? peers.noteMore(peer.id) : peers.hold(peer.id) }
      // From its first message on it may be silent for as long as it idles, which may be less.
      if !wasOpen, peer.state.isOpen { scheduleSweep(for: peer) }
      try peer.answer()
      peers.note(peer, waits: peer.unanswered > 0 && peer.endedAt == nil)
      watch(peer, ready: ready)
    } catch { end(peer, error) }
  }

  private func take(_ message: PeerMessage, of peer: PeerConnection) {
    switch message.type {
    case .record:
      peer.answers.record(room.intake.pass(now: now), sequence: message.sequence)
      link.putRecord(peer: peer.id, sequence: message.sequence, payload: message.payload)
    default:
      // Who it is it says once: audispatchd looks it up among all senders.
      guard peer.name == nil, peer.unanswered == 0, let opening = Opening(payload: message.payload)
      else {
        return peer.answers.heartbeat(sequence: message.sequence)
      }
      peer.answers.opening(sequence: message.sequence)
      peer.name = opening.name
      link.put(.named(peer: peer.id, opening))
      for former in peers.formers(of: peer, now: now) { end(former, .replaced) }
    }
  }

  private func answer(_ peer: PeerConnection) {
    peers.release(peer.id)
    peer.answers.isSafe(through: room.intake.safe)
    do throws(PeerEnd) {
      try peer.answer()
      peers.note(peer, waits: peer.unanswered > 0 && peer.endedAt == nil)
      watch(peer)
      if finishing != nil, peer.unanswered == 0 { endGently(peer, .finished) }
    } catch { end(peer, error) }
  }

  /// Waits for what the peer can do next; for nothing while it has to wait for us.
  private func watch(_ peer: PeerConnection, ready: Int = 0) {
    var interest = peer.wanted
    if !peer.state.isShaking, bytes(of: peer, ready) == 0 {
      interest.remove(.read)
      room.held(peer)
    }
    poller.watch(peer, interest)
  }

  private func bytes(of peer: PeerConnection, _ ready: Int) -> Int {
    room.bytes(of: peer, among: peers, ready: ready)
  }

  // MARK: Beginning

  private func accept(_ source: UInt8) {
    for _ in 0..<Self.acceptsAtOnce where finishing == nil && !link.isFull {
      do throws(Errno) {
        guard let socket = try doors.next(at: source) else { return }
        take(socket, source, isSecure: doors.isSecure(source))
      } catch {
        // Without a descriptor left it stays in the queue, and the others go on.
        link.put(.refused(source: source, address: "", reason: "cannot accept: \(error)"))
        doors.rest(at: source) { poller.remove($0) }
        return nextSweep = min(nextSweep, now + .milliseconds(100))
      }
    }
  }

  private func take(_ socket: consuming Descriptor, _ source: UInt8, isSecure: Bool) {
    guard let peer = InternetPeer(of: socket.number) else { return }
    let verdict = doors.judge(peer, isSecure: isSecure, among: peers, now: now)
    if case .refuse(let refusal) = verdict {
      if refusal == .holding, !isSecure { Doors.turnAway(socket) }
      return link.put(
        .refused(source: source, address: "\(peer.address)", reason: refusal.rawValue))
    }
    let channel: ByteChannel
    do throws(ChannelFailure) {
      channel = try doors.channel(socket, isSecure: isSecure)
    } catch {
      return link.put(
        .refused(source: source, address: "\(peer.address)", reason: error.description))
    }
    if case .replace(let id) = verdict, let former = peers[id] {
      end(former, former.state.isNew ? .gaveWay : .replaced)
    }
    let connection = peers.add { id in
      PeerConnection(id, source: source, peer, channel, shakesHands: isSecure, now: now)
    }
    if !isSecure { announce(connection) }
    watch(connection)
    scheduleSweep(for: connection)
  }

  private func announce(_ peer: PeerConnection) {
    peers.announce(peer)
    link.put(peer.opened)
    guard let warning = peer.warning, let held = notices.pass(peer.identity, .now) else { return }
    link.put(.warning(warning + (held > 0 ? " (\(held) others' are not named)" : "")))
  }

  // MARK: Ending

  private func sweep() {
    nextSweep = .seconds(1 << 41)
    doors.goOn { poller.listen($1, of: $0) }
    for peer in peers.all {
      if let endedAt = peer.endedAt {
        if now - endedAt >= PeerConnection.farewell { forget(peer) }
      } else if let end = peer.state.end(now: now, unanswered: peer.unanswered, room.limits) {
        self.end(peer, end)
      } else if let finishing, now - finishing >= Self.rest {
        endGently(peer, .finished)
      }
      if peers[peer.id] != nil { scheduleSweep(for: peer) }
    }
  }

  private func scheduleSweep(for peer: PeerConnection) {
    let last = finishing.map { $0 + Self.rest }
    guard let due = peer.due(room.limits, finished: last, now: now) else { return }
    nextSweep = min(nextSweep, max(due, now + .milliseconds(20)))
  }

  private func endGently(_ peer: PeerConnection, _ reason: PeerEnd) {
    guard peer.endedAt == nil else { return }
    peer.answers.isSafe(through: room.intake.safe)
    sayClosed(peer, reason)
    peer.end(now: now)
    peers.note(peer, waits: false)
    watch(peer)
    scheduleSweep(for: peer)
  }

  private func end(_ peer: PeerConnection, _ reason: PeerEnd) {
    if peer.endedAt == nil { sayClosed(peer, reason) }
    forget(peer)
  }

  private func sayClosed(_ peer: PeerConnection, _ reason: PeerEnd) {
    link.put(peer.closed(reason, wasAnnounced: peers.takeBack(peer)))
  }

  private func forget(_ peer: PeerConnection) {
    if peer.watched != nil { poller.remove(peer.channel.number) }
    peer.watched = nil
    peers.remove(peer)
  }
}
