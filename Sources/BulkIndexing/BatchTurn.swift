/// What a batch is sent to.
public enum BulkTarget: Equatable, Sendable {
  case dataStream
  /// An index, or an alias of several.
  case index
}

/// One batch on its way: which request is under way, and what its answer means.
///
/// Documents that may be stored already are looked for, in the indices before the one that is
/// written to, before they are sent: that one says by itself what it has.
public struct BatchTurn: Equatable, Sendable {
  public enum Phase: Equatable, Sendable {
    /// Which indices there are is asked.
    case generations
    case lookUp(indices: [[UInt8]])
    case store
  }

  /// What came of a request.
  public enum Event: Equatable, Sendable {
    case status(Int, body: [UInt8], retryAfter: Duration?)
    case failed(String, mayHaveArrived: Bool)
  }

  public enum Step: Equatable, Sendable {
    /// The next request, of `phase`.
    case proceed
    /// Those of the documents are there, for each of them; then the next request.
    case found([Bool])
    case fates([DocumentFate])
    /// The host is left alone, and the batch sent again.
    case giveBack(reason: String, after: Duration?, mayBeStored: Bool)
    /// Sent again in halves; requests of this size are too large for the server, or one document is
    /// the reason.
    case split(reason: String, isTooLarge: Bool)
  }

  public private(set) var phase: Phase
  /// The indices, as far as they were asked.
  public private(set) var generations: IndexGenerations?
  /// Documents that should have been looked for, and could not be.
  public private(set) var notLookedUp = false
  /// The index that the documents were stored in, where the answer says it.
  public private(set) var index: [UInt8] = []

  /// Whether what is stored now may have been stored before: it was in doubt, and could not be looked
  /// for, or not in the index that was written to until just now.
  public var mayBeTwice: Bool {
    guard isDoubtful else { return false }
    guard let generations, !generations.names.isEmpty else { return notLookedUp }
    return notLookedUp || !index.isEmpty && index != generations.written
  }

  private let isDoubtful: Bool
  private let target: BulkTarget
  /// Since when the documents may be there, each index once.
  private let since: [[UInt8]]
  /// Documents of the batch.
  private var count: Int
  private var shapes: [DocumentShape]

  /// - Parameters:
  ///   - shapes: of each of its documents.
  ///   - doubts: of each of its documents.
  public init(_ target: BulkTarget, shapes: [DocumentShape], doubts: [Doubt]) {
    self.target = target
    self.shapes = shapes
    count = shapes.count
    var since: [[UInt8]] = []
    for doubt in doubts {
      if case .possible(let index) = doubt, !since.contains(index) { since.append(index) }
    }
    isDoubtful = !since.isEmpty
    phase = since.isEmpty ? .store : .generations
    self.since = since
  }

  public mutating func take(_ event: Event) -> Step {
    switch event {
    case .failed(let reason, let mayHaveArrived):
      return .giveBack(
        reason: reason, after: nil, mayBeStored: mayHaveArrived && phase == .store)
    case .status(let status, let body, let retryAfter):
      let fate = RequestFate(status: status, body: body, retryAfter: retryAfter)
      switch phase {
      case .generations: return takeGenerations(fate, status, body)
      case .lookUp(let indices): return takeLookUp(fate, status, indices, body)
      case .store: return takeStored(fate, body)
      }
    }
  }

  private mutating func takeGenerations(
    _ fate: RequestFate, _ status: Int, _ body: [UInt8]
  ) -> Step {
    switch fate {
    case .answered:
      do throws(JSONFault) {
        let found =
          try target == .dataStream
          ? IndexGenerations(dataStream: body) : IndexGenerations(alias: body)
        generations = found
        let indices = found.older(since: since)
        phase = indices.isEmpty ? .store : .lookUp(indices: indices)
        return .proceed
      } catch { return giveUpLookingUp() }
    // Nothing of that name, or no alias: there is nothing older.
    case .later where status == 404:
      phase = .store
      return .proceed
    case .later where status == 429: return giveBack(fate)
    case .unclear: return giveBack(fate)
    case .later, .tooLarge, .refused: return giveUpLookingUp()
    }
  }

  private mutating func takeLookUp(
    _ fate: RequestFate, _ status: Int, _ indices: [[UInt8]], _ body: [UInt8]
  ) -> Step {
    switch fate {
    case .answered:
      guard let answer = try? LookUpAnswer(body), answer.found.count == count * indices.count else {
        return giveUpLookingUp()
      }
      let isThere = (0..<count).map { document in
        let found = answer.found[(document * indices.count)..<((document + 1) * indices.count)]
        if found.contains(true) { return true }
        notLookedUp = notLookedUp || found.contains(nil)
        return false
      }
      shapes = zip(shapes, isThere).filter { !$0.1 }.map(\.0)
      count = shapes.count
      phase = .store
      return .found(isThere)
    case .unclear: return giveBack(fate)
    case .tooLarge: return .split(reason: "the look-up is too large", isTooLarge: false)
    case .later where status == 429: return giveBack(fate)
    case .later, .refused: return giveUpLookingUp()
    }
  }

  private mutating func giveUpLookingUp() -> Step {
    notLookedUp = true
    phase = .store
    return .proceed
  }

  private func giveBack(_ fate: RequestFate) -> Step {
    switch fate {
    case .later(let reason, let after): .giveBack(reason: reason, after: after, mayBeStored: false)
    case .unclear(let reason, let after):
      .giveBack(reason: reason, after: after, mayBeStored: phase == .store)
    case .answered, .tooLarge, .refused: preconditionFailure("that is no reason to try again")
    }
  }

  private mutating func takeStored(_ fate: RequestFate, _ body: [UInt8]) -> Step {
    switch fate {
    case .later, .unclear: return giveBack(fate)
    case .tooLarge:
      return .split(reason: "the server takes no request of this size (413)", isTooLarge: true)
    case .refused(let reason): return .split(reason: reason, isTooLarge: false)
    case .answered:
      guard let answer = try? BulkAnswer(body), answer.items.count == count else {
        return .giveBack(
          reason: "the answer is none to a bulk request", after: nil, mayBeStored: true)
      }
      index = answer.items.first { $0.status < 300 }?.index ?? []
      return .fates(zip(answer.items, shapes).map { DocumentFate($0, $1) })
    }
  }
}
