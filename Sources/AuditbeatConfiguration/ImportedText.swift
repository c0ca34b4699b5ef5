public import Configuration
import Linux

/// The files that are made of an `auditbeat.yml`.
public enum ImportedText {
  /// elastic.conf.
  ///
  /// - Parameter settings: those that are taken.
  public static func settings(_ settings: [Setting], from file: String) -> String {
    var text = """
      # /etc/audispatch/elastic.conf, made by 'audispatch-elastic import' of
      # \(printable(file, limit: 4096)).
      # Without data_stream or index documents go to the data stream logs-audispatch-default, which
      # 'audispatch-elastic setup' makes.

      """
    for setting in settings {
      guard let value = value(setting.values[0].text) else { continue }
      text += "\(setting.keyword.text) = \(value)\n"
    }
    return text
  }

  /// A file of /etc/audit/rules.d.
  ///
  /// - Parameter files: what the files of `audit_rule_files` hold, in their order.
  public static func rules(
    _ rules: ImportedRules, _ files: [(path: String, lines: [String])], from file: String
  ) -> String {
    var text = """
      # /etc/audit/rules.d/auditbeat.rules, made by 'audispatch-elastic import' of
      # \(printable(file, limit: 4096)).
      # Only one program has the audit socket: stop auditbeat ('systemctl disable --now auditbeat')
      # before auditd or audispatchd starts. 'augenrules --load' loads these rules.

      """
    for line in rules.controls + rules.lines { text += line + "\n" }
    for (path, lines) in files {
      text += "# \(printable(path, limit: 4096))\n"
      for line in lines { text += line + "\n" }
    }
    if rules.isImmutable { text += "-e 2\n" }
    return text
  }

  /// A value as a line of our files has it; `nil`: none can.
  static func value(_ text: String) -> String? {
    guard text.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 }) else { return nil }
    let isBare =
      text.first.map { !"\"'".contains($0) } ?? false
      && !text.utf8.contains { $0 == 0x20 || $0 == 0x09 }
    if isBare { return text }
    if !text.utf8.contains(0x22) { return "\"\(text)\"" }
    return text.utf8.contains(0x27) ? nil : "'\(text)'"
  }

  static func setting(_ keyword: String, _ value: String, at word: Word) -> Setting {
    Setting(
      keyword: Word(text: keyword, file: word.file, position: word.position),
      values: [Word(text: value, file: word.file, position: word.position)])
  }
}
