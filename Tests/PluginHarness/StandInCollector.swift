/// A process that stands in for an OpenTelemetry collector, and fails as it is told to; see
/// `Programs/collector.py`.
public final class StandInCollector {
  private let server: StandIn

  /// - Parameter arguments: files for TLS.
  public init(_ arguments: [String] = []) throws {
    server = try StandIn("collector.py", arguments)
  }

  public var url: String { server.url }

  /// Changes how it fails.
  public func set(_ faults: [String: Any]) throws { try server.set(faults) }

  /// What it has, and how it was asked.
  public func report() throws -> [String: Any] { try server.ask([:]) }

  /// How many requests came.
  public func requests() throws -> Int { try report()["requests"] as? Int ?? -1 }

  /// The ids of all records, in the order in which they came; one that came twice is named twice.
  public func ids() throws -> [String] {
    try records().map { record in
      (record["attributes"] as? [String: Any])?["event.id"] as? String ?? "?"
    }
  }

  /// Each record with its resource, as plain values.
  public func records() throws -> [[String: Any]] {
    try server.ask(["records": true])["records"] as? [[String: Any]] ?? []
  }
}
