import Configuration
import Glibc
import Linux

/// A word of an AIDE configuration and where it stands; `raw` is as it is written.
struct AideWord: Equatable {
  var raw: String
  var text: String
  var column: Int
}

/// A line that says something, after its macros.
struct AideLine: Equatable {
  var file: String
  var number: Int
  var words: [AideWord]

  func problem(_ message: String, at word: Int = 0, _ suggestion: String? = nil) -> Diagnostic {
    let place = words.indices.contains(word) ? words[word] : nil
    return Diagnostic(
      .warning, file: file, at: .init(line: number, column: place?.column ?? 1), word: place?.raw,
      message, suggestion: suggestion)
  }
}

/// Reads an AIDE configuration (aide.conf(5) of 0.18) with what it includes, and follows its macros.
/// Nothing is executed: what `@@x_include` would run is named, and not included.
struct AideSource {
  private(set) var lines: [AideLine] = []
  private(set) var diagnostics: [Diagnostic] = []
  private var variables: [String: String] = [:]
  /// For each `@@if` that is open: whether it holds, and whether what it is in does.
  private var conditions: [(holds: Bool, outer: Bool, line: AideLine)] = []

  private static let deepest = 16
  private static let largest = 4 << 20

  init(file path: String) throws {
    let host = try? NodeName.resolve(.hostname, name: nil)
    variables["HOSTNAME"] = host?.split(separator: ".").first.map(String.init)
    guard let bytes = try Files.contents(of: path, limit: Self.largest).bytes else {
      throw SystemError("read", path, Errno(EINVAL))
    }
    read(bytes, path, 0)
  }

  private var isOn: Bool { conditions.last.map { $0.holds && $0.outer } ?? true }

  private mutating func read(_ bytes: [UInt8], _ file: String, _ depth: Int) {
    let outside = conditions.count
    let all = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
    for (index, line) in all.enumerated() {
      var words = Self.words(Array(line))
      guard let first = words.first, !first.raw.hasPrefix("#") else { continue }
      for index in words.indices { words[index].text = expanded(words[index].raw) }
      let line = AideLine(file: file, number: index + 1, words: words)
      if first.raw.hasPrefix("@@"), !first.raw.hasPrefix("@@{") {
        macro(line, depth)
      } else if isOn {
        lines.append(line)
      }
    }
    while conditions.count > outside {
      let open = conditions.removeLast()
      diagnostics.append(open.line.problem("has no @@endif"))
    }
  }

  /// Words between blanks; `\ ` is no blank.
  static func words(_ line: [UInt8]) -> [AideWord] {
    var words: [AideWord] = []
    var at = 0
    while at < line.count {
      if [0x20, 0x09, 0x0d].contains(line[at]) {
        at += 1
        continue
      }
      let start = at
      while at < line.count, ![0x20, 0x09, 0x0d].contains(line[at]) {
        at += line[at] == 0x5c && at + 1 < line.count ? 2 : 1
      }
      let raw = String(decoding: line[start..<at], as: UTF8.self)
      words.append(AideWord(raw: raw, text: raw, column: start + 1))
    }
    return words
  }

