import Configuration
import Linux

/// Where a plugin's options come from: its file, and over it its command line.
struct OptionSource<Options: PluginOptions>: Sendable {
  let line: CommandLineSettings
  /// The file that is read; looked for at each reading, where it is not named.
  var path: String {
    if let named = line.file { return named }
    guard let other, case .failure(.noSuchFile) = files.status(usual) else { return usual }
    return other
  }
  private let usual: String
  private let other: String?
  /// The user who may own the file beside root.
  var user: UInt32
  var files = FileAccess.system
  /// What the file held when `loadNoting` or a reload took it.
  private var taken = Content()

  /// - Parameters:
  ///   - path: the usual file, which may be missing; one that is named may not.
  ///   - other: the one that is read where that is missing; it may be so too.
  init(
    _ line: CommandLineSettings, usually path: String, otherwise other: String? = nil, user: UInt32
  ) {
    self.line = line
    usual = path
    self.other = other
    self.user = user
  }

  /// Reads and checks everything. The options are usable when no diagnostic is an error.
  func load() -> (options: Options, diagnostics: [Diagnostic]) {
    let found = read()
    return (found.options, found.diagnostics)
  }

  /// The same, for what is to be reloaded later.
  mutating func loadNoting() -> (options: Options, diagnostics: [Diagnostic]) {
    let found = read()
    taken = found.content
    return (found.options, found.diagnostics)
  }

  /// What there is in the file.
  private struct Content: Equatable {
    var bytes: [UInt8] = []
    var hasSettings = false

    /// Why it looks as if somebody were writing it in its place, and had not got to the end.
    func sign(since before: Content) -> String? {
      if bytes.isEmpty { return before.hasSettings ? "is empty, and was not before" : nil }
      return bytes.last == UInt8(ascii: "\n") || self == before
        ? nil : "has changed and does not end with a newline"
    }
  }

  private func read() -> (options: Options, diagnostics: [Diagnostic], content: Content) {
    var content = Content()
    var options = Options()
    var diagnostics: [Diagnostic] = []
    // Keywords of which it is not known what they shall be.
    var wrong: Set<String> = []
    let overridden = Set(line.settings.map(\.keyword.text))
    let path = path
    do throws(Diagnostic) {
      let trust = FileTrust(user: user)
      if let bytes = try trust.contents(of: path, mayBeMissing: line.file == nil, files) {
        let text = ConfigurationText(bytes, file: path)
        content = Content(bytes: bytes, hasSettings: !text.settings.isEmpty)
        apply(text, to: &options, but: overridden, &diagnostics, &wrong)
      }
    } catch {
      diagnostics.append(error)
      wrong = Self.names
    }
    diagnostics.sortByPosition()
    for setting in line.settings {
      do throws(Diagnostic) {
        if let doubt = try Self.apply(setting, to: &options, &wrong) { diagnostics.append(doubt) }
      } catch { diagnostics.append(error) }
    }
    if !line.operands.isEmpty {
      do throws(Diagnostic) {
        try options.take(line.operands)
      } catch { diagnostics.append(error) }
    }
    let isUsable = !diagnostics.contains { $0.severity == .error }
    let whole = isUsable ? options.settle() : options.conflicts(without: wrong)
    diagnostics += whole.map(placed)
    return (options, diagnostics, content)
  }

  /// A problem with a keyword that no file sets is reported for the file that may set it.
  private func placed(_ diagnostic: Diagnostic) -> Diagnostic {
    guard diagnostic.position == nil, Self.names.contains(diagnostic.file) else {
      return diagnostic
    }
    var placed = diagnostic
    placed.file = path
    placed.message = "\(diagnostic.file): \(diagnostic.message)"
    guard line.file == nil, case .failure(.noSuchFile) = files.status(path) else { return placed }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let example = "\(Self.examples)/\(name)"
    var clauses = [diagnostic.suggestion, "\(path) is not there"].compactMap(\.self)
    if case .success = files.status(example) { clauses.append("cp \(example) \(path) begins one") }
    placed.suggestion = clauses.joined(separator: "; ")
    return placed
  }

  private static var examples: String { "/usr/share/doc/audispatch/examples" }

  /// What SIGHUP asks for: the new options; `nil`, with the reasons logged, when they are not
  /// usable. An empty file that had settings is one that is being written, as is a changed one that
  /// ends in the midst of a line.
  mutating func reload(_ log: inout PluginLog) -> Options? {
    var (options, diagnostics, content) = read()
    if let sign = content.sign(since: taken) {
      diagnostics.append(
        Diagnostic(
          .error, file: path, "the file \(sign)",
          suggestion: "rename a complete one over it; a comment in it is enough for the defaults"))
    }
    for diagnostic in diagnostics where diagnostic.severity != .note { log.write(diagnostic) }
    guard !diagnostics.contains(where: { $0.severity == .error }) else {
      log.write(.error, "the configuration stays as it was")
      return nil
    }
    taken = content
    return options
  }

  /// Every setting of the file is looked at; those that the command line has too change nothing.
  private func apply(
    _ text: ConfigurationText, to options: inout Options, but overridden: Set<String>,
    _ diagnostics: inout [Diagnostic], _ wrong: inout Set<String>
  ) {
    if text.diagnostics.contains(where: { $0.severity == .error }) { wrong = Self.names }
    var unused = Options()
    let (problems, isWhole) = Self.table.read(text) { setting throws(Diagnostic) in
      if overridden.contains(setting.keyword.text.lowercased()) {
        try Self.apply(setting, to: &unused, &wrong)
      } else {
        try Self.apply(setting, to: &options, &wrong)
      }
    }
    diagnostics += problems
    if !isWhole { wrong = Self.names }
  }

  private static var table: KeywordTable<Options> { KeywordTable(Options.keywords) }
  private static var names: Set<String> { Set(Options.keywords.map(\.name)) }

  private static func apply(
    _ setting: Setting, to options: inout Options, _ wrong: inout Set<String>
  ) throws(Diagnostic) -> Diagnostic? {
    do throws(Diagnostic) {
      return try table.apply(setting, to: &options)
    } catch {
      let name = setting.keyword.text.lowercased()
      if let meant = Suggestion.nearest(name, among: Options.keywords.map(\.name)) {
        wrong.insert(meant)
      }
      throw error
    }
  }
}
