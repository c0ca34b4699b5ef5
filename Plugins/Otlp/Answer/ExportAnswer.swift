import BulkIndexing

/// What a collector says with a status of 2xx (`ExportLogsServiceResponse`): it has taken all, but
/// for so many records.
struct ExportAnswer: Equatable {
  /// Records that it refused, for ever; which ones it does not say.
  var rejected = 0
  /// Why, or what it has to say otherwise.
  var message = ""

  /// Reads one in either encoding, whichever was asked for; `nil` where it is none.
  init?(_ body: [UInt8]) {
    if body.first == UInt8(ascii: "{") {
      do throws(JSONFault) { try takeJSON(body) } catch { return nil }
    } else {
      do throws(ProtobufFault) { try takeProtobuf(body) } catch { return nil }
    }
    rejected = max(0, rejected)
    message = Self.shown(message)
  }

  private mutating func takeJSON(_ body: [UInt8]) throws(JSONFault) {
    var reader = JSONReader(body)
    var found = self
    try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
      guard name.elementsEqual("partialSuccess".utf8), try reader.kind() == .object else {
        return try reader.skip()
      }
      try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
        switch String(decoding: name, as: UTF8.self) {
        case "rejectedLogRecords": found.rejected = try Self.count(&reader)
        case "errorMessage": found.message = String(decoding: try reader.string(), as: UTF8.self)
        default: try reader.skip()
        }
      }
    }
    try reader.end()
    self = found
  }

  /// A number of 64 bits is a text in JSON; some write a number.
  private static func count(_ reader: inout JSONReader) throws(JSONFault) -> Int {
    guard try reader.kind() == .string else { return try reader.integer() }
    guard let count = Int(String(decoding: try reader.string(), as: UTF8.self)) else {
      throw JSONFault(place: 0)
    }
    return count
  }

  /// `ExportLogsServiceResponse.partial_success` is field 1, and of `ExportLogsPartialSuccess`
  /// `rejected_log_records` 1 and `error_message` 2.
  private mutating func takeProtobuf(_ body: [UInt8]) throws(ProtobufFault) {
    var reader = ProtobufReader(body[...])
    while let (field, value) = try reader.next() {
      guard field == 1, case .bytes(let message) = value else { continue }
      var inner = ProtobufReader(message)
      while let (field, value) = try inner.next() {
        switch (field, value) {
        case (1, .number(let count)): rejected = Int(Int64(bitPattern: count))
        case (2, .bytes(let text)): self.message = String(decoding: text, as: UTF8.self)
        default: continue
        }
      }
    }
  }

  /// Why a request was refused, and whether a collector says so, as it does in either encoding: by a
  /// `google.rpc.Status`. Anything else is shown as text.
  static func reason(of body: [UInt8]) -> (text: String, isCollectors: Bool) {
    let status = body.first == UInt8(ascii: "{") ? statusOfJSON(body) : statusOfProtobuf(body)
    return (
      shown(String(decoding: (status ?? body[...]).prefix(1024), as: UTF8.self)), status != nil
    )
  }

  /// The message, field 2, of a `google.rpc.Status`, which has a code, field 1, and may have details;
  /// `nil` where it is none.
  private static func statusOfProtobuf(_ body: [UInt8]) -> ArraySlice<UInt8>? {
    var (hasCode, message) = (false, ArraySlice<UInt8>?.none)
    var reader = ProtobufReader(body[...])
    do throws(ProtobufFault) {
      while let (field, value) = try reader.next() {
        switch (field, value) {
        case (1, .number): hasCode = true
        case (2, .bytes(let text)): message = text
        case (3, .bytes): break
        default: return nil
        }
      }
    } catch { return nil }
    return message ?? (hasCode ? [] : nil)
  }

  private static func statusOfJSON(_ body: [UInt8]) -> ArraySlice<UInt8>? {
    var (hasCode, message) = (false, ArraySlice<UInt8>?.none)
    var reader = JSONReader(body)
    do throws(JSONFault) {
      try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
        let kind = try reader.kind()
        if name.elementsEqual("message".utf8), kind == .string {
          message = try reader.string()[...]
        } else {
          if name.elementsEqual("code".utf8) { hasCode = kind == .number }
          try reader.skip()
        }
      }
      try reader.end()
    } catch { return nil }
    return message ?? (hasCode ? [] : nil)
  }

  /// One short line of somebody else's text.
  private static func shown(_ text: String) -> String {
    let scalars = text.unicodeScalars.map { scalar in
      scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value) ? " " : scalar
    }
    var line = String.UnicodeScalarView()
    line.append(contentsOf: scalars.prefix(200))
    return String(line)
  }
}
