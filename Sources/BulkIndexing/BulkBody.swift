import EventDocument

/// The bodies of requests.
public enum BulkBody {
  /// The line in front of a document.
  public enum Operation: String, CaseIterable, Sendable {
    /// Only if there is none with this id.
    case create
    /// In the place of one with this id.
    case index
  }

  /// Two lines of a bulk request.
  public static func append<Token>(
    _ document: QueuedDocument<Token>, _ operation: Operation, to body: inout [UInt8]
  ) {
    body += operation == .create ? create : index
    body += document.id
    body += "\"}}\n".utf8
    switch document.shape {
    case .whole: body += document.body
    case .text: appendText(document, to: &body)
    }
    body.append(0x0a)
  }

  private static let create = Array("{\"create\":{\"_id\":\"".utf8)
  private static let index = Array("{\"index\":{\"_id\":\"".utf8)

  /// A document that every mapping takes: its time, its id, why, and itself as a text.
  private static func appendText<Token>(
    _ document: QueuedDocument<Token>, to body: inout [UInt8]
  ) {
    body += "{\"@timestamp\":".utf8
    body += String(document.milliseconds).utf8
    body += ",\"event\":{\"id\":\"".utf8
    body += document.id
    body += "\",\"kind\":\"event\",\"module\":\"auditd\"},\"tags\":[\"_mapping_refused\"],".utf8
    body += "\"error\":{\"message\":".utf8
    JSONString.append(document.reason, to: &body)
    body += "},\"message\":".utf8
    JSONString.append(document.body.span, to: &body)
    body.append(UInt8(ascii: "}"))
  }

  /// Two lines of a bulk request for a document that no index takes: when, which, why, and where it
  /// should have gone; what it was is one text, as which every index takes it.
  ///
  /// It is only created, which a data stream takes as well. An id that is there already (409) is the
  /// same document, and is done.
  public static func appendRefused<Token>(
    _ document: QueuedDocument<Token>, wanted index: String, to body: inout [UInt8]
  ) {
    body += create
    body += document.id
    body += "\"}}\n{\"@timestamp\":".utf8
    body += String(document.milliseconds).utf8
    body += ",\"event\":{\"id\":\"".utf8
    body += document.id
    body += "\",\"kind\":\"pipeline_error\",\"module\":\"auditd\",\"original\":".utf8
    JSONString.append(document.body.span, to: &body)
    body += "},\"error\":{\"type\":".utf8
    JSONString.append(document.refusal?.type ?? "", to: &body)
    body += ",\"message\":".utf8
    JSONString.append(document.refusal?.reason ?? "", to: &body)
    body += "},\"document\":{\"index\":".utf8
    JSONString.append(index, to: &body)
    body += "}}\n".utf8
  }

  /// The body of an `_mget`: each document in each index, documents first.
  public static func lookUp(_ ids: [[UInt8]], in indices: [[UInt8]]) -> [UInt8] {
    var body = Array("{\"docs\":[".utf8)
    for id in ids {
      for index in indices {
        if body.last == UInt8(ascii: "}") { body.append(UInt8(ascii: ",")) }
        body += "{\"_index\":".utf8
        JSONString.append(index.span, to: &body)
        body += ",\"_id\":\"".utf8
        body += id
        body += "\"}".utf8
      }
    }
    body += "]}".utf8
    return body
  }

  /// A line for what no index takes: when, why, and the document as it was.
  public static func refused<Token>(
    _ document: QueuedDocument<Token>, type: String, reason: String
  ) -> [UInt8] {
    var line = Array("{\"id\":\"".utf8)
    line += document.id
    line += "\",\"error\":{\"type\":".utf8
    JSONString.append(type, to: &line)
    line += ",\"reason\":".utf8
    JSONString.append(reason, to: &line)
    line += "},\"document\":".utf8
    line += document.body
    line += "}\n".utf8
    return line
  }
}
