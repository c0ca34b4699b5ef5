public import Configuration
public import Linux

/// Messages of a plugin: a line each on standard error, which audispatchd catches, or to the
/// system's log under auditd, where standard error leads nowhere. Never blocks.
public struct PluginLog: Sendable {
  public let name: String
  private var messages: Messages

  public init(name: String) {
    self.name = name
    messages = Messages(program: name)
  }

  public mutating func write(_ severity: Severity, _ text: String) {
    messages.write(severity, text)
  }

  public mutating func write(_ diagnostic: Diagnostic) {
    let severity: Severity =
      switch diagnostic.severity {
      case .error: .error
      case .warning: .warning
      case .note: .info
      }
    messages.write(severity, diagnostic.description)
  }
}
