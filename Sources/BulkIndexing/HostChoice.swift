/// Which of several hosts is asked next: in turn, but for those that are left alone because they
/// failed.
public struct HostChoice: Equatable, Sendable {
  public enum Choice: Equatable, Sendable {
    case host(Int)
    /// All are left alone until then.
    case wait(until: Duration)
  }

  private struct Host: Equatable, Sendable {
    var failures = 0
    var rests = Duration.zero
  }

  private var hosts: [Host]
  private var turn = 0

  public init(count: Int) {
    precondition(count > 0, "there is no host to choose")
    hosts = Array(repeating: Host(), count: count)
  }

  /// The next host, which is then behind all others.
  public mutating func next(at now: Duration) -> Choice {
    for step in 0..<hosts.count {
      let host = (turn + step) % hosts.count
      guard hosts[host].rests <= now else { continue }
      turn = (host + 1) % hosts.count
      return .host(host)
    }
    return .wait(until: hosts.map(\.rests).min() ?? now)
  }

  /// Whether one would be chosen.
  public func isReady(at now: Duration) -> Bool { hosts.contains { $0.rests <= now } }

  /// When the first of them may be asked again.
  public var earliest: Duration { hosts.map(\.rests).min() ?? .zero }

  public mutating func succeeded(_ host: Int) { hosts[host] = Host() }

  /// Leaves it alone for a while.
  public mutating func failed(
    _ host: Int, at now: Duration, _ delay: RetryDelay, chance: Double, asked: Duration? = nil
  ) {
    // Requests that were under way together are one failure.
    if hosts[host].rests <= now { hosts[host].failures += 1 }
    hosts[host].rests = max(
      hosts[host].rests,
      now + delay.next(failures: hosts[host].failures, chance: chance, asked: asked))
  }
}
