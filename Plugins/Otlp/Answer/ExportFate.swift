import BulkIndexing

/// What became of a request.
enum ExportFate: Equatable {
  /// The collector has taken all records but so many, and says that.
  case taken(rejected: Int, message: String)
  /// Nothing became of it, or nobody knows; the server is left alone for a while.
  case later(reason: String, after: Duration?, mayBeTaken: Bool)
  /// Fewer records at a time may pass; one may be the reason.
  case split(reason: String, isTooLarge: Bool)

  init(status: Int, body: [UInt8], retryAfter: Duration?) {
    guard (200..<300).contains(status) else {
      let (error, isCollectors) = ExportAnswer.reason(of: body)
      // Whatever else answers knows nothing of events: it is about our place, or form.
      let fate = RequestFate(
        status: status, error: error, isOfDocuments: isCollectors, retryAfter: retryAfter)
      switch fate {
      case .answered: preconditionFailure("status \(status) is an answer")
      case .later(let reason, let after):
        self = .later(reason: reason, after: after, mayBeTaken: false)
      case .unclear(let reason, let after):
        self = .later(reason: reason, after: after, mayBeTaken: true)
      case .tooLarge: self = .split(reason: "status 413: too large", isTooLarge: true)
      case .refused(let reason): self = .split(reason: reason, isTooLarge: false)
      }
      return
    }
    if let answer = ExportAnswer(body) {
      self = .taken(rejected: answer.rejected, message: answer.message)
    } else {
      self = .later(
        reason: "status \(status), with an answer that is none of OTLP", after: nil,
        mayBeTaken: true)
    }
  }
}
