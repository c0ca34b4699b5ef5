import AudispatchPlugin
import Linux

extension CommandExecution {
  /// Writes our configuration from one of AIDE, and says what has no equal.
  mutating func importAide() throws -> Int32 {
    let imported = try AideImport(file: String(decoding: paths[0].bytes, as: UTF8.self))
    try output.line(String(imported.text.dropLast()))
    for diagnostic in imported.diagnostics { log.write(diagnostic) }
    return imported.diagnostics.isEmpty ? Command.Status.same : Command.Status.incomplete
  }
}
