import Configuration

/// A configuration of ours that says what an AIDE configuration says, and what it could not say.
///
/// AIDE searches its rules from the deepest folder that they name, takes the first one there, and a
/// negative one stands over all. Here the last one decides: so they are written from the shallowest
/// to the deepest, those of one depth backwards, and what is ignored at the end.
struct AideImport {
  private struct Rule {
    var keyword: String
    var path: AideExpression.Path
    var attributes: String?
    var line: AideLine
  }

  private var attributes = AideAttributes()
  private var rules: [Rule] = []
  private var ignored: [Rule] = []
  private var settings: [(text: String, line: AideLine)] = []
  private var own: [Diagnostic] = []
  private var source: AideSource

  init(file path: String) throws {
    source = try AideSource(file: path)
    for line in source.lines { take(line) }
  }

  /// What has no equal, in the order of files and lines.
  var diagnostics: [Diagnostic] {
    var all = source.diagnostics + attributes.diagnostics + own
    all.sort { a, b in
      (a.file, a.position?.line ?? 0, a.position?.column ?? 0)
        < (b.file, b.position?.line ?? 0, b.position?.column ?? 0)
    }
    return all
  }

  /// The configuration.
  var text: String {
    var text = """
      # Made from an AIDE configuration by audispatch-integrity import.
      # In AIDE '/etc' names whatever begins so, as '/etcetera'; here it is that path and all below.

      """
    var last = ""
    func add(_ line: String, _ origin: AideLine) {
      let place = "# \(origin.file):\(origin.number)\n"
      if place != last { text += place }
      last = place
      text += line + "\n"
    }
    for (line, origin) in settings { add(line, origin) }
    for (name, list, origin) in attributes.definitions {
      add("attributes = \(name) \(list)", origin)
    }
    let sorted = rules.enumerated().sorted { a, b in
      (a.element.path.depth, -a.offset) < (b.element.path.depth, -b.offset)
    }
    for rule in sorted.map(\.element) + ignored {
      let path = Self.quoted(rule.path.text)
      add("\(rule.keyword) = \(path)\(rule.attributes.map { " \($0)" } ?? "")", rule.line)
    }
    return text
  }

  private static func quoted(_ path: String) -> String {
    guard path.utf8.contains(0x20) || path.utf8.contains(0x09) else { return path }
    return path.utf8.contains(0x22) ? "'\(path)'" : "\"\(path)\""
  }

  // MARK: Lines

  private mutating func take(_ line: AideLine) {
    let first = line.words[0].text
    if first.hasPrefix("/") {
      watch(line, first, isEqual: false)
    } else if first.hasPrefix("=/") {
      watch(line, String(first.dropFirst()), isEqual: true)
    } else if first.hasPrefix("!/") {
      ignore(line, String(first.dropFirst()))
    } else if first.hasPrefix("-/") {
      own.append(line.problem("no equal: what is below would be ignored too"))
    } else {
      define(line)
    }
  }

  /// `name = value`, with or without blanks.
  private mutating func define(_ line: AideLine) {
    var (name, words) = (line.words[0].text, Array(line.words.dropFirst()))
    var place = 1
    if let sign = name.firstIndex(of: "=") {
      var value = line.words[0]
      value.text = String(name[name.index(after: sign)...])
      name = String(name[..<sign])
      if !value.text.isEmpty {
        words.insert(value, at: 0)
        place = 0
      }
    } else if let sign = words.first, sign.text.hasPrefix("=") {
      words.removeFirst()
      place = 2
      if sign.text.count > 1 {
        place = 1
        var value = sign
        value.text = String(sign.text.dropFirst())
        words.insert(value, at: 0)
      }
    } else {
      own.append(line.problem("no equal: neither a rule nor a definition"))
      return
    }
    guard !words.isEmpty else {
      own.append(line.problem("it has no value"))
      return
    }
    if name.first?.isLowercase == true, name.contains("_") || Self.options.contains(name) {
      option(name, words[0].text, line)
    } else {
      attributes.define(name, words, line, at: place)
    }
  }

  private static let options: Set<String> = ["verbose", "database", "config", "root"]

  private mutating func option(_ name: String, _ value: String, _ line: AideLine) {
    switch (name, value) {
    case ("num_workers", _) where Int(value).map { (0...256).contains($0) } == true:
      settings.append(("workers = \(value)", line))
    case ("report_format", "json"), ("report_format", "plain"):
      settings.append(("format = \(value == "json" ? "json" : "text")", line))
    case ("database", _), ("database_in", _), ("database_out", _), ("database_new", _):
      own.append(
        line.problem("no equal: AIDE's database is not read", at: 0, "a new one is made by 'init'"))
    case ("report_url", _):
      own.append(line.problem("no equal", at: 0, "see 'events' and 'format'"))
    default: own.append(line.problem("no equal of the option '\(name)'"))
    }
  }

  // MARK: Rules

  private mutating func watch(_ line: AideLine, _ expression: String, isEqual: Bool) {
    var words = Array(line.words.dropFirst())
    var place = 1
    if words.count > 1, let types = words.first, Self.isTypes(types.text) {
      if types.text != "0" {
        own.append(
          line.problem("no equal of the restriction to types: all of them are watched", at: 1))
      }
      words.removeFirst()
      place = 2
    }
    guard !words.isEmpty else {
      own.append(line.problem("it has no attributes"))
      return
    }
    let list = attributes.list(words.map(\.text).joined(), line, at: place)
    for path in paths(expression, line, offset: isEqual ? 1 : 0) {
      // Below a slash at its end is everything below the folder.
      let keyword = isEqual || path.isExact ? "watch_entry" : "watch"
      rules.append(Rule(keyword: keyword, path: path, attributes: list, line: line))
    }
  }

  private mutating func ignore(_ line: AideLine, _ expression: String) {
    if line.words.count > 1, line.words[1].text != "0" {
      own.append(
        line.problem(
          "no equal of the restriction to types: it is not ignored, since more would be", at: 1))
      return
    }
    for path in paths(expression, line, offset: 1) {
      ignored.append(Rule(keyword: "ignore", path: path, attributes: nil, line: line))
    }
  }

  private static func isTypes(_ text: String) -> Bool {
    text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy {
      $0.count == 1 && "fdlcbpsDP0".contains($0)
    }
  }

  /// None where there is no equal, which is said then.
  private mutating func paths(
    _ expression: String, _ line: AideLine, offset: Int
  ) -> [AideExpression.Path] {
    do throws(AideExpression.Obstacle) {
      return try AideExpression.paths(expression)
    } catch {
      var problem = line.problem("no equal: \(error.reason)")
      // Where variables were replaced there is no such place in the line.
      if line.words[0].raw == line.words[0].text {
        problem.position?.column += error.offset + offset
      }
      own.append(problem)
      return []
    }
  }
}
