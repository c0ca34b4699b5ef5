public import Configuration
import Linux

/// What a module auditd says of the kernel's audit.
public struct ImportedRules: Sendable {
  /// `-b`, `-r`, `-f`, as auditctl has them.
  public internal(set) var controls: [String] = []
  /// Rules and comments, a line each.
  public internal(set) var lines: [String] = []
  /// Patterns of files that have more of them.
  public internal(set) var files: [Word] = []
  public internal(set) var isImmutable = false

  init() {}

  /// The lines of a rule file, of any bytes, or of `audit_rules`. Lines that cannot be taken are
  /// comments then.
  ///
  /// - Returns: how many those are.
  public static func lines(_ text: String) -> (lines: [String], refused: Int) {
    var lines: [String] = []
    var refused = 0
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      let rule = line.drop { $0 == " " || $0 == "\t" }
      let isText = rule.unicodeScalars.allSatisfy {
        $0.value >= 0x20 && $0.value != 0x7f || $0 == "\t"
      }
      if rule.isEmpty || rule.hasPrefix("#") && isText {
        lines.append(String(rule))
      } else if isText, !rule.contains("${"), rule.utf8.count < 4096 {
        lines.append(String(rule))
      } else {
        refused += 1
        lines.append("# not imported: \(printable(String(rule), limit: 200))")
      }
    }
    while lines.last == "" { lines.removeLast() }
    return (lines, refused)
  }

  mutating func take(
    _ flat: [FlatSetting], _ values: ImportedValues, _ settings: inout [Setting],
    _ diagnostics: inout [Diagnostic]
  ) {
    if let enabled = flat.first(where: { $0.name == "enabled" }) {
      do throws(Diagnostic) {
        guard try values.flag(enabled.item, "enabled", enabled.key) else {
          throw enabled.key.warning("is off: nothing of this module is imported")
        }
      } catch { return diagnostics.append(error) }
    }
    for setting in flat where !["module", "enabled"].contains(setting.name) {
      do throws(Diagnostic) {
        try take(setting, values, &settings)
      } catch { diagnostics.append(error) }
    }
  }

  private mutating func take(
    _ setting: FlatSetting, _ values: ImportedValues, _ settings: inout [Setting]
  ) throws(Diagnostic) {
    let (item, key, name) = (setting.item, setting.key, setting.name)
    switch name {
    case "audit_rules": try takeRules(setting)
    case "audit_rule_files":
      for item in try values.list(item, name) {
        let pattern = try values.text(item, name, key)
        guard pattern.hasPrefix("/") else {
          throw item.word.warning(
            "no absolute path, and not read", suggestion: "copy those files to /etc/audit/rules.d")
        }
        files.append(Word(text: pattern, file: item.word.file, position: item.word.position))
      }
    case "backlog_limit", "rate_limit":
      let count = try values.number(item, name, key)
      guard 0...Int(UInt32.max) ~= count else { throw item.word.error("\(name) is a number") }
      controls.append("\(name == "rate_limit" ? "-r" : "-b") \(count)")
    case "failure_mode":
      let modes = ["silent", "log", "panic"]
      let mode = try values.text(item, name, key)
      guard let number = modes.firstIndex(of: mode.lowercased()) else {
        throw item.word.error(
          "failure_mode is silent, log or panic", suggestion: Suggestion.near(mode, among: modes))
      }
      controls.append("-f \(number)")
    case "immutable":
      isImmutable = try values.flag(item, name, key)
      if isImmutable { throw key.warning("-e 2: nothing can be changed before the next boot") }
    case "include_raw_message":
      guard try values.flag(item, name, key) else { return }
      settings.append(ImportedText.setting("original", "yes", at: item.word))
    case "resolve_ids":
      guard try !values.flag(item, name, key) else { return }
      settings.append(ImportedText.setting("names", "lines", at: item.word))
    default:
      if let text = Self.done[name] { throw key.problem(text, severity: .note, suggestion: nil) }
      if let text = Self.without[name] ?? Self.without[String(name.prefix { $0 != "." })] {
        throw key.warning(text)
      }
      let known = Self.taken + Self.done.keys + Self.without.keys
      throw key.warning(
        "no such key of the module is known",
        suggestion: Suggestion.near(name, among: known.sorted()))
    }
  }

  private mutating func takeRules(_ setting: FlatSetting) throws(Diagnostic) {
    guard case .scalar = setting.item.value else {
      throw setting.item.word.error("audit_rules is a text, not \(setting.item.value.kind)")
    }
    let (found, refused) = Self.lines(setting.item.word.text)
    lines += found
    guard refused > 0 else { return }
    throw setting.key.warning(
      "\(refused) of its lines are no rules that can be taken, and are comments",
      suggestion: "look for 'not imported'")
  }

  private static let taken = [
    "audit_rules", "audit_rule_files", "backlog_limit", "rate_limit", "failure_mode", "immutable",
    "include_raw_message", "resolve_ids",
  ]
  private static let done = [
    "backpressure_strategy": "the dispatcher's queue takes what comes: see q_depth",
    "socket_type": "auditd, or audispatch-kernel, has the socket",
    "stream_buffer_consumers": "makes no difference here", "period": "makes no difference here",
    "reassembler.max_in_flight": "makes no difference here",
    "reassembler.timeout": "makes no difference here",
    "reassembler.queue_size": "makes no difference here",
    "include_warnings": "what a document lacks is said in it",
  ]
  private static let without = [
    "ignore_errors": "augenrules stops at a rule that is wrong; -i in a rule file has it go on",
    "keep_null": "no fields without a value here",
    "tags": "no tags are added here; an ingest pipeline can do so",
    "fields": "no fields of one's own are added here; an ingest pipeline can do so",
    "fields_under_root": "no fields of one's own are added here; an ingest pipeline can do so",
    "processors": "no processors here; redact and aggregate, or an ingest pipeline, do some of it",
    "index": "all events go to one place here", "pipeline": "one pipeline is for all events here",
    "publisher_pipeline": "makes no difference here",
  ]
}
