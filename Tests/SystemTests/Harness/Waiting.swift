import Foundation

/// What a test waited for in vain.
struct Timeout: Error, CustomStringConvertible {
  let description: String
}

/// Looks at a condition again and again until it holds. Never blocks a thread between looks, and
/// leaves most of the processor to what is waited for.
func eventually(
  _ what: String, within limit: Duration = .seconds(60),
  detail: () -> String = { "" }, _ condition: () async throws -> Bool
) async throws {
  let clock = ContinuousClock()
  let end = clock.now + limit
  while true {
    let begin = clock.now
    if try await condition() { return }
    if clock.now >= end {
      throw Timeout(description: "not within \(limit): \(what) \(detail())")
    }
    try await Task.sleep(for: max(.milliseconds(5), (clock.now - begin) * 4))
  }
}

/// Where two lists of lines part; nil when they are the same.
func difference(_ lines: [String], _ expected: [String]) -> String? {
  if lines == expected { return nil }
  let place = zip(lines, expected).prefix { $0 == $1 }.count
  func line(_ lines: [String]) -> String {
    lines.indices.contains(place) ? String(lines[place].prefix(80)) : "nothing"
  }
  return "line \(place) is \(line(lines)), not \(line(expected)); "
    + "\(lines.count) lines, not \(expected.count)"
}
