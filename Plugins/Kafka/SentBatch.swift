import Linux
import Shipping

/// Messages that were sent together, and what became of each.
struct SentBatch: Equatable {
  private(set) var fates: [MessageFate]
  /// Why the first is not stored that comes again, where its own delivery says it.
  private(set) var why: String?
  private var underWay = 0
  private var lastDelivery: Duration
  private let answerTime: Duration
  private var said = SaidTexts()

  init(count: Int, answerTime: Duration, at now: Duration) {
    fates = Array(repeating: .unsent, count: count)
    self.answerTime = answerTime
    lastDelivery = now
  }

  var isUnderWay: Bool { underWay > 0 }
  /// Whether more may be sent: what fails holds up all that follows, but for what is refused for
  /// itself.
  var goesOn: Bool { why == nil }
  /// Whether each is stored, or refused for itself: then nothing else stands still.
  var isWhole: Bool {
    fates.allSatisfy { fate in
      switch fate {
      case .stored, .refused: true
      case .alreadyThere, .later, .refusedTogether, .unknown, .unsent: false
      }
    }
  }

  mutating func sent(_ number: Int) {
    fates[number] = .unknown
    underWay += 1
  }

  /// A message was not taken to be sent.
  mutating func notSent(_ number: Int, _ problem: KafkaProblem) {
    if problem.isOfMessage {
      fates[number] = .refused(problem.description)
    } else {
      why = why ?? problem.description
    }
  }

  mutating func delivered(_ delivery: Delivery, at now: Duration) {
    underWay -= 1
    lastDelivery = now
    guard let problem = delivery.problem else {
      fates[delivery.number] = .stored
      return
    }
    if problem.isOfMessage {
      fates[delivery.number] = .refusedTogether(problem.description)
      return
    }
    fates[delivery.number] = delivery.mayBeStored ? .unknown : .unsent
    if !problem.isConsequence { why = why ?? problem.description }
  }

  /// Why the first is not stored that comes again, unless its fate says it; empty when none does.
  ///
  /// - Parameter problem: what was said last that is wrong.
  func reason(_ problem: String?) -> String {
    isWhole ? "" : why ?? problem ?? Self.noAnswer
  }

  // MARK: What is said while it lasts

  private static let noAnswer = "no broker says that it has stored what was sent"

  private static let patience = Duration.seconds(1)

  /// What is to be said about messages that wait, each once a minute.
  ///
  /// - Parameter problem: what was said last that is wrong.
  mutating func trouble(_ problem: String?, at now: Duration) -> String? {
    guard isUnderWay else { return nil }
    let time = now - lastDelivery
    let text: String
    if let problem, time >= Self.patience {
      text = problem
    } else if time >= answerTime {
      text = Self.noAnswer
    } else {
      return nil
    }
    return said.isDue(text, at: now) ? text : nil
  }
}
