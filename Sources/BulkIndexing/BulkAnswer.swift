/// What an index server says of one document.
public struct ItemAnswer: Equatable, Sendable {
  public var status: Int
  /// The backing index that has it; empty where none is named.
  public var index: [UInt8] = []
  /// What kind of error it is, in the server's word, and why; empty for none.
  public var errorType = ""
  public var reason = ""

  public init(status: Int, index: [UInt8] = [], errorType: String = "", reason: String = "") {
    self.status = status
    self.index = index
    self.errorType = errorType
    self.reason = reason
  }
}

/// The answer to a bulk request: one word for each document, in the order of the request.
public struct BulkAnswer: Equatable, Sendable {
  public var items: [ItemAnswer] = []

  /// Reads one. Throws where it is not such an answer; members that are not needed may be there.
  public init(_ bytes: [UInt8]) throws(JSONFault) {
    var reader = JSONReader(bytes)
    var items: [ItemAnswer]?
    try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
      guard name.elementsEqual("items".utf8) else { return try reader.skip() }
      var found: [ItemAnswer] = []
      try reader.array { (reader: inout JSONReader) throws(JSONFault) in
        found.append(try Self.item(&reader))
      }
      items = found
    }
    try reader.end()
    guard let items else { throw JSONFault(place: bytes.count) }
    self.items = items
  }

  /// `{"create":{"_index":"…","status":201}}`
  private static func item(_ reader: inout JSONReader) throws(JSONFault) -> ItemAnswer {
    var item: ItemAnswer?
    try reader.object { (reader: inout JSONReader, _) throws(JSONFault) in
      item = try answer(&reader)
    }
    guard let item else { throw JSONFault(place: 0) }
    return item
  }

  private static func answer(_ reader: inout JSONReader) throws(JSONFault) -> ItemAnswer {
    var item = ItemAnswer(status: 0)
    try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
      switch String(decoding: name, as: UTF8.self) {
      case "status": item.status = try reader.integer()
      case "_index": item.index = try reader.string()
      case "error": (item.errorType, item.reason) = try error(&reader)
      default: try reader.skip()
      }
    }
    guard (100..<1000).contains(item.status) else { throw JSONFault(place: 0) }
    return item
  }

  /// An object with type and reason; old servers, and what imitates them, give a text.
  static func error(_ reader: inout JSONReader) throws(JSONFault) -> (type: String, reason: String)
  {
    var type = ""
    var reason = ""
    switch try reader.kind() {
    case .string: reason = text(try reader.string())
    case .object:
      try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
        let isText = try reader.kind() == .string
        if isText, name.elementsEqual("type".utf8) {
          type = text(try reader.string())
        } else if isText, name.elementsEqual("reason".utf8) {
          reason = text(try reader.string())
        } else {
          try reader.skip()
        }
      }
    default: try reader.skip()
    }
    return (type, reason)
  }

  /// As much of it as a message needs.
  private static func text(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.prefix(500), as: UTF8.self)
  }
}

extension BulkAnswer {
  /// The error of an answer to anything, in words; empty where there is none.
  static func reason(of bytes: [UInt8]) -> String {
    let error = error(of: bytes)
    return [error?.type, error?.reason].compactMap { $0?.isEmpty == false ? $0 : nil }
      .joined(separator: ": ")
  }

  /// The error of an answer to anything: `{"error":{"type":…,"reason":…},"status":…}`; `nil` where
  /// there is none.
  public static func error(of bytes: [UInt8]) -> (type: String, reason: String)? {
    var found: (type: String, reason: String)?
    var reader = JSONReader(bytes)
    do throws(JSONFault) {
      try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
        if name.elementsEqual("error".utf8) {
          found = try Self.error(&reader)
        } else {
          try reader.skip()
        }
      }
    } catch { return nil }
    return found
  }
}
