import Linux

/// A connection to another host on its way: its name is looked up on a thread, and its addresses are
/// tried in turn. Nothing here waits.
final class HostConnection {
  typealias Answer = Result<[InternetAddress], InternetAddress.Failure>

  /// How long a name server may take.
  private static let lookUpTime = Duration.seconds(10)
  /// How long a host may take to accept a connection.
  private static let connectTime = Duration.seconds(2)

  private let host: String
  private let port: UInt16
  private let resolve: @Sendable (String, UInt16) -> Answer
  /// It outlives an attempt: a name server that is silent has one thread that waits for it.
  private var lookUp: (errand: Errand<Answer>, until: Duration?)?
  /// Those that are still to be tried; `nil` before they are known.
  private var addresses: ArraySlice<InternetAddress>?
  private var attempt: (socket: Opened, until: Duration)?
  private var reason = "no address"

  /// - Parameter resolve: asks for the addresses of a name, and may wait for ever.
  init(
    _ host: String, _ port: UInt16,
    resolve: @escaping @Sendable (String, UInt16) -> Answer = HostConnection.ask
  ) {
    self.host = host
    self.port = port
    self.resolve = resolve
  }

  private static func ask(_ host: String, _ port: UInt16) -> Answer {
    do throws(InternetAddress.Failure) {
      return .success(try InternetAddress.resolve(host, port: port, numeric: false))
    } catch { return .failure(error) }
  }

  /// What is waited for.
  var waiting: Waiting? {
    if let attempt {
      return Waiting(attempt.socket.descriptor.number, .write, until: attempt.until)
    }
    return lookUp.flatMap { lookUp in
      lookUp.until.map { Waiting(lookUp.errand.number, .read, until: $0) }
    }
  }

  /// Goes on; the connection once it is there. Throws why there is none, and begins anew then.
  func advance(_ now: Duration) throws(DestinationFailure) -> Opened? {
    if addresses == nil {
      guard let found = try resolved(now) else { return nil }
      addresses = found[...]
      reason = "no address"
    }
    while true {
      if let (socket, until) = attempt {
        let number = socket.descriptor.number
        if Poll.wait(number, for: .write, milliseconds: 0) {
          attempt = nil
          guard let error = SocketState.error(number) else {
            addresses = nil
            return socket
          }
          reason = "\(error)"
        } else {
          if now < until { return nil }
          attempt = nil
          reason = "does not answer"
        }
      }
      guard let address = addresses?.popFirst() else {
        addresses = nil
        throw DestinationFailure(text: "cannot connect to \(host) port \(port): \(reason)")
      }
      do throws(Errno) {
        attempt = (Opened(try address.beginStream()), now + Self.connectTime)
      } catch { reason = "\(error)" }
    }
  }

  /// Its addresses; `nil` while they are looked up.
  private func resolved(_ now: Duration) throws(DestinationFailure) -> [InternetAddress]? {
    if lookUp == nil {
      if let known = try? InternetAddress.resolve(host, port: port, numeric: true) { return known }
      let (host, port, resolve) = (host, port, resolve)
      do throws(SystemError) {
        lookUp = (try Errand { answer in answer(resolve(host, port)) }, nil)
      } catch { throw DestinationFailure(text: "\(error)") }
    }
    guard let (errand, until) = lookUp else { return nil }
    guard let answer = errand.result else {
      if let until, until <= now {
        lookUp?.until = nil
        let time = Self.lookUpTime.components.seconds
        throw DestinationFailure(text: "cannot resolve \(host): no answer within \(time) s")
      }
      lookUp?.until = until ?? now + Self.lookUpTime
      return nil
    }
    lookUp = nil
    switch answer {
    case .success(let found): return found
    case .failure(let failure): throw DestinationFailure(text: failure.description)
    }
  }

  /// Lets go of the attempt.
  func giveUp() {
    attempt = nil
    addresses = nil
    lookUp?.until = nil
  }
}
