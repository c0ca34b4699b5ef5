import EventDocument
import SyslogSending

/// How a body is written.
enum BodyForm: String, CaseIterable, Sendable {
  /// The records as auditd writes them.
  case text
  case keyValue = "key_value"
  case json
  /// JSON behind `@cee: `, for rsyslog's mmjsonparse.
  case cee
  case cef
  case leef
}

extension ValueLimits {
  /// The first body that has at most `limit` bytes; the shortest one, cut, when there is none.
  static func fit(_ limit: Int, _ write: (Int) -> [UInt8]) -> [UInt8] {
    var body: [UInt8] = []
    for step in steps {
      body = write(step)
      if body.count <= limit { return body }
    }
    MessageCut.cut(&body, to: limit)
    return body
  }
}
