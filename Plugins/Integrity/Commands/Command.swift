import AudispatchPlugin
import Configuration
import Linux

/// What a person can ask for.
///
/// Exit status: 0 done, and nothing differs; 1 something differs, or could not be done; 2 for
/// arguments and a configuration that cannot be followed; 3 nothing differs, but not everything
/// could be looked at; 130 interrupted.
enum Command: String, CaseIterable {
  case initialize = "init"
  case check, report, update, accept, list, show, verify, key, export, explain, rules, load, unload
  case importAide = "import"
  case beginMaintenance = "begin"
  case endMaintenance = "end"

  enum Status {
    static let same: Int32 = 0
    static let different: Int32 = 1
    static let unusable: Int32 = 2
    static let incomplete: Int32 = 3
    static let interrupted: Int32 = 130
  }

  /// Takes the words of a command line: the command and its paths.
  static func parse(_ words: [Word]) throws(Diagnostic) -> (command: Command, paths: [FilePath])? {
    guard let first = words.first else { return nil }
    guard let command = Command(rawValue: first.text) else {
      throw first.error(
        "unknown command",
        suggestion: Suggestion.near(first.text, among: allCases.map(\.rawValue))
          ?? "one of \(allCases.map(\.rawValue).joined(separator: ", "))")
    }
    var paths: [FilePath] = []
    for word in words.dropFirst() {
      guard word.text.hasPrefix("/") else { throw word.error("not an absolute path") }
      paths.append(FilePath(word.text))
    }
    switch command {
    case .show, .explain, .importAide:
      guard paths.count == 1 else { throw first.error("\(first.text) takes one path") }
    case .accept:
      guard !paths.isEmpty else {
        throw first.error("accept takes the paths to accept", suggestion: "update accepts all")
      }
    case .initialize, .update, .verify, .key, .rules, .load, .unload, .beginMaintenance,
      .endMaintenance:
      guard paths.isEmpty else { throw words[1].error("\(first.text) takes no path") }
    case .check, .report, .list, .export: break
    }
    return (command, paths)
  }
}

/// Runs commands: what they share.
struct CommandExecution {
  let options: IntegrityOptions
  let paths: [FilePath]
  var log: PluginLog
  var output = ReportOutput()
  /// Of dpkg's database, once they were read.
  var stanzas: [PackageName: DpkgText.Stanza]?
  /// Times in which changes were expected.
  var windows: [MaintenanceWindow] = []

  init(_ options: IntegrityOptions, _ paths: [FilePath], log: PluginLog) {
    self.options = options
    self.paths = paths
    self.log = log
  }

  mutating func run(_ command: Command) throws -> Int32 {
    let status =
      switch command {
      case .initialize: try initialize()
      case .check: try check()
      case .report: try report()
      case .update, .accept: try accept(command)
      case .list: try list()
      case .show: try show()
      case .verify: try verify()
      case .key: try key()
      case .importAide: try importAide()
      case .beginMaintenance: try beginMaintenance()
      case .endMaintenance: try endMaintenance()
      case .export: try export()
      case .explain: try explain()
      case .rules: try rules()
      case .load: try load()
      case .unload: try unload()
      }
    try output.flush()
    return status
  }

  var settings: Scan.Settings { options.scanSettings }

  /// Where a scan of the paths that were given begins; of everything where none was.
  var scope: [FilePath] {
    let roots = options.policy.roots
    if paths.isEmpty { return roots }
    return paths.flatMap { path in
      roots.contains(where: path.isWithin) ? [path] : roots.filter { $0.isWithin(path) }
    }
  }
}
