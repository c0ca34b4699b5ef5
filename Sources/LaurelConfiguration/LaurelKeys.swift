import Configuration
import ProcessContext

/// The keys of Laurel's file, by table.
enum LaurelKeys {
  typealias Apply = @Sendable (inout LaurelConfiguration, TOMLItem, Word) throws(Diagnostic) -> Void

  enum Meaning: Sendable {
    case apply(Apply)
    /// It is done in another way here.
    case otherwise(String)
    /// It is not done here.
    case without(String)
  }

  static func apply(
    _ table: TOMLTable, to configuration: inout LaurelConfiguration,
    _ diagnostics: inout [Diagnostic]
  ) {
    for entry in table.entries {
      if case .table(let inner) = entry.item.value, let keys = tables[entry.key.text] {
        apply(inner, keys, to: &configuration, &diagnostics)
      } else if tables[entry.key.text] != nil {
        diagnostics.append(entry.key.error("\(entry.key.text) is a table"))
      } else if ["debug", "filterlog", "state"].contains(entry.key.text) {
        diagnostics.append(entry.key.warning(unusedTables[entry.key.text] ?? "is not used here"))
      } else {
        apply(entry, main, alsoKnown: Array(tables.keys), to: &configuration, &diagnostics)
      }
    }
  }

  private static func apply(
    _ table: TOMLTable, _ keys: [String: Meaning], to configuration: inout LaurelConfiguration,
    _ diagnostics: inout [Diagnostic]
  ) {
    for entry in table.entries {
      apply(entry, keys, alsoKnown: [], to: &configuration, &diagnostics)
    }
  }

  private static func apply(
    _ entry: TOMLTable.Entry, _ keys: [String: Meaning], alsoKnown: [String],
    to configuration: inout LaurelConfiguration, _ diagnostics: inout [Diagnostic]
  ) {
    guard !diagnosticsAreMany(diagnostics) else { return }
    switch keys[entry.key.text] {
    case .apply(let body):
      do throws(Diagnostic) {
        try body(&configuration, entry.item, entry.key)
      } catch { diagnostics.append(error) }
    case .otherwise(let text):
      var note = entry.key.warning(text)
      note.severity = .note
      diagnostics.append(note)
    case .without(let text): diagnostics.append(entry.key.warning(text))
    case nil:
      diagnostics.append(
        entry.key.error(
          "unknown key",
          suggestion: Suggestion.near(
            entry.key.text, among: keys.keys.sorted() + alsoKnown.sorted())))
    }
  }

  private static func diagnosticsAreMany(_ diagnostics: [Diagnostic]) -> Bool {
    diagnostics.count > 100
  }

  private static let unusedTables = [
    "debug": "is not used here; audispatch-print shows what comes in",
    "filterlog": "is not used here: events that are filtered are written nowhere",
    "state": "is not used here; set process_state in json.conf",
  ]

  private static let main: [String: Meaning] = [
    "directory": .apply { c, item, _ throws(Diagnostic) in
      c.directory = item.word
      _ = try text(item, "directory")
    },
    "user": .otherwise("the dispatcher sets the user: 'user =' in plugins.d"),
    "statusreport-period": .otherwise("counters are logged on SIGUSR1, not now and then"),
    "input": .otherwise("the input is the dispatcher's"),
    "marker": .without("there are no markers here"),
  ]

  private static let tables: [String: [String: Meaning]] = [
    "auditlog": auditlog, "transform": transform, "translate": translate, "enrich": enrich,
    "label-process": labels, "filter": filters,
  ]

  private static let auditlog: [String: Meaning] = [
    "file": .apply { c, item, _ throws(Diagnostic) in
      _ = try text(item, "file")
      c.name = item.word
    },
    "size": .apply { c, item, _ throws(Diagnostic) in
      c.maximumSize = try number(item, "size", 4096...1 << 40)
    },
    "generations": .apply { c, item, _ throws(Diagnostic) in
      c.generations = try number(item, "generations", 1...998)
    },
    "line-prefix": .apply { c, item, _ throws(Diagnostic) in
      let prefix = try text(item, "line-prefix")
      guard !prefix.utf8.contains(0x0a) else { throw item.word.error("line-prefix has one line") }
      c.prefix = prefix
    },
    "read-users": .without("no user gets an access list; set file_group in json.conf"),
    "read-groups": .without("no access lists here; set file_group in json.conf"),
    "read-other": .without("others do not read the file here"),
  ]

  private static let transform: [String: Meaning] = [
    "execve-argv": .apply { c, item, _ throws(Diagnostic) in
      c.hasArgumentList = false
      c.hasArgumentText = false
      for item in try list(item, "execve-argv") {
        switch try text(item, "execve-argv") {
        case "array": c.hasArgumentList = true
        case "string": c.hasArgumentText = true
        default:
          throw item.word.error(
            "execve-argv is array or string",
            suggestion: Suggestion.near(item.word.text, among: ["array", "string"]))
        }
      }
    },
    "execve-argv-limit-bytes": .apply { c, item, _ throws(Diagnostic) in
      c.argumentLimit = try number(item, "execve-argv-limit-bytes", 1...1 << 30)
    },
  ]

  private static let translate: [String: Meaning] = [
    "universal": flag { $0.translatesCalls = $1 },
    "user-db": flag { $0.translatesUsers = $1 },
    "drop-raw": .without("numbers stay beside their names here"),
  ]

