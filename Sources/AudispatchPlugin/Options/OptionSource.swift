import Configuration
import Linux

/// Where a plugin's options come from: its file, and over it its command line.
struct OptionSource<Options: PluginOptions>: Sendable {
  let line: CommandLineSettings
  /// The file that is read.
  let path: String
  /// The user who may own the file beside root.
  var user: UInt32
  var files = FileAccess.system

  /// - Parameter path: the usual file, which may be missing; one that is named may not.
  init(_ line: CommandLineSettings, usually path: String, user: UInt32) {
    self.line = line
    self.path = line.file ?? path
    self.user = user
  }

  /// Reads and checks everything. The options are usable when no diagnostic is an error.
  func load() -> (options: Options, diagnostics: [Diagnostic]) {
    var options = Options()
    var diagnostics: [Diagnostic] = []
    let overridden = Set(line.settings.map(\.keyword.text))
    do throws(Diagnostic) {
      let trust = FileTrust(user: user)
      if let bytes = try trust.contents(of: path, mayBeMissing: line.file == nil, files) {
        apply(ConfigurationText(bytes, file: path), to: &options, but: overridden, &diagnostics)
      }
    } catch { diagnostics.append(error) }
    diagnostics.sortByPosition()
    for setting in line.settings { apply(setting, to: &options, &diagnostics) }
    if !line.operands.isEmpty {
      do throws(Diagnostic) {
        try options.take(line.operands)
      } catch { diagnostics.append(error) }
    }
    if !diagnostics.contains(where: { $0.severity == .error }) { diagnostics += options.settle() }
    return (options, diagnostics)
  }

  /// What SIGHUP asks for: the new options; `nil`, with the reasons logged, when they are not
  /// usable.
  func reload(_ log: inout PluginLog) -> Options? {
    let (options, diagnostics) = load()
    for diagnostic in diagnostics where diagnostic.severity != .note { log.write(diagnostic) }
    guard !diagnostics.contains(where: { $0.severity == .error }) else {
      log.write(.error, "the configuration stays as it was")
      return nil
    }
    return options
  }

  /// Every setting of the file is looked at; those that the command line has too change nothing.
  private func apply(
    _ text: ConfigurationText, to options: inout Options, but overridden: Set<String>,
    _ diagnostics: inout [Diagnostic]
  ) {
    diagnostics += text.diagnostics
    var lines: [String: Int] = [:]
    var unused = Options()
    for setting in text.settings {
      let line = setting.keyword.position.line
      if diagnostics.isFull(at: line, of: path) { return }
      let name = setting.keyword.text.lowercased()
      if let before = lines[name],
        Options.keywords.first(where: { $0.name == name })?.repeats == false
      {
        diagnostics.append(
          setting.keyword.warning("given before, on line \(before); this one counts"))
      }
      lines[name] = line
      if overridden.contains(name) {
        apply(setting, to: &unused, &diagnostics)
      } else {
        apply(setting, to: &options, &diagnostics)
      }
    }
  }

  private func apply(
    _ setting: Setting, to options: inout Options, _ diagnostics: inout [Diagnostic]
  ) {
    let name = setting.keyword.text.lowercased()
    do throws(Diagnostic) {
      guard let keyword = Options.keywords.first(where: { $0.name == name }) else {
        throw setting.keyword.error(
          "unknown keyword",
          suggestion: Suggestion.near(name, among: Options.keywords.map(\.name)))
      }
      try keyword.apply(&options, setting)
    } catch { diagnostics.append(error) }
  }
}
