public import Configuration
public import ProcessContext

/// What Laurel's own file, `/etc/laurel/config.toml`, asks for: every key of 0.5.1, and what newer ones
/// have of processes.
public struct LaurelConfiguration: Sendable {
  /// The file of documents: an absolute path, or `nil` for standard output.
  public internal(set) var file: String?
  public internal(set) var maximumSize = 10 << 20
  /// Rotated files, without the one that is written.
  public internal(set) var generations = 5
  public internal(set) var prefix = ""

  public internal(set) var hasArgumentList = true
  public internal(set) var hasArgumentText = false
  public internal(set) var argumentLimit: Int?
  public internal(set) var translatesCalls = false
  public internal(set) var translatesUsers = false
  public internal(set) var namesProcesses = true
  public internal(set) var hasParentInfo = false
  public internal(set) var namesContainers = true
  public internal(set) var context = ContextSettings()

  /// The largest executable of which a hash is wanted, if any are.
  var largestHashed = 10_000_000
  var directory: Word?
  var name: Word?

  /// Reads a file of any bytes. Usable when no diagnostic is an error.
  ///
  /// An unknown key is an error, which it is not for Laurel; what is done otherwise here is a note, and
  /// what is not done a warning.
  public static func read(
    _ bytes: [UInt8], file: String
  ) -> (configuration: LaurelConfiguration, diagnostics: [Diagnostic]) {
    var configuration = LaurelConfiguration()
    configuration.context.environment = ["LD_PRELOAD", "LD_LIBRARY_PATH"].map { Array($0.utf8) }
    var diagnostics: [Diagnostic] = []
    do throws(Diagnostic) {
      let table = try TOMLReader.read(bytes, file: file)
      LaurelKeys.apply(table, to: &configuration, &diagnostics)
      if configuration.context.hashLimit != nil {
        configuration.context.hashLimit = configuration.largestHashed
      }
    } catch { diagnostics.append(error) }
    configuration.settleFile(file, &diagnostics)
    return (configuration, diagnostics)
  }

  private mutating func settleFile(_ path: String, _ diagnostics: inout [Diagnostic]) {
    let name = name?.text ?? "audit.log"
    if name == "-" { return }
    if name.hasPrefix("/") {
      file = name
      return
    }
    guard let directory, directory.text.hasPrefix("/") else {
      if diagnostics.contains(where: { $0.severity == .error }) { return }
      diagnostics.append(
        directory?.error("the folder is an absolute path")
          ?? Diagnostic(
            .error, file: path, "no folder for \(name)",
            suggestion: "set directory = \"/var/log/laurel\""))
      return
    }
    file = directory.text + (directory.text.hasSuffix("/") ? "" : "/") + name
  }
}
