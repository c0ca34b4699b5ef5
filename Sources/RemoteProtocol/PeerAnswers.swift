/// What a peer is still to be answered, in the order in which it asked: a record when it is safe, a
/// heartbeat as soon as nothing before it waits.
public struct PeerAnswers: Sendable {
  private enum Question {
    /// The record with that number among all that the receiver passed on.
    case record(UInt64)
    case heartbeat
    /// Answered when it is known what is there of the sender.
    case opening(isKnown: Bool, has: UInt64?)
  }

  private var questions: [(question: Question, sequence: UInt32)] = []
  private var first = 0
  /// All records up to this number are safe.
  private var safe: UInt64 = 0

  public init() {}

  /// Questions without an answer.
  public var count: Int { questions.count - first }

  /// - Parameter number: behind those of all records that were asked about before.
  public mutating func record(_ number: UInt64, sequence: UInt32) {
    questions.append((.record(number), sequence))
  }

  public mutating func heartbeat(sequence: UInt32) {
    questions.append((.heartbeat, sequence))
  }

  public mutating func opening(sequence: UInt32) {
    questions.append((.opening(isKnown: false, has: nil), sequence))
  }

  /// It is known what is there of the sender that the first unanswered opening names.
  public mutating func has(_ number: UInt64?) {
    for index in questions.indices[first...] {
      guard case .opening(isKnown: false, _) = questions[index].question else { continue }
      questions[index].question = .opening(isKnown: true, has: number)
      return
    }
  }

  /// All records up to this number are safe.
  public mutating func isSafe(through number: UInt64) { safe = max(safe, number) }

  /// Appends the answers that can be given now; how many of them are about records.
  public mutating func take(into bytes: inout [UInt8]) -> Int {
    var records = 0
    loop: while first < questions.count {
      let (question, sequence) = questions[first]
      var text: [UInt8] = []
      switch question {
      case .record(let number):
        guard number <= safe else { break loop }
        records += 1
      case .heartbeat: break
      case .opening(let isKnown, let has):
        guard isKnown else { break loop }
        text = Opening.answer(has: has)
      }
      MessageHeader(.acknowledgement, length: text.count, sequence: sequence).append(to: &bytes)
      bytes += text
      first += 1
    }
    if first == questions.count {
      questions = []
      first = 0
    } else if first > 1024, first * 2 > questions.count {
      questions.removeFirst(first)
      first = 0
    }
    return records
  }
}
