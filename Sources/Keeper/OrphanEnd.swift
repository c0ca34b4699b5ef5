import Glibc
public import Linux

/// How a dead dispatcher's plugins are made to end, as at a stop: a value without clock or process.
///
/// They had the end of their input when their dispatcher died. Each signal is due once.
public struct OrphanEnd: Equatable {
  private enum Step: Int { case endOfInput, request, kill }

  /// How long they may take from the end of their input until they are asked to end, and from there
  /// until they are made to. The same counts for every child of a plugin that is to end.
  public static let patience = Duration.seconds(2)
  public static let patienceAfterRequest = Duration.seconds(3)

  private let since: Moment
  private var done = Step.endOfInput

  public init(since: Moment) { self.since = since }

  /// The signal that is due.
  public mutating func signal(_ now: Moment) -> Int32? {
    let due: Step =
      now - since > Self.patience + Self.patienceAfterRequest
      ? .kill : now - since > Self.patience ? .request : .endOfInput
    guard due.rawValue > done.rawValue else { return nil }
    done = due
    return due == .kill ? SIGKILL : SIGTERM
  }
}
