import AudispatchPlugin
import Linux
import SecureChannel

/// Datagrams to another host, to the next of its addresses where nothing listens. Whether they
/// arrive nobody says.
final class UDPLink: Link {
  private let server: ServerAddress
  private let resolver: Resolver
  private let timeout: Duration
  private let began: Duration
  /// Those that were not tried; `nil` until they are known.
  private var addresses: [InternetAddress]?
  private var inner: DatagramLink?
  private(set) var generation = 0

  init(_ server: ServerAddress, _ resolver: Resolver, _ now: Duration, _ timeout: Duration) {
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

  func advance(
    _ queue: inout MessageQueue, _ now: Duration, _ done: inout Int
  ) throws(LinkFailure) {
    if addresses == nil {
      switch resolver.answer {
      case nil:
        if now - began >= timeout { throw LinkFailure("no name server answers") }
        return
      case .failure(let failure)?: throw LinkFailure(failure.description)
      case .success(let found)?:
        addresses = found
        try beginNext(LinkFailure("no address"))
      }
    }
    while let inner {
      do throws(LinkFailure) {
        return try inner.advance(&queue, now, &done)
      } catch { try beginNext(error) }
    }
  }

  /// Goes on to the next address; there is none any more where it fails.
  private func beginNext(_ failure: LinkFailure) throws(LinkFailure) {
    var failure = failure
    while let address = addresses?.first {
      addresses?.removeFirst()
      do throws(Errno) {
        inner = DatagramLink(
          DatagramSocket(owning: try address.datagrams()), to: server.description)
        generation += 1
        return
      } catch { failure = LinkFailure(SystemError("send to", server.description, error)) }
    }
    throw failure
  }

  func close() {}
}
