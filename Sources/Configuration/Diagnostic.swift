import Linux

/// A problem found in the configuration: where, what, and what to do about it.
public struct Diagnostic: Error, Equatable, Codable, Sendable, CustomStringConvertible {
  public enum Severity: String, Codable, Sendable {
    /// What asks for it cannot be used.
    case error
    /// It is used, though perhaps not as meant.
    case warning
    /// Nothing is wrong; someone who looks for the reason of something finds it here.
    case note
  }

  /// Line and column, both from 1; columns count bytes.
  public struct Position: Equatable, Hashable, Codable, Sendable {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
      self.line = line
      self.column = column
    }
  }

  public var severity: Severity
  public var file: String
  /// Nil when the file as a whole is meant.
  public var position: Position?
  /// The offending word, if there is one.
  public var word: String?
  public var message: String
  /// A whole clause: "did you mean 'yes'?", "chmod g-w /etc/x".
  public var suggestion: String?

  public init(
    _ severity: Severity, file: String, at position: Position? = nil, word: String? = nil,
    _ message: String, suggestion: String? = nil
  ) {
    self.severity = severity
    self.file = file
    self.position = position
    self.word = word
    self.message = message
    self.suggestion = suggestion
  }

  /// One line, safe on a terminal: `FILE:LINE:COLUMN: error: MESSAGE ('WORD'); SUGGESTION`.
  public var description: String {
    var line = printable(file, limit: 4096)
    if let position { line += ":\(position.line):\(position.column)" }
    line += ": \(severity.rawValue): \(printable(message, limit: 4096))"
    if let word { line += " ('\(printable(word, limit: 80))')" }
    if let suggestion { line += "; \(printable(suggestion, limit: 4096))" }
    return line
  }
}
