/// What becomes of a document.
public enum DocumentFate: Equatable, Sendable {
  case stored
  /// It was stored before: its id is there.
  case alreadyThere
  /// It is sent again, later.
  case later(reason: String, mayBeStored: Bool)
  /// The index takes no document with such fields: it is sent once more as text.
  case asText(type: String, reason: String)
  /// It will never be taken.
  case refused(type: String, reason: String)
}

/// How a document is sent.
public enum DocumentShape: Equatable, Sendable {
  case whole
  /// As a text in a document that every index takes.
  case text
}

extension DocumentFate {
  /// What a server's word about a document means.
  ///
  /// What is not the document's fault, as a missing right, index or room, never refuses it.
  public init(_ item: ItemAnswer, _ shape: DocumentShape) {
    let reason = item.reason.isEmpty ? "status \(item.status)" : item.reason
    switch item.status {
    case 200..<300: self = .stored
    case 409: self = .alreadyThere
    case 401, 403, 404, 408, 429: self = .later(reason: reason, mayBeStored: false)
    case 400 where item.isOfIndex: self = .later(reason: reason, mayBeStored: false)
    case 500...: self = .later(reason: reason, mayBeStored: true)
    default:
      self =
        Self.isOfMapping(item) && shape == .whole
        ? .asText(type: item.errorType, reason: reason)
        : .refused(type: item.errorType, reason: reason)
    }
  }

  /// The words of Elasticsearch 7 to 9 and OpenSearch 1 to 3 for fields that do not fit.
  private static let mappingErrors: Set<String> = [
    "mapper_parsing_exception", "document_parsing_exception", "strict_dynamic_mapping_exception",
    "illegal_argument_exception", "mapper_exception", "parse_exception",
    "x_content_parse_exception",
    "not_x_content_exception", "number_format_exception",
  ]

  private static func isOfMapping(_ item: ItemAnswer) -> Bool {
    item.status == 400 && (mappingErrors.contains(item.errorType) || item.errorType.isEmpty)
  }
}

extension ItemAnswer {
  /// Whether what is said with status 400 is about the index, whatever the document is: it has no
  /// room for another shard, or lacks the pipeline.
  var isOfIndex: Bool {
    status == 400
      && (errorType == "validation_exception" || reason.hasPrefix("pipeline with id ["))
  }
}

/// What the answer to a whole request means.
public enum RequestFate: Equatable, Sendable {
  /// The answer has the fates of its documents.
  case answered
  /// Nothing was done; the host is left alone for a while.
  case later(reason: String, after: Duration?)
  /// It may have been done; the host is left alone for a while.
  case unclear(reason: String, after: Duration?)
  /// Fewer documents at a time may pass.
  case tooLarge
  /// The host takes nothing like this; one document may be the reason.
  case refused(reason: String)
}

extension RequestFate {
  /// - Parameter body: of the answer; it has the reason where the request failed.
  public init(status: Int, body: [UInt8], retryAfter: Duration?) {
    // An answer with fates is long, and is read for them.
    if (200..<300).contains(status) {
      self = .answered
      return
    }
    let type = BulkAnswer.error(of: body)?.type ?? ""
    // A server says by an error's type what it does not like; without one it is a gateway's word, or
    // about the path.
    self.init(
      status: status, error: BulkAnswer.reason(of: body),
      isOfDocuments: !type.isEmpty && type != "media_type_header_exception", retryAfter: retryAfter)
  }

  /// - Parameter isOfDocuments: whether a document may be the reason for what is said.
  public init(status: Int, error: String, isOfDocuments: Bool, retryAfter: Duration?) {
    let reason = error.isEmpty ? "status \(status)" : "status \(status): \(error)"
    switch status {
    case 200..<300: self = .answered
    case 413: self = .tooLarge
    case 400 where isOfDocuments, 422 where isOfDocuments: self = .refused(reason: reason)
    // Perhaps a gateway's word; the host behind it may have done it.
    case 500...: self = .unclear(reason: reason, after: retryAfter)
    // Too many requests; rights, places, forms and redirections: to be put right by somebody.
    default: self = .later(reason: reason, after: retryAfter)
    }
  }
}
