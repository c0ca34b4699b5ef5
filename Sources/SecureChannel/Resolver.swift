public import Linux
import Synchronization

/// Looks up a host's addresses on a thread of its own: a name server may take long to answer.
public final class Resolver: ThreadWork {
  public typealias Answer = Result<[InternetAddress], InternetAddress.Failure>

  private let host: String
  private let port: UInt16
  private let found = Mutex<Answer?>(nil)
  private let bell: Bell

  private init(_ host: String, _ port: UInt16) throws(SystemError) {
    self.host = host
    self.port = port
    bell = try Bell()
  }

  /// Has the answer already.
  public static func known(_ addresses: [InternetAddress]) throws(SystemError) -> Resolver {
    let resolver = try Resolver("", 0)
    resolver.found.withLock { $0 = .success(addresses) }
    return resolver
  }

  /// Begins to look up. An address needs no looking up: its answer is there at once.
  public static func begin(_ host: String, port: UInt16) throws(SystemError) -> Resolver {
    if let known = try? InternetAddress.resolve(host, port: port, numeric: true) {
      return try .known(known)
    }
    let resolver = try Resolver(host, port)
    // It may outlive whoever asked.
    try WorkThread(resolver).detach()
    return resolver
  }

  /// Readable when there is an answer.
  public var number: Int32 { bell.number }
  public var answer: Answer? { found.withLock { $0 } }

  public func run() {
    let answer: Answer
    do throws(InternetAddress.Failure) {
      answer = .success(try InternetAddress.resolve(host, port: port, numeric: false))
    } catch { answer = .failure(error) }
    found.withLock { $0 = answer }
    bell.ring()
  }
}
