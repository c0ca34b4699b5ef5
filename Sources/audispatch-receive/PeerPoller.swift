import Linux
import SecureChannel

/// Waits for peers, and for who wants to be one. Somebody whom it cannot wait for would never be heard again:
/// then the process is of no use, and ends.
struct PeerPoller: ~Copyable {
  /// Of a listener; a peer's token is its number.
  private static let listenerToken: UInt64 = 1 << 32

  private var poller: Poller
  private(set) var failure: SystemError?

  init() throws(SystemError) { poller = try Poller() }

  /// Readable when somebody has something.
  var number: Int32 { poller.number }

  enum Event { case listener(UInt8), peer(UInt32, Interest) }

  /// Who has something now, whether anybody has or not.
  mutating func look() -> [Event] {
    let count = poller.wait(milliseconds: 0)
    return (0..<count).map { index in
      let (token, interest) = poller.event(index)
      return token & Self.listenerToken != 0
        ? .listener(UInt8(truncatingIfNeeded: token))
        : .peer(UInt32(truncatingIfNeeded: token), interest)
    }
  }

  mutating func listen(_ socket: Int32, of source: UInt8) {
    note(poller.add(socket, Self.listenerToken | UInt64(source), .read), "a listening socket")
  }

  /// Waits for that of a peer from now on; for nothing: not even for its end.
  mutating func watch(_ peer: PeerConnection, _ interest: Interest) {
    guard interest != peer.watched ?? [] else { return }
    let (number, token) = (peer.channel.number, UInt64(peer.id))
    if interest.isEmpty {
      poller.remove(number)
    } else if peer.watched == nil {
      note(poller.add(number, token, interest), "a peer")
    } else {
      note(poller.change(number, token, interest), "a peer")
    }
    peer.watched = interest.isEmpty ? nil : interest
  }

  func remove(_ number: Int32) { poller.remove(number) }

  private mutating func note(_ isWatched: Bool, _ what: String) {
    if !isWatched, failure == nil { failure = SystemError("wait for", what, .current) }
  }
}
