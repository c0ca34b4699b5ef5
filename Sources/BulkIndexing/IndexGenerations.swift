/// The indices behind the name that documents are sent to, oldest first.
///
/// An id is unique in one of them only. The last one is written to, and says by itself when it has
/// an id; in those before it an id has to be looked for.
public struct IndexGenerations: Equatable, Sendable {
  /// As JSON has them, without quotes; the last one is written to.
  public var names: [[UInt8]]

  public init(names: [[UInt8]]) { self.names = names }

  /// How many are looked at where nobody knows since when a document may be there.
  private static let usually = 8
  private static let most = 64

  public var written: [UInt8] { names.last ?? [] }

  /// Where documents may be, beside the index that is written to.
  ///
  /// - Parameter since: the indices that they may have been sent to first; an empty one: any.
  public func older(since: [[UInt8]]) -> [[UInt8]] {
    let older = names.dropLast()
    var first = older.endIndex
    for index in since where index != written {
      if index.isEmpty {
        first = min(first, older.endIndex - Self.usually)
      } else {
        first = min(first, older.firstIndex(of: index) ?? older.startIndex)
      }
    }
    return Array(older[max(first, older.endIndex - Self.most, older.startIndex)...])
  }

  /// From the answer to `GET /_data_stream/NAME`.
  public init(dataStream bytes: [UInt8]) throws(JSONFault) {
    var names: [[UInt8]] = []
    var reader = JSONReader(bytes)
    try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
      guard name.elementsEqual("data_streams".utf8) else { return try reader.skip() }
      try reader.array { (reader: inout JSONReader) throws(JSONFault) in
        try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
          guard name.elementsEqual("indices".utf8) else { return try reader.skip() }
          try reader.array { (reader: inout JSONReader) throws(JSONFault) in
            names.append(try Self.member("index_name", &reader))
          }
        }
      }
    }
    try reader.end()
    guard !names.isEmpty else { throw JSONFault(place: bytes.count) }
    self.names = names
  }

  /// From the answer to `GET /_alias/NAME`; empty where there is no such alias.
  public init(alias bytes: [UInt8]) throws(JSONFault) {
    var found: [(name: [UInt8], isWritten: Bool)] = []
    var reader = JSONReader(bytes)
    try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
      var isWritten = false
      try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
        guard name.elementsEqual("aliases".utf8) else { return try reader.skip() }
        try reader.object { (reader: inout JSONReader, _) throws(JSONFault) in
          try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
            guard name.elementsEqual("is_write_index".utf8) else { return try reader.skip() }
            isWritten = try reader.boolean()
          }
        }
      }
      found.append((name, isWritten))
    }
    try reader.end()
    found.sort { $0.name.lexicographicallyPrecedes($1.name) }
    if let place = found.firstIndex(where: \.isWritten) { found.append(found.remove(at: place)) }
    names = found.map(\.name)
  }

  /// One text of an object; empty where it is not.
  private static func member(
    _ wanted: String, _ reader: inout JSONReader
  ) throws(JSONFault) -> [UInt8] {
    var value: [UInt8] = []
    try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
      if name.elementsEqual(wanted.utf8) {
        value = try reader.string()
      } else {
        try reader.skip()
      }
    }
    return value
  }
}

/// The answer to `_mget`: which documents are there, in the order of the request.
public struct LookUpAnswer: Equatable, Sendable {
  /// `nil` for one whose index could not be asked.
  public var found: [Bool?] = []

  public init(_ bytes: [UInt8]) throws(JSONFault) {
    var found: [Bool?]?
    var reader = JSONReader(bytes)
    try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
      guard name.elementsEqual("docs".utf8) else { return try reader.skip() }
      var all: [Bool?] = []
      try reader.array { (reader: inout JSONReader) throws(JSONFault) in
        var isFound: Bool?
        try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
          switch String(decoding: name, as: UTF8.self) {
          case "found": isFound = try reader.boolean()
          // In an index that is gone there is nothing.
          case "error":
            if try BulkAnswer.error(&reader).type == "index_not_found_exception" { isFound = false }
          default: try reader.skip()
          }
        }
        all.append(isFound)
      }
      found = all
    }
    try reader.end()
    guard let found else { throw JSONFault(place: bytes.count) }
    self.found = found
  }
}
