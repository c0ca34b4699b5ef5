import Glibc
import Linux

/// What becomes of records while no server takes what is made of them.
///
/// Under audispatchd they wait in the plugin's queue there, which has its own bounds and counts.
/// auditd has one queue for all plugins, and would be held up together with the host: there, when
/// nothing was taken for a second, they are dropped beyond what may wait here, counted, and
/// reported at once and each minute. What comes from a file or a pipe waits, and so does what
/// feeds it.
public struct Overflow {
  /// Bytes that may wait before anything is dropped.
  public static let bytes = 2 << 20
  private static let reportEvery = Duration.seconds(60)

  private static let patience = Duration.seconds(1)

  /// Whether records are dropped rather than left waiting in the input for long.
  public let drops: Bool
  /// What is said to be taken, or not.
  private let what: String
  private var progress: Duration
  public private(set) var dropped = 0
  private var saidAt: Duration?
  private var since = 0

  public init(drops: Bool, of what: String = "messages", at now: Duration) {
    self.drops = drops
    self.what = what
    progress = now
  }

  /// Whoever feeds this process.
  public static func ofThisProcess(_ what: String = "messages") -> Overflow {
    let drops = !PluginEnvironment.isPlugin && DescriptorKind.isSocket(0)
    return Overflow(drops: drops, of: what, at: MonotonicTime.now)
  }

  /// Notes that something was taken, or that nothing waits.
  public mutating func progressed(at now: Duration) { if drops { progress = now } }

  /// Whether what comes now is taken to be held here or dropped, not left in the input.
  public func isStuck(at now: @autoclosure () -> Duration) -> Bool {
    drops && now() - progress >= Self.patience
  }

  /// When it will be stuck.
  public var deadline: Duration? { drops ? progress + Self.patience : nil }

  /// Notes that records were dropped; what is to be said about it now.
  public mutating func drop(_ records: Int, at now: Duration) -> String? {
    dropped += records
    since += records
    if let saidAt, now - saidAt < Self.reportEvery { return nil }
    saidAt = now
    return "nothing takes \(what): records are dropped, \(since) until now"
  }

  /// Notes that there is room again; what is to be said about it.
  public mutating func end() -> String? {
    guard since > 0 else { return nil }
    defer {
      since = 0
      saidAt = nil
    }
    return "\(what) are taken again; \(since) records were dropped"
  }
}
