/// What no index takes, on its way into an index for it: until that is done, or is given up, it goes
/// nowhere else.
extension BulkQueue {
  private func goesToIndex(_ at: Int) -> Bool {
    hasRefusedIndex && documents[at].isRefused && !documents[at].isGivenUp
  }

  /// When the first of them may be sent; `nil` when there is none.
  public var refusedIndexTime: Duration? {
    guard hasRefusedIndex, refusedWaiting > 0 else { return nil }
    return (done..<documents.count).lazy.filter(goesToIndex).map { documents[$0].since }.min()
  }

  /// The next of them, which are then under way; they wait for no others.
  public mutating func nextForRefusedIndex(_ limits: Limits, at now: Duration) -> Batch? {
    guard hasRefusedIndex, refusedWaiting > 0 else { return nil }
    var batch = Batch(places: [], isDoubtful: false)
    var size = 0
    var share = limits.documents
    for at in done..<documents.count where goesToIndex(at) && documents[at].since <= now {
      share = min(share, documents[at].share)
      size += documents[at].cost
      if !batch.places.isEmpty, batch.places.count >= share || size > limits.bytes { break }
      batch.places.append(first + at)
    }
    for place in batch.places {
      guard case .refused(let type, let reason) = self[place].state else { continue }
      documents[place - first].state = .refusedSent(type: type, reason: reason)
    }
    return batch.places.isEmpty ? nil : batch
  }

  /// Takes the fates of such a batch, one for each of its documents.
  public mutating func settleRefused(
    _ batch: Batch, _ fates: [RefusedFate], at now: Duration, chance: Double
  ) {
    precondition(batch.places.count == fates.count, "a document has no fate, or two")
    for (place, fate) in zip(batch.places, fates) {
      let at = place - first
      switch fate {
      case .done:
        refusedDone += 1
        counts.refusedIndexed += 1
        finish(at)
      case .later:
        documents[at].failures += 1
        putBack(at, until: now + delay.next(failures: documents[at].failures, chance: chance))
      case .givenUp:
        documents[at].isGivenUp = true
        putBack(at, until: now)
      }
    }
    letGo()
  }

  /// Nothing became of such a batch: it is to be sent again.
  public mutating func giveBackRefused(_ batch: Batch, at now: Duration) {
    for place in batch.places { putBack(place - first, until: now) }
  }

  /// Such a batch is sent again in halves; a document alone is given up.
  public mutating func splitRefused(_ batch: Batch, at now: Duration) {
    for place in batch.places {
      documents[place - first].share = (batch.places.count + 1) / 2
      documents[place - first].isGivenUp = batch.places.count == 1
      putBack(place - first, until: now)
    }
  }

  private mutating func putBack(_ at: Int, until time: Duration) {
    guard case .refusedSent(let type, let reason) = documents[at].state else {
      preconditionFailure("a document that is not under way comes back")
    }
    documents[at].state = .refused(type: type, reason: reason)
    documents[at].since = time
  }
}
