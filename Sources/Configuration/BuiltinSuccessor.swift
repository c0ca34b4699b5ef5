/// What takes the place of a plugin that auditd had built in.
struct BuiltinSuccessor: Equatable {
  /// One of our own plugins.
  var program: String
  /// What makes it do as the builtin did, behind the arguments of the file.
  var arguments: [String] = []

  /// builtin_syslog of auditd 2.8 leaves out the records that only end an event.
  private static let known = [
    "builtin_af_unix": BuiltinSuccessor(program: "audispatch-socket"),
    "builtin_syslog": BuiltinSuccessor(program: "audispatch-syslog", arguments: ["--eoe=no"]),
  ]

  /// The successor's arguments for those of the file. What the file calls `format` is what the
  /// socket's clients get, and an argument of the successor.
  func arguments(for given: [String], _ format: RecordFormat) -> [String] {
    let saysFormat = given.contains { RecordFormat(rawValue: $0.lowercased()) != nil }
    let isBinarySocket = program == "audispatch-socket" && format == .binary && !saysFormat
    return given + arguments + (isBinarySocket ? [format.rawValue] : [])
  }

  private init(program: String, arguments: [String] = []) {
    self.program = program
    self.arguments = arguments
  }

  /// - Throws: when there is no such builtin, or its successor is not installed.
  init(_ path: Word, _ executable: PluginExecutable) throws(Diagnostic) {
    guard let successor = Self.known[path.text.lowercased()] else {
      throw path.error(
        "unknown builtin; not started",
        suggestion: Suggestion.near(path.text, among: Self.known.keys.sorted()))
    }
    guard executable.isInstalled(successor.program) else {
      throw path.error("needs \(successor.program), which is not installed; not started")
    }
    self = successor
  }
}
