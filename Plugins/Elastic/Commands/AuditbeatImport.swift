import AuditbeatConfiguration
import Configuration
import Glibc
import Linux
import Shipping

/// `import`: makes elastic.conf and a file of audit rules of an auditbeat.yml, and says what of it has
/// no equal here. Nothing is written where anything is wrong.
struct AuditbeatImport {
  private static let names = (settings: "elastic.conf", rules: "auditbeat.rules")

  private let file: String
  private let folder: String?

  init(_ file: String, into folder: String?) {
    self.file = file
    self.folder = folder
  }

  func run() throws {
    let bytes = try Transfer.contents(of: file, limit: ConfigurationText.fileLimit + 1)
    var (found, diagnostics) = AuditbeatConfiguration.read(
      bytes, file: file, folder: Files.folder(of: (try? Files.resolved(file)) ?? file))
    let settings = Self.taken(found.settings, &diagnostics)
    let files = Self.ruleFiles(found.rules.files, &diagnostics)
    diagnostics.sortByPosition()
    for diagnostic in diagnostics { try say("\(diagnostic)") }
    guard !diagnostics.contains(where: { $0.severity == .error }) else {
      throw CommandFailure(description: "nothing is written")
    }
    try write(
      ImportedText.settings(settings, from: file),
      ImportedText.rules(found.rules, files, from: file))
    let rules = (found.rules.lines + files.flatMap(\.lines)).count {
      !$0.isEmpty && !$0.hasPrefix("#")
    }
    let without = diagnostics.count { $0.severity == .warning }
    try say(
      "\(settings.count) settings, \(rules) rules; \(without) of the lines above are warnings")
    try say(
      "auditbeat has the audit socket: 'systemctl disable --now auditbeat' before the rules are in "
        + "/etc/audit/rules.d, 'augenrules --load' has loaded them, and the dispatcher starts")
  }

  private func say(_ text: String) throws(Errno) {
    try Transfer.writeAll(2, Array("\(text)\n".utf8))
  }

  /// The settings that the plugin takes; what is wrong with others is a warning, as they are left out.
  private static func taken(
    _ settings: [Setting], _ diagnostics: inout [Diagnostic]
  ) -> [Setting] {
    var options = ElasticOptions()
    let table = KeywordTable(ElasticOptions.keywords)
    var taken: [Setting] = []
    var found: [Diagnostic] = []
    for setting in settings {
      do throws(Diagnostic) {
        if let doubt = try table.apply(setting, to: &options) { found.append(doubt) }
        taken.append(setting)
      } catch {
        var left = error
        left.message = "\(setting.keyword.text) is left out: \(error.message)"
        found.append(left)
      }
    }
    found += options.conflicts(without: [])
    for var diagnostic in found {
      diagnostic.severity = .warning
      diagnostics.append(diagnostic)
    }
    return taken
  }

  // MARK: Rule files

  private static let mostFiles = 100

  private static func ruleFiles(
    _ patterns: [Word], _ diagnostics: inout [Diagnostic]
  ) -> [(path: String, lines: [String])] {
    var files: [(path: String, lines: [String])] = []
    for pattern in patterns {
      let paths = paths(pattern.text)
      if paths.isEmpty { diagnostics.append(pattern.warning("there is no such file")) }
      for path in paths {
        guard files.count < mostFiles else {
          diagnostics.append(pattern.error("more than \(mostFiles) files of rules"))
          return files
        }
        do throws(Diagnostic) {
          files.append((path, try lines(of: path, pattern, &diagnostics)))
        } catch { diagnostics.append(error) }
      }
    }
    return files
  }

  private static func lines(
    of path: String, _ pattern: Word, _ diagnostics: inout [Diagnostic]
  ) throws(Diagnostic) -> [String] {
    let limit = ConfigurationText.fileLimit
    let found: (status: FileStatus, bytes: [UInt8]?)
    do throws(Errno) {
      found = try Files.contents(of: path, limit: limit + 1)
    } catch { throw pattern.error("cannot read \(path): \(error)") }
    guard let bytes = found.bytes else {
      throw pattern.error("\(path) is a \(found.status.kind.rawValue), not a file")
    }
    guard bytes.count <= limit else {
      throw pattern.error("\(path) is longer than \(limit >> 10) KiB")
    }
    let (lines, refused) = ImportedRules.lines(String(decoding: bytes, as: UTF8.self))
    if refused > 0 {
      let count = "\(refused) line\(refused == 1 ? "" : "s")"
      diagnostics.append(
        pattern.warning("\(count) of \(path) cannot be taken as rules, and are comments"))
    }
    return lines
  }

  /// The files that a pattern of glob(7) names, in their order.
  private static func paths(_ pattern: String) -> [String] {
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    guard unsafe glob(pattern, 0, nil, &found) == 0, let names = unsafe found.gl_pathv else {
      return []
    }
    let count = Int(unsafe found.gl_pathc)
    return (0..<count).compactMap { place in
      unsafe names[place].map { unsafe String(cString: $0) }
    }
  }

  // MARK: Writing

  private func write(_ settings: String, _ rules: String) throws {
    guard let folder else { return try Spoken.write(settings + "\n" + rules) }
    let texts = [
      ("\(folder)/\(Self.names.settings)", settings), ("\(folder)/\(Self.names.rules)", rules),
    ]
    for (path, _) in texts where (try? Files.status(of: path, followingLinks: false)) != nil {
      throw CommandFailure(description: "\(path) is there already; nothing is written")
    }
    var made: [String] = []
    do {
      for (path, text) in texts {
        let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        made.append(path)
        try Transfer.writeAll(file.number, Array(text.utf8))
        try Spoken.line(path)
      }
    } catch {
      // It would be half of what was asked for, and in the way of another attempt.
      for path in made { try? Files.remove(path) }
      throw error
    }
  }
}