  /// With variables replaced, those that are not defined by nothing, and without AIDE's own escapes.
  private func expanded(_ raw: String) -> String {
    var bytes = Array(raw.utf8)
    // A value may name another variable.
    for _ in 0..<Self.deepest {
      guard let start = Self.place(of: "@@{", in: bytes),
        let end = bytes[start...].firstIndex(of: UInt8(ascii: "}"))
      else { break }
      let name = String(decoding: bytes[(start + 3)..<end], as: UTF8.self)
      bytes.replaceSubrange(start...end, with: (variables[name] ?? "").utf8)
    }
    var text: [UInt8] = []
    var at = 0
    while at < bytes.count {
      if bytes[at] == 0x5c, at + 1 < bytes.count, [0x20, 0x40, 0x5c].contains(bytes[at + 1]) {
        at += 1
      }
      text.append(bytes[at])
      at += 1
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func place(of text: String, in bytes: [UInt8]) -> Int? {
    bytes.indices.first { bytes[$0...].starts(with: text.utf8) }
  }

  // MARK: Macros

  private mutating func macro(_ line: AideLine, _ depth: Int) {
    let arguments = line.words.dropFirst().map(\.text)
    switch line.words[0].raw {
    case "@@if": open(condition(arguments[...], line), line)
    case "@@ifdef": open(condition(["defined"] + arguments, line), line)
    case "@@ifndef": open(condition(["not", "defined"] + arguments, line), line)
    case "@@ifhost": open(condition(["hostname"] + arguments, line), line)
    case "@@ifnhost": open(condition(["not", "hostname"] + arguments, line), line)
    case "@@else":
      guard !conditions.isEmpty else { return diagnostics.append(line.problem("has no @@if")) }
      conditions[conditions.count - 1].holds.toggle()
    case "@@endif":
      if conditions.popLast() == nil { diagnostics.append(line.problem("has no @@if")) }
    default:
      if isOn { act(line, arguments, depth) }
    }
  }

  private mutating func open(_ holds: Bool, _ line: AideLine) {
    conditions.append((holds, isOn, line))
  }

  private mutating func condition(_ words: ArraySlice<String>, _ line: AideLine) -> Bool {
    guard let first = words.first, let last = words.last, words.count > 1 else {
      diagnostics.append(line.problem("no condition"))
      return false
    }
    switch first {
    case "not": return !condition(words.dropFirst(), line)
    case "defined": return variables[last] != nil
    case "hostname": return variables["HOSTNAME"] == last
    case "exists": return (try? Files.status(of: last)) != nil
    default:
      diagnostics.append(line.problem("no equal: the condition is taken as false", at: 1))
      return false
    }
  }

  private mutating func act(_ line: AideLine, _ arguments: [String], _ depth: Int) {
    switch line.words[0].raw {
    case "@@define" where !arguments.isEmpty:
      // The value keeps its escapes until it is used.
      variables[arguments[0]] = line.words.dropFirst(2).map(\.raw).joined(separator: " ")
    case "@@undef" where !arguments.isEmpty: variables[arguments[0]] = nil
    case "@@include" where !arguments.isEmpty: include(line, arguments, depth, runs: false)
    case "@@x_include" where !arguments.isEmpty: include(line, arguments, depth, runs: true)
    case "@@x_include_setenv": break
    default: diagnostics.append(line.problem("no equal: unknown macro"))
    }
  }

  private mutating func include(
    _ line: AideLine, _ arguments: [String], _ depth: Int, runs: Bool
  ) {
    guard depth < Self.deepest else {
      return diagnostics.append(line.problem("included too deep", at: 1))
    }
    guard arguments.count > 1 else { return include(arguments[0], line, depth, runs: runs) }
    guard let names = try? Files.names(in: arguments[0]) else {
      return diagnostics.append(line.problem("cannot be read", at: 1))
    }
    guard let pattern = NamePattern(arguments[1]) else {
      return diagnostics.append(line.problem("no regular expression", at: 2))
    }
    for name in names.sorted() where pattern.matches(name) {
      include("\(arguments[0])/\(name)", line, depth, runs: runs)
    }
  }

  private mutating func include(_ path: String, _ line: AideLine, _ depth: Int, runs: Bool) {
    guard let (status, bytes) = try? Files.contents(of: path, limit: Self.largest), let bytes else {
      return diagnostics.append(line.problem("\(path) cannot be read", at: 1))
    }
    if runs, status.mode & 0o111 != 0 {
      return diagnostics.append(
        line.problem(
          "\(path) is a program, and is not run", at: 1, "write what it prints into a file"))
    }
    read(bytes, path, depth + 1)
  }
}

/// A POSIX regular expression over a name.
@safe private final class NamePattern {
  private var compiled = unsafe regex_t()

  init?(_ text: String) {
    guard unsafe regcomp(&compiled, text, REG_EXTENDED | REG_NOSUB) == 0 else { return nil }
  }

  deinit { unsafe regfree(&compiled) }

  func matches(_ name: String) -> Bool { unsafe regexec(&compiled, name, 0, nil, 0) == 0 }
}
