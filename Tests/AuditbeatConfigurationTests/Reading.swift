import AuditbeatConfiguration
import Configuration

/// What is made of a text, with what is said of it.
struct Imported {
  let settings: [String]
  let rules: ImportedRules
  let said: [String]

  init(_ text: String) { self.init(Array(text.utf8)) }

  init(_ bytes: [UInt8]) {
    let (found, diagnostics) = AuditbeatConfiguration.read(bytes, file: "a.yml", folder: "/etc/ab")
    settings = found.settings.map { "\($0.keyword.text) = \($0.values[0].text)" }
    rules = found.rules
    said = diagnostics.map(\.description)
  }

  /// An output, and the module that every file has.
  init(output: String) {
    self.init(
      "auditbeat.modules: [{module: auditd}]\noutput.elasticsearch:\n"
        + output.split(separator: "\n").map { "  \($0)\n" }.joined())
  }

  /// A module, and an output.
  init(module: String) {
    self.init(
      "output.elasticsearch.hosts: a\nauditbeat.modules:\n- module: auditd\n"
        + module.split(separator: "\n").map { "  \($0)\n" }.joined())
  }

  func says(_ text: String) -> Bool { said.contains { $0.contains(text) } }
}
