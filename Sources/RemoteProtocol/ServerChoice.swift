/// Which server is tried next, and when.
///
/// Servers stand in the order of preference. What fails is followed by the next one at once; when
/// all have failed, by the first again after a delay that doubles. Up to a quarter is added to it at
/// random: hosts that lost a collector together do not come back together. A connection that was of
/// use for a while is followed by the first server at once.
public struct ServerChoice: Sendable {
  private let servers: Int
  private let shortest: Duration
  private let longest: Duration
  private var failures = 0
  private var random: UInt64

  public init(servers: Int, from shortest: Duration, to longest: Duration, seed: UInt64) {
    precondition(servers > 0, "there is no server")
    self.servers = servers
    self.shortest = shortest
    self.longest = max(shortest, longest)
    random = seed
  }

  /// The server to try.
  public var server: Int { failures % servers }

  /// A server failed; how long to wait before the next attempt.
  ///
  /// - Parameter wasOfUse: for so long that being lost again and again does no harm.
  public mutating func failed(wasOfUse: Bool) -> Duration {
    if wasOfUse {
      failures = 0
      return .zero
    }
    failures += 1
    guard failures % servers == 0 else { return .zero }
    var delay = shortest
    for _ in 1..<max(1, min(failures / servers, 32)) where delay < longest { delay *= 2 }
    return min(delay, longest) * (1 + 0.25 * fraction())
  }

  /// A number from 0 to below 1: SplitMix64.
  private mutating func fraction() -> Double {
    random &+= 0x9E37_79B9_7F4A_7C15
    var z = random
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return Double((z ^ z >> 31) >> 11) / Double(1 << 53)
  }
}
