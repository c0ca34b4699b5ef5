/// Which server to try next, and when.
///
/// Servers stand in the order of preference. What fails is followed by the next one at once; when
/// all have failed, by the first again after a delay that doubles. A connection that was of use
/// and is lost is followed by the first server at once.
struct Backoff: Equatable {
  private let servers: Int
  private let shortest: Duration
  private let longest: Duration
  private var failures = 0

  init(servers: Int, from shortest: Duration, to longest: Duration) {
    self.servers = servers
    self.shortest = shortest
    self.longest = longest
  }

  /// The server to try.
  var server: Int { failures % servers }

  /// A server failed; how long to wait before the next attempt.
  mutating func failed(wasOfUse: Bool) -> Duration {
    if wasOfUse {
      failures = 0
      return .zero
    }
    failures += 1
    guard failures % servers == 0 else { return .zero }
    let rounds = failures / servers
    var delay = shortest
    for _ in 1..<max(1, min(rounds, 32)) where delay < longest { delay *= 2 }
    return min(delay, longest)
  }
}
