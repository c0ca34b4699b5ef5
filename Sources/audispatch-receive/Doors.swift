import Linux
import RemoteProtocol
import SecureChannel

/// The sockets that peers connect to, and who is taken.
struct Doors {
  private final class Listener {
    let isSecure: Bool
    let socket: Descriptor

    init(_ socket: consuming Descriptor, isSecure: Bool) {
      self.socket = socket
      self.isSecure = isSecure
    }
  }

  private var listeners: [UInt8: Listener] = [:]
  private var admission = PeerAdmission(PeerAdmission.Limits(connections: 0, perAddress: 0))
  private var networks: [AddressRange]?
  private let access: SecureAccess
  /// Nobody is taken: what is sent cannot be stored now.
  private var isHolding = false
  /// Where there was no descriptor for another connection.
  private var resting: Set<UInt8> = []

  init(_ access: SecureAccess) { self.access = access }

  mutating func hold(_ holds: Bool) { isHolding = holds }

  mutating func add(_ socket: consuming Descriptor, of source: UInt8, isSecure: Bool) {
    listeners[source] = Listener(socket, isSecure: isSecure)
  }

  mutating func apply(_ settings: borrowing Settings) {
    admission.limits = settings.admission
    networks = settings.networks
  }

  mutating func close(_ body: (Int32) -> Void) {
    for listener in listeners.values { body(listener.socket.number) }
    listeners = [:]
  }

  /// Nobody is waited for there until `goOn`.
  mutating func rest(at source: UInt8, _ body: (Int32) -> Void) {
    guard let listener = listeners[source], resting.insert(source).inserted else { return }
    body(listener.socket.number)
  }

  mutating func goOn(_ body: (UInt8, Int32) -> Void) {
    for source in resting { (listeners[source]?.socket.number).map { body(source, $0) } }
    resting = []
  }

  func isSecure(_ source: UInt8) -> Bool { listeners[source]?.isSecure ?? false }

  /// The next that wants in.
  func next(at source: UInt8) throws(Errno) -> Descriptor? {
    guard let listener = listeners[source] else { return nil }
    return try UnixSocket.acceptNext(listener.socket.number)
  }

  mutating func judge(
    _ peer: InternetPeer, isSecure: Bool, among peers: ConnectedPeers, now: Duration
  ) -> PeerAdmission.Verdict {
    if isHolding { return .refuse(.holding) }
    return admission.judge(
      port: peer.port,
      isAllowed: networks?.contains { $0.contains(peer.address) } ?? true,
      ofAddress: peers.at(peer.address).map(Self.present), all: peers.count,
      shaking: isSecure ? peers.shaking : nil, now: now
    ) { areShaking in
      peers.all.filter { areShaking ? $0.state.isShaking : $0.state.isNew }.map(Self.present)
    }
  }

  private static func present(_ peer: PeerConnection) -> PeerAdmission.Present {
    .init(id: peer.id, heard: peer.state.heard, network: peer.peer.address.network)
  }

  func channel(_ socket: consuming Descriptor, isSecure: Bool) throws(ChannelFailure) -> ByteChannel
  {
    SocketState.watchPeer(socket.number, within: .seconds(60))
    let channel = ByteChannel(socket)
    if isSecure { try access.secure(channel) }
    return channel
  }

  /// A peer that is told to come again keeps its record, and tries with the next.
  static func turnAway(_ socket: borrowing Descriptor) {
    var bytes: [UInt8] = []
    MessageHeader(.ending).append(to: &bytes)
    _ = unsafe bytes.withUnsafeBytes { unsafe UnixSocket.send(socket.number, $0) }
  }
}