  private static let enrich: [String: Meaning] = [
    "execve-env": .apply { c, item, _ throws(Diagnostic) in
      c.context.environment = try texts(item, "execve-env").map { Array($0.text.utf8) }
    },
    "container": flag { $0.namesContainers = $1 },
    "container_info": flag { $0.namesContainers = $1 },
    "systemd": .otherwise("units are told in the form ecs"),
    "pid": flag { $0.namesProcesses = $1 },
    "script": flag { $0.context.findsScripts = $1 },
    "parent-info": flag { $0.hasParentInfo = $1 },
    "uid-groups": .otherwise("the groups of a process are told in the form ecs (user_groups)"),
    "exe-hash": flag { $0.context.hashLimit = $1 ? $0.largestHashed : nil },
    "exe-hash-size-limit": .apply { c, item, _ throws(Diagnostic) in
      c.largestHashed = try number(item, "exe-hash-size-limit", 1...1 << 40)
    },
    "exe-hash-cache-entries": .otherwise("1024 hashes are kept"),
    "spawned-by": .without("SPAWNED_BY is not written; PPID has the parent's exec"),
    "ppid-verbose": .otherwise("PPID is always told in full"),
    "prefix": .without("added names have no prefix here"),
  ]
}

/// Labels and filters, and what values may be.
extension LaurelKeys {
  static let labels: [String: Meaning] = [
    "label-keys": .apply { c, item, _ throws(Diagnostic) in
      for word in try texts(item, "label-keys") {
        try room(c.context.labels.label(key: Array(word.text.utf8)), word)
      }
    },
    "label-exe": rules(.executable, removes: false),
    "label-argv": rules(.arguments, removes: false),
    "label-script": rules(.script, removes: false),
    "unlabel-exe": rules(.executable, removes: true),
    "unlabel-argv": rules(.arguments, removes: true),
    "unlabel-script": rules(.script, removes: true),
    "label-argv-count": .otherwise("the first 512 bytes of the arguments are looked at"),
    "label-argv-bytes": .otherwise("the first 512 bytes of the arguments are looked at"),
    "propagate-labels": .apply { c, item, _ throws(Diagnostic) in
      for word in try texts(item, "propagate-labels") {
        try room(c.context.labels.passOn(Array(word.text.utf8)), word)
      }
    },
  ]

  static let filters: [String: Meaning] = [
    "filter-keys": .apply { c, item, _ throws(Diagnostic) in
      for word in try texts(item, "filter-keys") {
        c.context.labels.filter(key: Array(word.text.utf8))
      }
    },
    "filter-labels": .apply { c, item, _ throws(Diagnostic) in
      for word in try texts(item, "filter-labels") {
        try room(c.context.labels.filter(label: Array(word.text.utf8)), word)
      }
    },
    "filter-null-keys": flag { $0.context.labels.filtersWithoutKey = $1 },
    "filter-action": .apply { _, item, _ throws(Diagnostic) in
      guard try text(item, "filter-action") == "drop" else {
        throw item.word.error(
          "events that are filtered are written nowhere; only drop is done here")
      }
    },
    "filter-sockaddr": .without("addresses are not looked at; these events are written"),
    "filter-raw-lines": .without("lines are not looked at; these events are written"),
    "keep-first-per-process": .without("the first event of a process is filtered as others are"),
  ]

  private static func rules(_ subject: LabelRules.Subject, removes: Bool) -> Meaning {
    .apply { c, item, key throws(Diagnostic) in
      guard case .table(let table) = item.value else {
        throw key.error(
          "\(key.text) is a table", suggestion: "write \(key.text).'REGEX' = 'LABEL'")
      }
      for entry in table.entries {
        let label = try text(entry.item, key.text)
        let pattern: Pattern
        do throws(PatternFault) {
          pattern = try Pattern(entry.key.text)
        } catch { throw entry.key.error("\(error.message), behind character \(error.place)") }
        try room(
          c.context.labels.add(
            Array(label.utf8), where: subject, matches: pattern, removes: removes), entry.key)
      }
    }
  }

  private static func room(_ isRoom: Bool, _ word: Word) throws(Diagnostic) {
    guard isRoom else { throw word.error("too many labels") }
  }

  static func flag(
    _ set: @escaping @Sendable (inout LaurelConfiguration, Bool) -> Void
  ) -> Meaning {
    .apply { c, item, key throws(Diagnostic) in
      guard case .boolean(let value) = item.value else {
        throw item.word.error("\(key.text) is true or false, not \(item.value.kind)")
      }
      set(&c, value)
    }
  }

  static func text(_ item: TOMLItem, _ key: String) throws(Diagnostic) -> String {
    guard case .string(let text) = item.value else {
      throw item.word.error("\(key) is a text, not \(item.value.kind)")
    }
    guard !text.utf8.contains(0) else { throw item.word.error("\(key) has no NUL") }
    return text
  }

  static func number(
    _ item: TOMLItem, _ key: String, _ range: ClosedRange<Int>
  ) throws(Diagnostic) -> Int {
    guard case .integer(let number) = item.value, range.contains(number) else {
      throw item.word.error(
        "\(key) is a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  static func list(_ item: TOMLItem, _ key: String) throws(Diagnostic) -> [TOMLItem] {
    guard case .array(let items) = item.value else {
      throw item.word.error("\(key) is a list, not \(item.value.kind)")
    }
    return items
  }

  static func texts(_ item: TOMLItem, _ key: String) throws(Diagnostic) -> [Word] {
    var words: [Word] = []
    for item in try list(item, key) {
      _ = try text(item, key)
      words.append(item.word)
    }
    return words
  }
}
