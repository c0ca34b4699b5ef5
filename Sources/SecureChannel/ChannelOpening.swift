public import Linux

/// From a host's name to a channel: looks the name up, tries its addresses in turn, and shakes hands
/// where TLS is asked for. Never blocks.
public final class ChannelOpening {
  public struct Target: Equatable, Sendable {
    public var host: String
    public var port: UInt16
    /// Of this host; 0 for any. Of such a connection nothing is left when it is closed, so that the
    /// port can be used again at once.
    public var localPort: UInt16
    /// `nil`: in the clear.
    public var identity: TLSIdentity?

    public init(host: String, port: UInt16, localPort: UInt16 = 0, identity: TLSIdentity? = nil) {
      self.host = host
      self.port = port
      self.localPort = localPort
      self.identity = identity
    }
  }

  private enum Phase { case resolving, connecting, shaking }

  private let target: Target
  private let timeout: Duration
  private let resolver: Resolver
  private var phase = Phase.resolving
  private var addresses: [InternetAddress] = []
  private var channel: ByteChannel?
  /// When the present step began.
  private var began: Duration

  /// What to wait for, and whether it is another descriptor than before.
  public private(set) var interest: Interest = .read
  public private(set) var generation = 0

  /// - Parameter timeout: how long each step may take, and how long a connection may lie without
  ///   the other host's acknowledgement.
  public init(_ target: Target, timeout: Duration, _ now: Duration) throws(SystemError) {
    self.target = target
    self.timeout = timeout
    began = now
    resolver = try Resolver.begin(target.host, port: target.port)
  }

  public var descriptor: Int32 { channel?.number ?? resolver.number }
  public var deadline: Duration { began + timeout }

  /// Does whatever can be done now; the channel when it can be used.
  public func advance(_ now: Duration) throws(ChannelFailure) -> ByteChannel? {
    if phase == .resolving, try !resolve(now) { return nil }
    if phase == .connecting, try !connect(now) { return nil }
    guard let channel else { return nil }
    switch try channel.begin() {
    case .bytes: return channel
    case .ended: throw ChannelFailure("ended the connection while shaking hands")
    case .wants(let interest):
      self.interest = interest
      if now - began >= timeout { throw ChannelFailure("does not shake hands") }
      return nil
    }
  }

  private func resolve(_ now: Duration) throws(ChannelFailure) -> Bool {
    switch resolver.answer {
    case nil:
      if now - began >= timeout { throw ChannelFailure("no name server answers") }
      return false
    case .failure(let failure)?: throw ChannelFailure(failure.description)
    case .success(let found)?: addresses = found
    }
    try beginNext("no address", now)
    return true
  }

  /// Begins to connect to the next address.
  private func beginNext(_ reason: String, _ now: Duration) throws(ChannelFailure) {
    var reason = reason
    channel = nil
    while !addresses.isEmpty {
      let address = addresses.removeFirst()
      do throws(Errno) {
        let socket = try address.beginStream(localPort: target.localPort)
        SocketState.setStreamOptions(socket.number, timeout: timeout)
        if target.localPort > 0 { SocketState.resetAtClose(socket.number) }
        channel = ByteChannel(socket)
        generation += 1
        phase = .connecting
        interest = .write
        began = now
        return
      } catch { reason = error.description }
    }
    throw ChannelFailure(reason)
  }

  private func connect(_ now: Duration) throws(ChannelFailure) -> Bool {
    guard let channel else { return false }
    guard Poll.wait(channel.number, for: .write, milliseconds: 0) else {
      if now - began >= timeout { try beginNext("does not answer", now) }
      return false
    }
    if let errno = SocketState.error(channel.number) {
      try beginNext(errno.description, now)
      return false
    }
    if let identity = target.identity { try channel.secure(identity) }
    phase = .shaking
    began = now
    return true
  }
}
