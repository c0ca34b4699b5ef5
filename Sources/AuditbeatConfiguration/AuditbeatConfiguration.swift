public import Configuration

/// What an `auditbeat.yml` says of audit rules, and of the server that documents go to, in our words.
public struct AuditbeatConfiguration: Sendable {
  /// Settings of elastic.conf, not looked at yet: each stands where auditbeat.yml has what it is made of.
  public internal(set) var settings: [Setting] = []
  public internal(set) var rules = ImportedRules()

  private var output = OutputSection()
  private var hasOutput = false
  private var hasModule = false
  /// Sections of which something was said.
  private var said: Set<String> = []

  /// Reads a file of any bytes. Usable when no diagnostic is an error.
  ///
  /// What has no equal here is a warning, and what is done in another way a note; both name line and
  /// column. What `${…}` stands for is not looked up, but for `${path.config}`.
  ///
  /// - Parameter folder: where the file is: `${path.config}`.
  public static func read(
    _ bytes: [UInt8], file: String, folder: String
  ) -> (configuration: AuditbeatConfiguration, diagnostics: [Diagnostic]) {
    var configuration = AuditbeatConfiguration()
    var diagnostics: [Diagnostic] = []
    do throws(Diagnostic) {
      let item = try YAMLReader.read(bytes, file: file)
      guard let item, !item.isNull else { throw Diagnostic(.error, file: file, "nothing in it") }
      guard case .table(let entries) = item.value else {
        throw item.word.error("auditbeat.yml is a table, not \(item.value.kind)")
      }
      let values = ImportedValues(folder: folder)
      for setting in try [FlatSetting](entries) {
        guard !diagnostics.isFull(at: setting.key.position.line, of: file) else { break }
        configuration.take(setting, values, &diagnostics)
      }
      configuration.settle(file, &diagnostics)
    } catch { diagnostics.append(error) }
    diagnostics.sortByPosition()
    return (configuration, diagnostics)
  }

  private mutating func take(
    _ setting: FlatSetting, _ values: ImportedValues, _ diagnostics: inout [Diagnostic]
  ) {
    let output = "output.elasticsearch."
    if setting.name.hasPrefix(output) {
      hasOutput = true
      let name = String(setting.name.dropFirst(output.count))
      self.output.take(name, setting, values, &diagnostics)
    } else if setting.name == "auditbeat.modules" {
      do throws(Diagnostic) {
        for item in try values.list(setting.item, "auditbeat.modules") {
          try takeModule(item, values, &diagnostics)
        }
      } catch { diagnostics.append(error) }
    } else {
      note(setting, &diagnostics)
    }
  }

  private mutating func takeModule(
    _ item: YAMLItem, _ values: ImportedValues, _ diagnostics: inout [Diagnostic]
  ) throws(Diagnostic) {
    guard case .table(let entries) = item.value else {
      throw item.word.error("a module is a table, not \(item.value.kind)")
    }
    let settings = try [FlatSetting](entries)
    guard let kind = settings.first(where: { $0.name == "module" }) else {
      throw Diagnostic(
        .error, file: item.word.file, at: item.word.position, "a module without its name",
        suggestion: "write module: auditd")
    }
    switch try values.text(kind.item, "module", kind.key) {
    case "auditd":
      hasModule = true
      rules.take(settings, values, &self.settings, &diagnostics)
    case "file_integrity":
      diagnostics.append(
        kind.item.word.warning("is not imported", suggestion: "see audispatch-integrity(8)"))
    default: diagnostics.append(kind.item.word.warning("this module has no equal here"))
    }
  }

  /// Says of a section that nothing is taken from, once.
  private mutating func note(_ setting: FlatSetting, _ diagnostics: inout [Diagnostic]) {
    let parts = setting.name.split(separator: ".", omittingEmptySubsequences: false)
    let isInner = ["output", "auditbeat"].contains(parts[0])
    let section = parts.prefix(isInner ? 2 : 1).joined(separator: ".")
    guard said.insert(section).inserted else { return }
    let word = Word(text: section, file: setting.top.file, position: setting.top.position)
    if let text = OtherSections.done[section] {
      diagnostics.append(word.problem(text, severity: .note, suggestion: nil))
    } else if let text = OtherSections.without[section] {
      diagnostics.append(word.warning(text))
    } else {
      let known =
        Array(OtherSections.done.keys) + OtherSections.without.keys + ["output.elasticsearch"]
      diagnostics.append(
        word.warning(
          "nothing of that name is known",
          suggestion: Suggestion.near(section, among: known.sorted())))
    }
  }

  private mutating func settle(_ file: String, _ diagnostics: inout [Diagnostic]) {
    if hasOutput {
      settings = output.settled(&diagnostics) + settings
    } else {
      diagnostics.append(
        Diagnostic(.warning, file: file, "no output.elasticsearch: it is not said where to"))
    }
    if !hasModule {
      diagnostics.append(Diagnostic(.warning, file: file, "no module auditd: there are no rules"))
    }
  }
}

/// Sections that nothing is taken from.
private enum OtherSections {
  /// What they are for is done here in another way.
  static let done = [
    "queue": "the dispatcher has the queue: q_depth, overflow_action and storage in plugins.d",
    "setup": "'audispatch-elastic setup' makes what documents are stored in; dashboards stay",
    "name": "what this host is called is told by node",
    "logging": "is auditbeat's own matter", "monitoring": "is auditbeat's own matter",
    "http": "is auditbeat's own matter", "path": "is auditbeat's own matter",
    "max_procs": "is auditbeat's own matter", "seccomp": "is auditbeat's own matter",
    "keystore": "is auditbeat's own matter", "instrumentation": "is auditbeat's own matter",
    "features": "is auditbeat's own matter", "timestamp": "is auditbeat's own matter",
    "xpack": "is auditbeat's own matter", "management": "is auditbeat's own matter",
    "auditbeat.max_start_delay": "is auditbeat's own matter",
  ]
  static let without = [
    "processors": "no processors here; redact and aggregate, or an ingest pipeline, do some of it",
    "fields": "no fields of one's own are added here; an ingest pipeline can do so",
    "fields_under_root": "no fields of one's own are added here; an ingest pipeline can do so",
    "tags": "no tags are added here; an ingest pipeline can do so",
    "cloud": "is not decoded: set server, and api_key_file or user, in elastic.conf",
    "auditbeat.config": "modules in files of their own are not read: bring them into auditbeat.yml",
    "output.logstash": "is not imported: there is no output to Logstash here",
    "output.kafka": "is not imported: see audispatch-kafka(8)",
    "output.redis": "is not imported: there is no output to Redis here",
    "output.file": "is not imported: see audispatch-json(8)",
    "output.console": "is not imported: see audispatch-json(8)",
  ]
}
