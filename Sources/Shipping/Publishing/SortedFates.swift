import BulkIndexing

/// The messages of a batch by what became of them, each in their order.
struct SortedFates: Equatable {
  /// What is done, or refused for ever.
  private(set) var settled: [Int] = []
  private(set) var fates: [DocumentFate] = []
  /// What was not stored.
  private(set) var unsent: [Int] = []
  /// What may be stored.
  private(set) var unknown: [Int] = []
  /// What was refused together, and why.
  private(set) var together: [Int] = []
  private(set) var reasonTogether: String?

  init(_ places: [Int], _ outcomes: [MessageFate]) {
    precondition(places.count == outcomes.count, "a message has no fate, or two")
    for (place, outcome) in zip(places, outcomes) {
      switch outcome {
      case .later, .unsent: unsent.append(place)
      case .unknown: unknown.append(place)
      case .refusedTogether(let reason):
        together.append(place)
        reasonTogether = reasonTogether ?? reason
      case .stored: settle(place, .stored)
      case .alreadyThere: settle(place, .alreadyThere)
      case .refused(let reason): settle(place, .refused(type: "", reason: reason))
      }
    }
  }

  private mutating func settle(_ place: Int, _ fate: DocumentFate) {
    settled.append(place)
    fates.append(fate)
  }
}
