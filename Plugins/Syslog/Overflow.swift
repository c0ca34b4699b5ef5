import AudispatchPlugin
import Glibc
import Linux

/// What becomes of records while nothing takes messages.
///
/// Under audispatchd they wait in the plugin's queue there, which has its own bounds and counts.
/// auditd has one queue for all plugins, and would be held up together with the host: there, when
/// nothing was taken for a second, they are dropped beyond what may wait here, counted, and
/// reported at once and each minute. What comes from a file or a pipe waits, and so does what
/// feeds it.
struct Overflow {
  /// Bytes that may wait before anything is dropped.
  static let bytes = 2 << 20
  private static let reportEvery = Duration.seconds(60)

  private static let patience = Duration.seconds(1)

  /// Whether records are dropped rather than left waiting in the input for long.
  private let drops: Bool
  private var progress: Duration
  private(set) var dropped = 0
  private var saidAt: Duration?
  private var since = 0

  init(drops: Bool, at now: Duration) {
    self.drops = drops
    progress = now
  }

  /// Whoever feeds this process.
  static var ofThisProcess: Overflow {
    let isOurs = unsafe getenv("AUDISPATCH_PLUGIN") != nil
    return Overflow(drops: !isOurs && DescriptorKind.isSocket(0), at: MonotonicTime.now)
  }

  /// Notes that something was taken, or that nothing waits.
  mutating func progressed(at now: Duration) { if drops { progress = now } }

  /// Whether what comes now is taken to be held here or dropped, not left in the input.
  func isStuck(at now: @autoclosure () -> Duration) -> Bool {
    drops && now() - progress >= Self.patience
  }

  /// When it will be stuck.
  var deadline: Duration? { drops ? progress + Self.patience : nil }

  /// Notes that records were dropped; what is to be said about it now.
  mutating func drop(_ records: Int, at now: Duration) -> String? {
    dropped += records
    since += records
    if let saidAt, now - saidAt < Self.reportEvery { return nil }
    saidAt = now
    return "nothing takes messages: records are dropped, \(since) until now"
  }

  /// Notes that there is room again; what is to be said about it.
  mutating func end() -> String? {
    guard since > 0 else { return nil }
    defer {
      since = 0
      saidAt = nil
    }
    return "messages are taken again; \(since) records were dropped"
  }
}
