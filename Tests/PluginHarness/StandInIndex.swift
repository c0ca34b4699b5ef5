/// A process that stands in for Elasticsearch or OpenSearch, and fails as it is told to; see
/// `Programs/elasticsearch.py`.
public final class StandInIndex {
  private let server: StandIn

  /// - Parameter arguments: `--seed N`, or files for TLS.
  public init(_ arguments: [String] = []) throws {
    server = try StandIn("elasticsearch.py", arguments)
  }

  public var port: Int { server.port }
  public var url: String { server.url }

  /// Makes it answer to a command; what it has when the command is done.
  @discardableResult
  public func ask(_ command: [String: Any]) throws -> [String: Any] { try server.ask(command) }

  /// Changes how it fails.
  public func set(_ faults: [String: Any]) throws { try server.set(faults) }

  /// How many documents it has.
  public func count(_ what: String = "documents") throws -> Int { try ask([:])[what] as? Int ?? -1 }

  /// How many requests of a kind came.
  public func requests(_ kind: String) throws -> Int {
    (try ask([:])["requests"] as? [String: Int])?[kind] ?? 0
  }

  /// The ids of all documents, sorted; one that is there twice is named twice.
  public func ids() throws -> [String] { try ask(["ids": true])["ids"] as? [String] ?? [] }

  public func documents() throws -> [[String: Any]] {
    try ask(["documents": true])["documents"] as? [[String: Any]] ?? []
  }
}
