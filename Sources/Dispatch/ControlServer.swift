import Glibc
import Journal
import Linux

/// The control socket and those who are connected to it. Nobody there can hold up the dispatcher.
final class ControlServer {
  final class Client {
    let id: UInt32
    let descriptor: Descriptor
    let connected: Moment
    var request: [UInt8] = []
    var answer: [UInt8] = []
    /// A listener's queue: `tail` is a subscriber like any other.
    var subscription: Subscription?
    var isBlocked = false

    init(id: UInt32, _ descriptor: consuming Descriptor, now: Moment) {
      self.id = id
      self.descriptor = descriptor
      connected = now
    }
  }

  /// Beyond this, a new client is refused.
  private static let maximumClients = 32

  let listener: Descriptor
  private(set) var clients: [Client] = []
  private var nextID: UInt32 = 0

  init(path: String) throws(SystemError) {
    // The folder's lock is ours, so a socket that is there is a dead dispatcher's.
    unsafe unlink(path)
    listener = try UnixSocket.listen(path, mode: 0o600)
  }

  var listeners: [Client] { clients.filter { $0.subscription != nil } }

  func client(_ id: UInt32) -> Client? { clients.first { $0.id == id } }

  func accept(_ now: Moment) -> Client? {
    guard let descriptor = UnixSocket.accept(listener.number) else { return nil }
    guard clients.count < Self.maximumClients else { return nil }
    let client = Client(id: nextID, descriptor, now: now)
    nextID += 1
    clients.append(client)
    return client
  }

  func drop(_ client: Client) { clients.removeAll { $0 === client } }

  /// Lets go of those who have not said in five seconds what they want.
  func dropSilentClients(_ now: Moment, _ remove: (Int32) -> Void) {
    for client in clients
    where client.subscription == nil && now - client.connected > .seconds(5) {
      remove(client.descriptor.number)
      drop(client)
    }
  }
}
