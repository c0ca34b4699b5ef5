import AudispatchPlugin
import Linux
import SecureChannel

/// Why a link is of no use any more.
struct LinkFailure: Error, Equatable, CustomStringConvertible {
  let description: String
  /// Which message the server refused, counted from the first that is not done.
  let refused: Int?

  init(_ description: String, refused: Int? = nil) {
    self.description = description
    self.refused = refused
  }
  init(_ error: SystemError) { self.init(error.description) }

  /// What is done with a channel: where that fails, the link does.
  static func of<Value>(_ work: () throws(ChannelFailure) -> Value) throws(LinkFailure) -> Value {
    do throws(ChannelFailure) {
      return try work()
    } catch { throw LinkFailure(error.description) }
  }
}

/// One connection to one server, from its beginning to its failure. Never blocks.
protocol Link: AnyObject {
  /// What to wait for; changes with every `advance`.
  var descriptor: Int32 { get }
  var interest: Interest { get }
  /// When to advance at the latest.
  var deadline: Duration? { get }
  /// Whether the server takes messages.
  var isReady: Bool { get }
  /// Rises whenever `descriptor` is another one.
  var generation: Int { get }

  /// Does whatever can be done now.
  ///
  /// - Parameter done: rises by how many messages are done, counted from the first; also where
  ///   the link fails behind them.
  func advance(
    _ queue: inout MessageQueue, _ now: Duration, _ done: inout Int
  ) throws(LinkFailure)

  /// Says good-bye where the protocol has a word for it; what it says is written by `advance`.
  func close()
}

/// A socket that takes messages as datagrams: done is what was sent.
final class DatagramLink: Link {
  private let socket: DatagramSocket
  private let name: String
  private var isBlocked = false
  /// Messages that no datagram can be: they are left out.
  private(set) var tooLong = 0

  let isReady = true
  let generation = 0

  init(_ socket: consuming DatagramSocket, to name: String) {
    self.socket = socket
    self.name = name
  }

  var descriptor: Int32 { socket.number }
  var interest: Interest { isBlocked ? .write : [] }
  // Waking from a full socket of this host may get lost when its owner dies.
  var deadline: Duration? { isBlocked ? MonotonicTime.now + .milliseconds(500) : nil }

  func advance(
    _ queue: inout MessageQueue, _ now: Duration, _ done: inout Int
  ) throws(LinkFailure) {
    isBlocked = false
    // What became of the last one; left there, it would wake the plugin without end.
    if queue.unsent == 0, let errno = SocketState.error(socket.number) {
      throw LinkFailure(SystemError("send to", name, errno))
    }
    if queue.unsent == 0, socket.hasEnded { throw LinkFailure("ended the connection") }
    while let message = queue.next() {
      switch socket.send(message) {
      case .bytes: done += 1
      case .failed(.messageTooLong):
        tooLong += 1
        done += 1
      case .wouldBlock, .failed(.noBuffers):
        queue.unsend()
        isBlocked = true
        return
      case .failed(let errno):
        queue.unsend()
        throw LinkFailure(SystemError("send to", name, errno))
      }
    }
  }

  func close() {}
}
