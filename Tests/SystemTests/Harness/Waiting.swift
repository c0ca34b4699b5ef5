import Foundation

/// What a test waited for in vain.
struct Timeout: Error, CustomStringConvertible {
  let description: String
}

/// Looks at a condition every 5 ms until it holds. Never blocks a thread between looks.
func eventually(
  _ what: String, within limit: Duration = .seconds(10),
  detail: () -> String = { "" }, _ condition: () async throws -> Bool
) async throws {
  let clock = ContinuousClock()
  let end = clock.now + limit
  while true {
    if try await condition() { return }
    if clock.now >= end {
      throw Timeout(description: "not within \(limit): \(what) \(detail())")
    }
    try await Task.sleep(for: .milliseconds(5))
  }
}
