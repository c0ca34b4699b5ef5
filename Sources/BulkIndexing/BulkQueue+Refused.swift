/// What no index takes: it waits until it is written somewhere else.
extension BulkQueue {
  private func goesToFile(_ at: Int) -> Bool {
    documents[at].isRefused && (documents[at].isGivenUp || !hasRefusedIndex)
  }

  /// When a refused document may be written; `nil` when there is none.
  public var refusedTime: Duration? {
    guard counts.refused > refusedDone else { return nil }
    return (done..<documents.count).lazy.filter(goesToFile).map { documents[$0].since }.min()
  }

  /// The first documents that wait to be written where refused ones go: of so many bytes, but one at
  /// least.
  public func nextRefused(
    _ bytes: Int = .max, at now: Duration
  ) -> [(place: Int, type: String, reason: String)] {
    guard refusedWaiting > 0 else { return [] }
    var found: [(place: Int, type: String, reason: String)] = []
    var size = 0
    for at in done..<documents.count where goesToFile(at) && documents[at].since <= now {
      guard case .refused(let type, let reason) = documents[at].state else { continue }
      if size > 0, documents[at].cost > bytes - size { break }
      size += documents[at].cost
      found.append((first + at, type, reason))
    }
    return found
  }

  /// It was written, or nobody wants it.
  public mutating func refusedIsDone(_ place: Int) {
    refusedDone += 1
    finish(place - first)
    letGo()
  }

  /// None of them can be written until then.
  public mutating func refusedWait(until time: Duration) {
    for at in documents.indices[done...] where goesToFile(at) {
      documents[at].since = time
    }
  }

  /// Documents that wait until they are where refused ones go.
  public var refusedWaiting: Int {
    counts.refused - refusedDone
  }
}
