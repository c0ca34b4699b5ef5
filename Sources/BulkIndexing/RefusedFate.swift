/// What becomes of a refused document on its way into the index for such documents.
public enum RefusedFate: Equatable, Sendable {
  /// It is there.
  case done
  /// It is sent again, later.
  case later(reason: String)
  /// That index does not take it either.
  case givenUp(reason: String)
}

extension RefusedFate {
  /// - Parameter hasFile: whether there is a file for what is given up; without one only the
  ///   document itself is a reason to do so.
  public init(_ item: ItemAnswer, hasFile: Bool) {
    let reason = item.reason.isEmpty ? "status \(item.status)" : item.reason
    switch item.status {
    case 200..<300, 409: self = .done
    case 408, 429, 500...: self = .later(reason: reason)
    case 401, 403, 404: self = .untakenByIndex(reason, hasFile: hasFile)
    case 400 where item.isOfIndex: self = .untakenByIndex(reason, hasFile: hasFile)
    default: self = .givenUp(reason: reason)
    }
  }

  /// Of what the index does not take, whatever it is: a right is missing, or the index.
  static func untakenByIndex(_ reason: String, hasFile: Bool) -> RefusedFate {
    hasFile ? .givenUp(reason: reason) : .later(reason: reason)
  }
}

/// What the answer to a request with refused documents means.
public enum RefusedStep: Equatable, Sendable {
  /// Of each of them.
  case fates([RefusedFate])
  /// The host is left alone, and all are sent again. Ids see to it that none is there twice.
  case later(reason: String, after: Duration?)
  /// They are sent again in halves; one alone is given up.
  case split(reason: String)

  /// - Parameters:
  ///   - count: documents of the request.
  ///   - hasFile: whether there is a file for what is given up.
  public init(_ event: BatchTurn.Event, count: Int, hasFile: Bool) {
    switch event {
    case .failed(let reason, _): self = .later(reason: reason, after: nil)
    case .status(let status, let body, let retryAfter):
      switch RequestFate(status: status, body: body, retryAfter: retryAfter) {
      case .answered:
        guard let answer = try? BulkAnswer(body), answer.items.count == count else {
          self = .later(reason: "the answer is none to a bulk request", after: nil)
          return
        }
        self = .fates(answer.items.map { RefusedFate($0, hasFile: hasFile) })
      // The request names one index, and the host may take what is for others. A 401 is about who
      // we are, and so about all requests.
      case .later(let reason, _) where status == 403 || status == 404:
        let fate = RefusedFate.untakenByIndex(reason, hasFile: hasFile)
        self = .fates(Array(repeating: fate, count: count))
      case .later(let reason, let after), .unclear(let reason, let after):
        self = .later(reason: reason, after: after)
      case .tooLarge: self = .split(reason: "the server takes no request of this size (413)")
      case .refused(let reason): self = .split(reason: reason)
      }
    }
  }
}
