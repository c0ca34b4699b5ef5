import AuditbeatConfiguration
import Configuration

/// Reads an auditbeat.yml. Whatever it is, what is said of it names places that are there, and the
/// files that are made of it are read as what was meant.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAuditbeat(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(unsafe UnsafeBufferPointer(start: data, count: count))
  let (found, diagnostics) = AuditbeatConfiguration.read(input, file: "a.yml", folder: "/etc/ab")
  let lines = input.split(separator: 0x0a, omittingEmptySubsequences: false)
  for diagnostic in diagnostics {
    require(!diagnostic.message.isEmpty, "no message")
    require(!diagnostic.description.contains("\n"), "more than a line: \(diagnostic)")
    guard let position = diagnostic.position else { continue }
    require((1...lines.count).contains(position.line), "no such line: \(diagnostic)")
    require(
      (1...lines[position.line - 1].count + 1).contains(position.column),
      "no such column: \(diagnostic)")
  }
  let text = ConfigurationText(
    Array(ImportedText.settings(found.settings, from: "a.yml").utf8), file: "elastic.conf")
  require(
    text.diagnostics.isEmpty || text.diagnostics[0].message.hasPrefix("longer than")
      || text.diagnostics[0].message.hasPrefix("the line is longer"), "\(text.diagnostics)")
  require(
    !text.diagnostics.isEmpty
      || text.settings.map(\.values[0].text) == found.settings.map(\.values[0].text),
    "read back as something else")
  for line in found.rules.controls + found.rules.lines {
    require(!line.contains { $0.isNewline }, "a rule of two lines")
  }
  return 0
}
