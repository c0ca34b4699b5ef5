import Glibc
import Journal
import Linux

/// The control socket and those who are connected to it. Nobody there can hold up the dispatcher.
final class ControlServer {
  /// At most so many clients of each kind. One more is disconnected at once.
  private static let maximumClients = 32
  private static let maximumRefused = 8

  let listener: Descriptor
  private(set) var access: ControlAccess
  private(set) var clients: [ControlClient] = []
  /// Connections that were refused.
  private(set) var refused: UInt64 = 0
  private var nextID = ControlClient.ID.first

  /// For root and the daemon's user, until `change`.
  init(_ listener: consuming Descriptor, user: UInt32) {
    access = ControlAccess(user: user)
    self.listener = listener
  }

  /// Admits others from now on; who is connected stays.
  ///
  /// - Returns: whether that is news.
  func change(to access: ControlAccess) -> Bool {
    defer { self.access = access }
    return access != self.access
  }

  var listeners: [ControlClient] { clients.filter(\.listens) }

  func client(_ id: ControlClient.ID) -> ControlClient? { clients.first { $0.id == id } }

  /// What came of looking for a new client.
  enum Arrival {
    case client(ControlClient, Peer?)
    /// There are too many: it was let go.
    case surplus
    case none
    /// There is no descriptor for it: it goes on waiting.
    case exhausted
  }

  /// Takes the next client. Who is refused is a client too, to be told so when it has asked.
  func accept(_ now: Moment) -> Arrival {
    let descriptor: Descriptor
    do throws(Errno) {
      guard let next = try UnixSocket.acceptNext(listener.number) else { return .none }
      descriptor = next
    } catch { return .exhausted }
    let peer = try? Peer(of: descriptor.number)
    let isRefused = !(peer.map(access.admits) ?? false)
    if isRefused { refused += 1 }
    // Root always finds a place.
    let most =
      isRefused
      ? Self.maximumRefused : Self.maximumClients + (peer?.user == 0 ? Self.maximumRefused : 0)
    guard clients.count(where: { $0.isRefused == isRefused }) < most else { return .surplus }
    let client = ControlClient(id: nextID, descriptor, isRefused: isRefused, now: now)
    nextID = nextID.next
    clients.append(client)
    return .client(client, peer)
  }

  func drop(_ client: ControlClient) { clients.removeAll { $0 === client } }

  /// Somebody has not said yet what it wants.
  var hasSilentClients: Bool { clients.contains(where: \.isSilent) }

  /// Those who have not said in five seconds what they want.
  func silentClients(_ now: Moment) -> [ControlClient] {
    clients.filter { $0.isSilent(since: .seconds(5), now) }
  }
}
