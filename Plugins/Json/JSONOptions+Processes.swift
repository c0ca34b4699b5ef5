import AudispatchPlugin
import Configuration
import EventDocument
import Glibc
import LaurelConfiguration
import ProcessContext

/// What is to be known of processes, and what follows from it.
extension JSONOptions {
  static let processKeywords: [PluginKeyword<JSONOptions>] = [
    .value(
      "laurel", "FILE", "take over the settings of Laurel, as /etc/laurel/config.toml has them"
    ) {
      (o: inout JSONOptions, w: Word) throws(Diagnostic) in
      _ = try w.absolutePath(for: "laurel")
      o.laurelFile = w
    },
    .flag("processes", "say what is known of processes (forms ecs and laurel)") {
      $0.followsProcesses = $1
    },
    .value("max_processes", "COUNT", "how many are known at most") {
      (o: inout JSONOptions, w: Word) throws(Diagnostic) in
      o.context.limit = try w.number(in: 100...1_000_000, for: "max_processes")
    },
    .value("process_state", "FILE", "keep what is known through a restart") {
      (o: inout JSONOptions, w: Word) throws(Diagnostic) in
      o.stateFile = try w.absolutePath(for: "process_state")
    },
    .flag("scripts", "look for the script behind an interpreter") {
      $0.context.findsScripts = $1
      $0.places["scripts"] = Word(flag: "scripts")
    },
    .flag("containers", "look for container and unit") {
      $0.context.findsGroups = $1
      $0.places["containers"] = Word(flag: "containers")
    },
    .flag("user_groups", "show the groups of a process at its exec (form ecs)") {
      $0.context.showsUserGroups = $1
    },
    .value("hash_limit", "SIZE", "hash executables up to that size") {
      (o: inout JSONOptions, w: Word) throws(Diagnostic) in
      o.context.hashLimit = try w.byteCount(in: 1...1 << 40, for: "hash_limit")
      o.places["hash_limit"] = w
    },
    list("environment", "NAME...", "variables that an exec shows; * at the end stands for the rest")
    {
      $0.context.environment.append(Array($1.text.utf8))
      $0.places["environment"] = $1
      return true
    },
    rule("label_executable", .executable, removes: false),
    rule("label_arguments", .arguments, removes: false),
    rule("label_script", .script, removes: false),
    rule("unlabel_executable", .executable, removes: true),
    rule("unlabel_arguments", .arguments, removes: true),
    rule("unlabel_script", .script, removes: true),
    list("label_keys", "KEY...", "keys of rules that are labels of the process too") {
      $0.context.labels.label(key: Array($1.text.utf8))
    },
    list("propagate_labels", "LABEL...", "labels that children get") {
      $0.context.labels.passOn(Array($1.text.utf8))
    },
    list("filter_keys", "KEY...", "leave out events of these rules") {
      $0.context.labels.filter(key: Array($1.text.utf8))
      return true
    },
    list("filter_labels", "LABEL...", "leave out events of processes with these labels") {
      $0.context.labels.filter(label: Array($1.text.utf8))
    },
    .flag("filter_without_key", "leave out system calls of which no rule has a key") {
      $0.context.labels.filtersWithoutKey = $1
    },
  ]

  private static func list(
    _ name: String, _ value: String, _ about: String,
    add: @escaping @Sendable (inout JSONOptions, Word) -> Bool
  ) -> PluginKeyword<JSONOptions> {
    PluginKeyword(name, value, about, repeats: true) {
      (o: inout JSONOptions, s: Setting) throws(Diagnostic) in
      for word in s.values {
        guard add(&o, word) else { throw word.error("more than \(LabelRules.most) labels") }
      }
    }
  }

  private static func rule(
    _ name: String, _ subject: LabelRules.Subject, removes: Bool
  ) -> PluginKeyword<JSONOptions> {
    let what = removes ? "take a label from" : "put a label on"
    return PluginKeyword(
      name, "LABEL REGEX", "\(what) processes by their \(subject.rawValue)", repeats: true
    ) { (o: inout JSONOptions, s: Setting) throws(Diagnostic) in
      guard s.values.count == 2 else {
        throw s.keyword.error(
          "\(name) has a label and a regular expression",
          suggestion: "put the expression in quotes if it has blanks")
      }
      let pattern: Pattern
      do throws(PatternFault) {
        pattern = try Pattern(s.values[1].text)
      } catch { throw s.values[1].error("\(error.message), behind character \(error.place)") }
      guard
        o.context.labels.add(
          Array(s.values[0].text.utf8), where: subject, matches: pattern, removes: removes)
      else { throw s.values[0].error("more than \(LabelRules.most) labels") }
    }
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
    if !context.labels.isEmpty, !theirs.context.labels.isEmpty {
      diagnostics.append(
        word.warning("labels and filters of that file do not count: there are others here"))
    } else if context.labels.isEmpty {
      context.labels = theirs.context.labels
    }
    if places["environment"] == nil { context.environment = theirs.context.environment }
    if places["scripts"] == nil { context.findsScripts = theirs.context.findsScripts }
    if places["hash_limit"] == nil { context.hashLimit = theirs.context.hashLimit }
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

  /// The settings, with this host's name.
  var contextSettings: ContextSettings {
    var settings = context
    settings.node = Array(documents.host.utf8)
    settings.tellsAncestors = form == .ecs
    return settings
  }
}

extension Word {
  /// Stands for a switch that was given.
  fileprivate init(flag name: String) {
    self.init(text: name, file: "", position: Diagnostic.Position(line: 0, column: 0))
  }
}
