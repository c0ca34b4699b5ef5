import Linux
import RemoteProtocol

/// The peers that are connected, and which of them wait for what.
///
/// Contract: who waits for an answer, may have more to read, or was announced, is connected.
struct ConnectedPeers {
  private var peers: [UInt32: PeerConnection] = [:]
  private var ofAddress: [HostAddress: Set<UInt32>] = [:]
  private var waiting: Set<UInt32> = []
  private var unread: Set<UInt32> = []
  private var held: Set<UInt32> = []
  private var announced: Set<UInt32> = []
  private var next: UInt32 = 1

  var isEmpty: Bool { peers.isEmpty }
  var count: Int { peers.count }
  var all: [PeerConnection] { Array(peers.values) }
  subscript(id: UInt32) -> PeerConnection? { peers[id] }

  /// - Parameter make: a connection with that number.
  mutating func add(_ make: (UInt32) -> PeerConnection) -> PeerConnection {
    let peer = make(next)
    next &+= 1
    peers[peer.id] = peer
    ofAddress[peer.peer.address, default: []].insert(peer.id)
    return peer
  }

  mutating func remove(_ peer: PeerConnection) {
    let address = peer.peer.address
    peers[peer.id] = nil
    waiting.remove(peer.id)
    unread.remove(peer.id)
    held.remove(peer.id)
    ofAddress[address]?.remove(peer.id)
    if ofAddress[address]?.isEmpty ?? false { ofAddress[address] = nil }
  }

  func at(_ address: HostAddress) -> [PeerConnection] {
    (ofAddress[address] ?? []).compactMap { peers[$0] }
  }

  /// How many shake hands.
  var shaking: Int { peers.values.count { $0.state.isShaking } }

  /// A sender of ours has one connection: former ones of the same name are dead. Over TLS it may have
  /// come from another address, if it was silent there; in the clear that may be another host of the same
  /// name, and so it may be with a key that several have.
  func formers(of peer: PeerConnection, now: Duration) -> [PeerConnection] {
    let address = peer.peer.address
    let possible = peer.identity.isEmpty ? at(address) : all
    return possible.filter {
      $0.id != peer.id && $0.name == peer.name && $0.identity == peer.identity
        && ($0.peer.address == address || now - $0.state.heard >= PeerAdmission.silence)
    }
  }

  // MARK: Who waits

  /// Peers that wait for an answer.
  var awaiting: [PeerConnection] { waiting.compactMap { peers[$0] } }

  var waitingCount: Int { waiting.count }

  /// Questions of that peer without an answer.
  func unanswered(_ id: UInt32) -> Int { waiting.contains(id) ? peers[id]?.unanswered ?? 0 : 0 }

  mutating func note(_ peer: PeerConnection, waits: Bool) {
    if waits { waiting.insert(peer.id) } else { waiting.remove(peer.id) }
  }

  /// Peers of which there may be more than was read.
  var haveMore: Bool { !unread.isEmpty }
  func hasMore(_ peer: PeerConnection) -> Bool { unread.contains(peer.id) }
  mutating func noteMore(_ id: UInt32) { unread.insert(id) }

  /// Of such a peer nothing more is read until it was answered.
  mutating func hold(_ id: UInt32) { held.insert(id) }
  mutating func release(_ id: UInt32) { if held.remove(id) != nil { unread.insert(id) } }

  mutating func takeUnread() -> Set<UInt32> {
    defer { unread = [] }
    return unread
  }

  // MARK: Whom audispatchd knows

  func isAnnounced(_ peer: PeerConnection) -> Bool { announced.contains(peer.id) }
  mutating func announce(_ peer: PeerConnection) { announced.insert(peer.id) }

  /// - Returns: whether it was told of it.
  mutating func takeBack(_ peer: PeerConnection) -> Bool {
    announced.remove(peer.id) != nil
  }
}
