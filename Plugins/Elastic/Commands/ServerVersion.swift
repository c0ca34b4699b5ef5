import BulkIndexing
import Shipping

/// What a server is, from its answer to `GET /`.
struct ServerVersion: Equatable {
  enum Kind: String { case elasticsearch = "Elasticsearch", openSearch = "OpenSearch" }

  let kind: Kind
  let major: Int
  let minor: Int

  init(_ body: [UInt8]) throws(CommandFailure) {
    var number: [UInt8] = []
    var distribution: [UInt8] = []
    var reader = JSONReader(body)
    do throws(JSONFault) {
      try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
        guard name.elementsEqual("version".utf8) else { return try reader.skip() }
        try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
          switch String(decoding: name, as: UTF8.self) {
          case "number": number = try reader.string()
          case "distribution": distribution = try reader.string()
          default: try reader.skip()
          }
        }
      }
    } catch { throw CommandFailure(description: "the server does not say its version") }
    let parts = String(decoding: number, as: UTF8.self).split(separator: ".").map { Int($0) }
    guard parts.count >= 2, let major = parts[0], let minor = parts[1] else {
      throw CommandFailure(description: "the server does not say its version")
    }
    kind = distribution.elementsEqual("opensearch".utf8) ? .openSearch : .elasticsearch
    self.major = major
    self.minor = minor
  }

  var description: String { "\(kind.rawValue) \(major).\(minor)" }

  /// Whether it has templates for data streams.
  var hasDataStreams: Bool {
    kind == .openSearch || major > 7 || major == 7 && minor >= 9
  }

  /// The type of a field whose own members are no fields of the mapping; `nil` where there is none.
  var flatType: String? {
    switch kind {
    case .elasticsearch: major > 7 || major == 7 && minor >= 3 ? "flattened" : nil
    case .openSearch: major > 2 || major == 2 && minor >= 7 ? "flat_object" : nil
    }
  }
}
