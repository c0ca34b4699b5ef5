import AudispatchPlugin
import Configuration
import Shipping

extension NatsOptions {
  mutating func settle() -> [Diagnostic] {
    patience.settle()
    var found = conflicts(without: [])
    if servers.isEmpty {
      found.append(
        places.problem(
          "server", "no server is named", suggestion: "set server = nats://HOST:4222"))
    }
    found += tls.problems(places) + RefusedFile.problems(refusedFile, places)
    if !subject.hasNode {
      found.append(
        places.problem(
          "subject",
          "what may be stored already cannot be looked for among the messages of all hosts",
          severity: .warning, suggestion: "have {node} in subject"))
    }
    if !isSecure, (user ?? tokenFile) != nil {
      found.append(
        places.problem(
          "server", "who we are goes over the network as plain text", severity: .warning,
          suggestion: "use tls://"))
    }
    if !found.contains(where: { $0.severity == .error }) {
      do throws(Diagnostic) { try takeCredentials() } catch { found.append(error) }
    }
    return found
  }

  func conflicts(without wrong: Set<String>) -> [Diagnostic] {
    var found = Credentials.conflicts(
      ["user", "token_file", "credentials_file"], hasUser: user != nil,
      hasPassword: passwordFile != nil, places)
    if let age = wanted.maxAge, age < wanted.window {
      found.append(
        places.problem("max_age", "messages are kept at least as long as window, \(wanted.window)"))
    }
    return found + tls.conflicts(places)
  }

  /// Reads what only root may read; the library reads `credentials_file` itself.
  private mutating func takeCredentials() throws(Diagnostic) {
    if let passwordFile {
      password = String(
        decoding: try SecretFile.line(of: passwordFile, "password_file", places), as: UTF8.self)
    }
    if let tokenFile {
      token = String(
        decoding: try SecretFile.line(of: tokenFile, "token_file", places), as: UTF8.self)
    }
    if let credentialsFile {
      _ = try SecretFile.contents(of: credentialsFile, "credentials_file", places)
    }
  }
}
