import AudispatchPlugin
import Configuration
import EventDocument
import Glibc
import LaurelConfiguration
import ProcessContext
import Shipping

/// The settings of Laurel's own file.
extension JSONOptions {
  static let laurelKeyword = PluginKeyword<JSONOptions>.value(
    "laurel", "FILE", "take over the settings of Laurel, as /etc/laurel/config.toml has them"
  ) {
    (o: inout JSONOptions, w: Word) throws(Diagnostic) in
    _ = try w.absolutePath(for: "laurel")
    o.laurelFile = w
  }

  /// Takes over what Laurel's file says and nothing else does.
  mutating func takeLaurelFile() -> [Diagnostic] {
    guard let word = laurelFile else { return [] }
    let bytes: [UInt8]
    do throws(Diagnostic) {
      let trust = FileTrust(user: geteuid())
      bytes = try trust.contents(of: word.text, mayBeMissing: false, .system) ?? []
    } catch { return [error] }
    var (theirs, diagnostics) = LaurelConfiguration.read(bytes, file: word.text)
    guard !diagnostics.contains(where: { $0.severity == .error }) else { return diagnostics }
    if places["form"] == nil { form = .laurel }
    if places["file"] == nil, places["socket"] == nil, places["program"] == nil {
      file = theirs.file
    }
    if places["max_file"] == nil { maximumSize = theirs.maximumSize }
    if places["num_files"] == nil { fileCount = theirs.generations + 1 }
    if places["prefix"] == nil { prefix = theirs.prefix }
    if !processes.context.labels.isEmpty, !theirs.context.labels.isEmpty {
      diagnostics.append(
        word.warning("labels and filters of that file do not count: there are others here"))
    } else if processes.context.labels.isEmpty {
      processes.context.labels = theirs.context.labels
    }
    take(theirs.context)
    laurel.hasArgumentList = theirs.hasArgumentList
    laurel.hasArgumentText = theirs.hasArgumentText
    laurel.argumentLimit = theirs.argumentLimit
    laurel.translatesCalls = theirs.translatesCalls
    laurel.translatesUsers = theirs.translatesUsers
    laurel.namesProcesses = theirs.namesProcesses
    laurel.hasParentInfo = theirs.hasParentInfo
    laurel.namesContainers = theirs.namesContainers
    return diagnostics
  }

  private mutating func take(_ theirs: ContextSettings) {
    let given = processes.given
    if !given.contains("environment") { processes.context.environment = theirs.environment }
    if !given.contains("scripts") { processes.context.findsScripts = theirs.findsScripts }
    if !given.contains("hash_limit") { processes.context.hashLimit = theirs.hashLimit }
  }
}
