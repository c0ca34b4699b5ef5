import Linux

/// Whether audispatch-receive still does its work: it is asked at intervals, and answers out of its loop.
/// A value without clock.
///
/// Only time counts in which its answer would have been heard: none in which nothing is read of it, and
/// of what lies between two looks no more than `longestLook`, as this process may have stood still itself.
struct Liveness {
  /// How often it is asked, and looked at.
  static let period = Duration.seconds(2)
  /// How long it may be silent before that is said.
  static let patience = Duration.seconds(4)
  /// How long before it is given up.
  static let limit = Duration.seconds(12)
  static let longestLook = Duration.seconds(3)

  enum Step: Equatable {
    case nothing
    case ask(UInt32)
    /// It has not answered for so long.
    case report(Duration)
    case giveUp(Duration)
  }

  /// The latest question.
  private var question: UInt32 = 0
  private var isAnswered = true
  private var waited = Duration.zero
  private var wasReported = false
  private var looked: Moment?
  private var nextQuestion = Moment(nanoseconds: 0)

  /// - Parameter isRead: what it says is read now.
  mutating func look(_ now: Moment, isRead: Bool) -> Step {
    let passed = looked.map { min(now - $0, Self.longestLook) } ?? .zero
    looked = now
    if isAnswered {
      guard now >= nextQuestion else { return .nothing }
      question &+= 1
      isAnswered = false
      waited = .zero
      nextQuestion = now + Self.period
      return .ask(question)
    }
    if isRead { waited += passed }
    if waited >= Self.limit { return .giveUp(waited) }
    guard waited >= Self.patience, !wasReported else { return .nothing }
    wasReported = true
    return .report(waited)
  }

  /// It has answered a question.
  ///
  /// - Returns: whether its silence had been said.
  mutating func answered(_ number: UInt32) -> Bool {
    guard number == question else { return false }
    isAnswered = true
    defer { wasReported = false }
    return wasReported
  }

  static func silence(of pid: Int32, _ time: Duration) -> String {
    "audispatch-receive (process \(pid)) has not answered for \(time.components.seconds) s: "
  }
}
