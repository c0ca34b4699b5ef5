/// Which connections are taken, as a value: how many there may be at all, of one address, and in the
/// midst of shaking hands.
///
/// A peer that is gone without a word does not keep itself out: where an address has as many
/// connections as it may, a new one takes the place of that which has been silent for the longest, if
/// that was silent for some seconds.
///
/// Who only connects keeps nobody out. Where there are as many connections as there may be, or as many in
/// the midst of shaking hands, a new one takes the place of one that has said nothing yet: of the network
/// that has the most of those, the one that has waited for the longest. A peer says something within
/// moments.
public struct PeerAdmission: Sendable {
  /// How long a connection has to be silent to give way.
  public static let silence = Duration.seconds(3)
  /// How long one that has said nothing, as the only one of its network, keeps its place.
  static let patience = Duration.seconds(1)

  public struct Limits: Equatable, Sendable {
    public var connections: Int
    public var perAddress: Int
    public var handshakes: Int
    /// The ports that a peer may come from; `nil`: any.
    public var ports: ClosedRange<Int>?
    /// How long a connection has to be silent to give way.
    public var silence: Duration

    public init(
      connections: Int, perAddress: Int, handshakes: Int = 32, ports: ClosedRange<Int>? = nil,
      silence: Duration = PeerAdmission.silence
    ) {
      self.connections = connections
      self.perAddress = perAddress
      self.handshakes = handshakes
      self.ports = ports
      self.silence = silence
    }
  }

  /// A connection that there is.
  public struct Present: Equatable, Sendable {
    public var id: UInt32
    /// When it last said something.
    public var heard: Duration
    /// Where it comes from: an address, or of IPv6 the network, where a host has many.
    public var network: [UInt8]

    public init(id: UInt32, heard: Duration, network: [UInt8] = []) {
      self.id = id
      self.heard = heard
      self.network = network
    }
  }

  public enum Verdict: Equatable, Sendable {
    case take
    /// Take it, and let go of that one.
    case replace(UInt32)
    case refuse(Refusal)
  }

  public enum Refusal: String, Equatable, CaseIterable, Sendable {
    case network = "not of an allowed network (allowed_networks)"
    case port = "comes from a port that is not allowed (tcp_client_ports)"
    case address = "has as many connections as one address may have (tcp_max_per_addr)"
    case all = "there are as many connections as there may be (max_connections)"
    case handshakes = "too many connections are in the midst of shaking hands"
    case holding = "nothing can be stored now"
  }

  public var limits: Limits

  public init(_ limits: Limits) { self.limits = limits }

  /// - Parameters:
  ///   - port: that it comes from.
  ///   - ofAddress: the connections of its address.
  ///   - all: how many connections there are.
  ///   - shaking: how many of them shake hands; `nil` where hands are not shaken.
  ///   - silent: those that shake hands, or, for `false`, that have sent no whole message; asked for only
  ///     where one has to give way.
  public func judge(
    port: UInt16, isAllowed: Bool, ofAddress: [Present], all: Int, shaking: Int?, now: Duration,
    silent: (_ areShaking: Bool) -> [Present] = { _ in [] }
  ) -> Verdict {
    guard isAllowed else { return .refuse(.network) }
    if let ports = limits.ports, !ports.contains(Int(port)) { return .refuse(.port) }
    let oldest = ofAddress.min { ($0.heard, $0.id) < ($1.heard, $1.id) }
    if ofAddress.count >= limits.perAddress, let oldest {
      return now - oldest.heard >= limits.silence ? .replace(oldest.id) : .refuse(.address)
    }
    if let shaking, shaking >= limits.handshakes {
      return Self.weakest(silent(true), now).map { .replace($0) } ?? .refuse(.handshakes)
    }
    guard all >= limits.connections else { return .take }
    return Self.weakest(silent(false), now).map { .replace($0) } ?? .refuse(.all)
  }

  /// Which of those that have said nothing gives way; `nil`: all of them may be about to say something.
  private static func weakest(_ silent: [Present], _ now: Duration) -> UInt32? {
    let networks = Dictionary(grouping: silent, by: \.network).values
    let most = networks.map(\.count).max() ?? 0
    let possible = networks.filter { $0.count == most }.joined()
    guard let oldest = possible.min(by: { ($0.heard, $0.id) < ($1.heard, $1.id) }) else {
      return nil
    }
    return most > 1 || now - oldest.heard >= patience ? oldest.id : nil
  }
}
