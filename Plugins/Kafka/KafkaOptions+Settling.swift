import AudispatchPlugin
import Configuration
import Linux
import Shipping

extension KafkaOptions {
  mutating func settle() -> [Diagnostic] {
    patience.settle()
    if tls != TLSFiles() { isSecure = true }
    var found = conflicts(without: [])
    if servers.isEmpty {
      found.append(
        places.problem("server", "no server is named", suggestion: "set server = HOST:9092"))
    }
    found += tls.problems(places) + RefusedFile.problems(refusedFile, places)
    if !isSecure, user != nil, mechanism == .plain {
      found.append(
        places.problem(
          "sasl", "the password goes over the network as plain text", severity: .warning,
          suggestion: "set tls = yes"))
    }
    if !found.contains(where: { $0.severity == .error }) {
      do throws(Diagnostic) { try takePassword() } catch { found.append(error) }
    }
    return found
  }

  func conflicts(without wrong: Set<String>) -> [Diagnostic] {
    var found = Credentials.conflicts(
      ["user"], hasUser: user != nil, hasPassword: passwordFile != nil, places)
    if user == nil, passwordFile == nil, places["sasl"] != nil, !wrong.contains("user") {
      found.append(
        places.problem(
          "sasl", "there is no password to prove", suggestion: "set user and password_file"))
    }
    return found + tls.conflicts(places)
  }

  private mutating func takePassword() throws(Diagnostic) {
    guard let passwordFile else { return }
    password = String(
      decoding: try SecretFile.line(of: passwordFile, "password_file", places), as: UTF8.self)
  }
}
