import Foundation

/// The files of a folder like go-libaudit's test data.
struct Goldens {
  let folder: String

  /// The cases of `aucoalesce/NAME.yaml`, each with what is expected of it.
  func coalesced() throws -> [(name: String, lines: [String], expected: NSDictionary)] {
    var cases: [(name: String, lines: [String], expected: NSDictionary)] = []
    for file in try names("aucoalesce", ".json.golden") {
      let lines = try Self.events(text("aucoalesce/\(file).yaml"))
      for one in try list("aucoalesce/\(file).json.golden") {
        guard let expected = one as? NSDictionary, let name = expected["test_name"] as? String,
          let found = lines[name]
        else { throw Failure(text: "\(file): a case has no lines") }
        cases.append(("aucoalesce/\(file)/\(name)", found, expected))
      }
    }
    return cases
  }

  /// The lines of `auparse/NAME.log`, each with what is expected of it (`NSNull` for no record).
  func parsed() throws -> [(name: String, line: String, expected: NSObject)] {
    var cases: [(name: String, line: String, expected: NSObject)] = []
    for file in try names("auparse", ".log.golden") {
      let lines = try text("auparse/\(file).log").split(separator: "\n")
      let expected = try list("auparse/\(file).log.golden")
      guard lines.count >= expected.count else { throw Failure(text: "\(file): lines are missing") }
      for (number, pair) in zip(lines, expected).enumerated() {
        guard let value = pair.1 as? NSObject else { continue }
        cases.append(("auparse/\(file):\(number + 1)", String(pair.0), value))
      }
    }
    return cases
  }

  struct Failure: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
  }

  private func names(_ part: String, _ ending: String) throws -> [String] {
    let path = folder + "/" + part
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: path)
      .filter { $0.hasSuffix(ending) }.map { String($0.dropLast(ending.count)) }.sorted()
  }

  private func text(_ path: String) throws -> String {
    try String(contentsOfFile: folder + "/" + path, encoding: .utf8)
  }

  private func list(_ path: String) throws -> [Any] {
    let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + path))
    return try JSONSerialization.jsonObject(with: data) as? [Any] ?? []
  }

  /// `tests:` of a YAML file: names, each with a block of lines behind `|`.
  private static func events(_ text: String) throws -> [String: [String]] {
    var events: [String: [String]] = [:]
    var name: String?
    for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
      let content = line.drop { $0 == " " }
      let depth = line.count - content.count
      if content.isEmpty || depth < 4 && content.hasPrefix("#") { continue }
      if depth >= 4, let name {
        events[name, default: []].append(String(content))
      } else if depth > 0, let colon = content.range(of: ": |", options: .backwards) {
        name = content[..<colon.lowerBound].trimmingCharacters(
          in: CharacterSet(charactersIn: "\"'"))
      } else if depth > 0 {
        throw Failure(text: "not a case: \(line)")
      }
    }
    return events
  }
}
