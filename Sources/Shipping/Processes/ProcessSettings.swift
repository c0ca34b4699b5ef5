public import AudispatchPlugin
public import Configuration
public import EventDocument
public import ProcessContext

/// What every plugin that writes documents can be asked for about the processes behind events.
public struct ProcessSettings: Equatable, Sendable {
  public var areFollowed = true
  public var context = ContextSettings()
  /// Where what is known is kept through a restart.
  public var stateFile: String?
  /// Keywords that were given, of those that another file may say something about.
  public private(set) var given: Set<String> = []

  public init() {}
}

/// What is to be known of processes, for documents of some form.
public struct ProcessRequest: Equatable, Sendable {
  let isWanted: Bool
  let stateFile: String?
  let context: ContextSettings
  let volume: VolumeRules

  /// - Parameters:
  ///   - host: what this host is called.
  ///   - volume: what is taken out of arguments.
  public init(
    _ settings: ProcessSettings, _ form: DocumentForm, host: String, _ volume: VolumeRules
  ) {
    isWanted = settings.areFollowed && (form == .ecs || form == .laurel)
    stateFile = settings.stateFile
    var context = settings.context
    context.node = Array(host.utf8)
    context.tellsAncestors = form == .ecs
    self.context = context
    self.volume = volume
  }
}

extension ProcessSettings {
  /// The keywords `processes`, `max_processes`, `process_state`, and those for what is looked for,
  /// for labels and for filters, of a plugin whose options have such settings.
  public static func keywords<Options>(
    _ place: any WritableKeyPath<Options, ProcessSettings> & Sendable
  ) -> [PluginKeyword<Options>] {
    [
      .flag("processes", "say what is known of processes (forms ecs and laurel; yes)") {
        $0[keyPath: place].areFollowed = $1
      },
      .value("max_processes", "COUNT", "how many are known at most (20000)") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].context.limit = try w.number(in: 100...1_000_000, for: "max_processes")
      },
      .value("process_state", "FILE", "keep what is known through a restart") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].stateFile = try w.absolutePath(for: "process_state")
      },
    ] + lookingKeywords(place) + labelKeywords(place)
  }

  private static func lookingKeywords<Options>(
    _ place: any WritableKeyPath<Options, ProcessSettings> & Sendable
  ) -> [PluginKeyword<Options>] {
    [
      .flag("scripts", "look for the script behind an interpreter (yes)") {
        $0[keyPath: place].context.findsScripts = $1
        $0[keyPath: place].given.insert("scripts")
      },
      .flag("containers", "look for container and unit (yes)") {
        $0[keyPath: place].context.findsGroups = $1
      },
      .flag("user_groups", "show the groups of a process at its exec (form ecs)") {
        $0[keyPath: place].context.showsUserGroups = $1
      },
      .value("hash_limit", "SIZE", "hash executables up to that size") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].context.hashLimit = try w.byteCount(in: 1...1 << 40, for: "hash_limit")
        o[keyPath: place].given.insert("hash_limit")
      },
      list(
        place, "environment", "NAME...",
        "variables that an exec shows; * at the end stands for the rest"
      ) {
        $0.context.environment.append(Array($1.text.utf8))
        $0.given.insert("environment")
        return true
      },
    ]
  }

  private static func labelKeywords<Options>(
    _ place: any WritableKeyPath<Options, ProcessSettings> & Sendable
  ) -> [PluginKeyword<Options>] {
    [
      rule(place, "label_executable", .executable, removes: false),
      rule(place, "label_arguments", .arguments, removes: false),
      rule(place, "label_script", .script, removes: false),
      rule(place, "unlabel_executable", .executable, removes: true),
      rule(place, "unlabel_arguments", .arguments, removes: true),
      rule(place, "unlabel_script", .script, removes: true),
      list(place, "label_keys", "KEY...", "keys of rules that are labels of the process too") {
        $0.context.labels.label(key: Array($1.text.utf8))
      },
      list(place, "propagate_labels", "LABEL...", "labels that children get") {
        $0.context.labels.passOn(Array($1.text.utf8))
      },
      list(place, "filter_keys", "KEY...", "leave out events of these rules") {
        $0.context.labels.filter(key: Array($1.text.utf8))
        return true
      },
      list(
        place, "filter_labels", "LABEL...", "leave out events of processes with these labels"
      ) {
        $0.context.labels.filter(label: Array($1.text.utf8))
      },
      .flag("filter_without_key", "leave out system calls of which no rule has a key") {
        $0[keyPath: place].context.labels.filtersWithoutKey = $1
      },
    ]
  }

  private static func list<Options>(
    _ place: any WritableKeyPath<Options, ProcessSettings> & Sendable, _ name: String,
    _ value: String, _ about: String,
    add: @escaping @Sendable (inout ProcessSettings, Word) -> Bool
  ) -> PluginKeyword<Options> {
    PluginKeyword(name, value, about, repeats: true) {
      (o: inout Options, s: Setting) throws(Diagnostic) in
      for word in s.values {
        guard add(&o[keyPath: place], word) else {
          throw word.error("more than \(LabelRules.most) labels")
        }
      }
    }
  }

  private static func rule<Options>(
    _ place: any WritableKeyPath<Options, ProcessSettings> & Sendable, _ name: String,
    _ subject: LabelRules.Subject, removes: Bool
  ) -> PluginKeyword<Options> {
    let what = removes ? "take a label from" : "put a label on"
    return PluginKeyword(
      name, "LABEL REGEX", "\(what) processes by their \(subject.rawValue)", repeats: true
    ) { (o: inout Options, s: Setting) throws(Diagnostic) in
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
        o[keyPath: place].context.labels.add(
          Array(s.values[0].text.utf8), where: subject, matches: pattern, removes: removes)
      else { throw s.values[0].error("more than \(LabelRules.most) labels") }
    }
  }
}
