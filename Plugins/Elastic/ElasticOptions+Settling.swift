import AudispatchPlugin
import BulkIndexing
import Configuration
import EventDocument
import HTTPShipping
import Shipping

extension ElasticOptions {
  mutating func settle() -> [Diagnostic] {
    if case .importing = command { return [] }
    patience.settle()
    var found = conflicts(without: [])
    if servers.isEmpty {
      found.append(
        problem("server", "no server is named", suggestion: "set server = https://HOST:9200"))
    }
    found += access.problems(servers, places) + refused.problems(places)
    if !found.contains(where: { $0.severity == .error }) {
      found += access.takeCredentials(places)
    }
    return found
  }

  func conflicts(without wrong: Set<String>) -> [Diagnostic] {
    var found: [Diagnostic] = []
    if places["data_stream"] != nil, places["index"] != nil {
      found.append(problem("index", "documents go to one place, and data_stream is given too"))
    }
    if refusedIndex == name {
      found.append(problem("refused_index", "what is refused goes to another place"))
    }
    if target == .dataStream, operation == .index {
      found.append(
        problem(
          "operation", "a data stream takes only new documents",
          suggestion: "set operation = create, or name an index"))
    }
    if target == .dataStream, form == .laurel || form == .libaudit {
      found.append(
        problem(
          "form", "documents of a data stream need @timestamp, which only ecs and auditbeat6 have",
          suggestion: "set form = ecs, or name an index"))
    }
    return found + access.conflicts(places)
  }

  private func problem(
    _ keyword: String, _ message: String, _ severity: Diagnostic.Severity = .error,
    suggestion: String? = nil
  ) -> Diagnostic {
    places.problem(keyword, message, severity: severity, suggestion: suggestion)
  }
}
