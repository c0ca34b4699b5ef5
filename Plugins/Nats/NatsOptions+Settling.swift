import AudispatchPlugin
import Configuration
import Shipping

extension NatsOptions {
  mutating func settle() -> [Diagnostic] {
    var found = settlePublishing(
      hasServer: !servers.isEmpty, example: "nats://HOST:4222", more: warnings)
    if !found.contains(where: { $0.severity == .error }) {
      do throws(Diagnostic) { try takeToken() } catch { found.append(error) }
    }
    return found
  }

  private var warnings: [Diagnostic] {
    var found: [Diagnostic] = []
    if !subject.hasNode {
      found.append(
        places.problem(
          "subject",
          "what may be stored already cannot be looked for among the messages of all hosts",
          severity: .warning, suggestion: "have {node} in subject"))
    }
    if !isSecure, (credentials.user ?? tokenFile) != nil {
      found.append(
        places.problem(
          "server", "who we are goes over the network as plain text", severity: .warning,
          suggestion: "use tls://"))
    }
    return found
  }

  func conflicts(without wrong: Set<String>) -> [Diagnostic] {
    var found = credentials.conflicts(with: ["token_file", "credentials_file"], places)
    if let age = wanted.maxAge, age < wanted.window {
      found.append(
        places.problem("max_age", "messages are kept at least as long as window, \(wanted.window)"))
    }
    return found + tls.conflicts(places)
  }

  /// Reads what only root may read; the library reads `credentials_file` itself.
  private mutating func takeToken() throws(Diagnostic) {
    if let tokenFile {
      token = String(
        decoding: try SecretFile.line(of: tokenFile, "token_file", places), as: UTF8.self)
    }
    if let credentialsFile {
      _ = try SecretFile.contents(of: credentialsFile, "credentials_file", places)
    }
  }
}
