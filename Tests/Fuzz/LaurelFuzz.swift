import Configuration
import LaurelConfiguration

/// Reads a config.toml of Laurel. Whatever it is, what is said of it names places that are there, and
/// what is taken over can be used.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzLaurel(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(unsafe UnsafeBufferPointer(start: data, count: count))
  let (found, diagnostics) = LaurelConfiguration.read(input, file: "config.toml")
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
  let again = LaurelConfiguration.read(input, file: "config.toml")
  require(again.diagnostics == diagnostics, "not the same twice")
  require(again.configuration.context == found.context, "not the same twice")
  guard !diagnostics.contains(where: { $0.severity == .error }) else { return 0 }
  require(found.file?.hasPrefix("/") != false, "a file that is no path")
  require(found.maximumSize > 0 && found.generations >= 0, "sizes out of range")
  require(!found.prefix.utf8.contains(0x0a), "a prefix of two lines")
  require(found.argumentLimit ?? 0 >= 0, "a limit out of range")
  return 0
}
