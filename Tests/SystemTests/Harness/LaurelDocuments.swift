import Foundation

/// Laurel's documents beside ours.
enum LaurelDocuments {
  /// Writes settings for both: Laurel writes `laurel.json`.
  static func configure(_ scratch: Scratch) throws {
    try scratch.write(
      """
      directory = "\(scratch.path)"
      [auditlog]
      file = "laurel.json"
      size = 500000000
      [translate]
      universal = true
      user-db = true
      [transform]
      execve-argv = [ "array", "string" ]
      [enrich]
      execve-env = [ "TOLD" ]
      parent-info = true
      [label-process]
      label-exe.'/sleep$' = 'sleeper'
      label-script.'[.]sh$' = 'script'
      label-keys = [ "\(KernelAudit.key)" ]

      """, to: "config.toml")
  }

  /// The documents of a file by their ids; what has an id twice is in parts, and left out.
  static func all(_ file: String, _ scratch: Scratch) -> [String: [String: Any]] {
    var found: [String: [String: Any]] = [:]
    var twice: Set<String> = []
    for line in scratch.lines(file) {
      let parsed = try? JSONSerialization.jsonObject(with: Data(line.utf8))
      guard let parsed = parsed as? [String: Any], let id = parsed["ID"] as? String else {
        continue
      }
      if found.updateValue(parsed, forKey: id) != nil { twice.insert(id) }
    }
    return found.filter { !twice.contains($0.key) }
  }

  /// Where the second lacks what the first has, or has something else.
  static func differences(_ one: Any, _ other: Any?, _ path: String) -> [String] {
    if let one = one as? [String: Any], let other = other as? [String: Any] {
      return one.keys.sorted().flatMap { differences(one[$0]!, other[$0], path + "." + $0) }
    }
    // Labels have no order.
    if path.hasSuffix(".LABELS"), let one = one as? [String], let other = other as? [String] {
      return one.sorted() == other.sorted() ? [] : ["\(path): \(one), not \(other)"]
    }
    if let one = one as? [Any], let other = other as? [Any], one.count == other.count {
      return zip(one, other).enumerated().flatMap {
        differences($0.element.0, $0.element.1, path + ".\($0.offset)")
      }
    }
    // Beside the name that the line brings Laurel writes its own for -1, and a name twice.
    if one as? String == "unknown(-1)", other as? String == "unset" { return [] }
    let isSame = (one as? NSObject)?.isEqual(other) ?? false
    return isSame ? [] : ["\(path): \(one), not \(other ?? "nothing")"]
  }
}
