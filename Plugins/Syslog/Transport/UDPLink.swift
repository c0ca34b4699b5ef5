import AudispatchPlugin
import Linux

/// Datagrams to another host. Whether they arrive nobody says.
final class UDPLink: Link {
  private let server: ServerAddress
  private let resolver: Resolver
  private let timeout: Duration
  private let began: Duration
  private var inner: DatagramLink?

  static func begin(
    _ server: ServerAddress, _ now: Duration, _ timeout: Duration
  ) throws(SystemError) -> UDPLink {
    UDPLink(server, try Resolver.begin(server.host, port: server.port), now, timeout)
  }

  private init(
    _ server: ServerAddress, _ resolver: Resolver, _ now: Duration, _ timeout: Duration
  ) {
    self.server = server
    self.resolver = resolver
    self.timeout = timeout
    began = now
  }

  var descriptor: Int32 { inner?.descriptor ?? resolver.number }
  var interest: Interest { inner?.interest ?? .read }
  var deadline: Duration? {
    guard let inner else { return began + timeout }
    return inner.deadline
  }
  var isReady: Bool { inner != nil }
  var generation: Int { inner == nil ? 0 : 1 }

  func advance(
    _ queue: inout MessageQueue, _ now: Duration, _ done: inout Int
  ) throws(LinkFailure) {
    if inner == nil {
      switch resolver.answer {
      case nil:
        if now - began >= timeout { throw LinkFailure("no name server answers") }
        return
      case .failure(let failure)?: throw LinkFailure(failure.description)
      case .success(let found)?:
        guard let first = found.first else { throw LinkFailure("no address") }
        do throws(Errno) {
          inner = DatagramLink(
            DatagramSocket(owning: try first.datagrams()), to: server.description)
        } catch { throw LinkFailure("\(error)") }
      }
    }
    try inner?.advance(&queue, now, &done)
  }

  func close() {}
}
