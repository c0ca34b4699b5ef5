import Glibc
public import Linux

/// How a dead dispatcher's plugins are made to end, as at a stop: a value without clock or process.
///
/// They had the end of their input when their dispatcher died. Each signal is due once.
public struct OrphanEnd: Equatable {
  private enum Step: Int { case endOfInput, request, kill }

  /// When they are asked to end, and when they are made to, after the end of their input.
  static let requestAfter = Duration.seconds(2)
  static let killAfter = Duration.seconds(5)

  private let since: Moment
  private var done = Step.endOfInput

  public init(since: Moment) { self.since = since }

  /// The signal that is due.
  public mutating func signal(_ now: Moment) -> Int32? {
    let due: Step =
      now - since > Self.killAfter
      ? .kill : now - since > Self.requestAfter ? .request : .endOfInput
    guard due.rawValue > done.rawValue else { return nil }
    done = due
    return due == .kill ? SIGKILL : SIGTERM
  }
}
