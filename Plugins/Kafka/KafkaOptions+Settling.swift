import AudispatchPlugin
import Configuration
import Shipping

extension KafkaOptions {
  mutating func settle() -> [Diagnostic] {
    if tls != TLSFiles() { isSecure = true }
    var more: [Diagnostic] = []
    if !isSecure, credentials.user != nil, mechanism == .plain {
      more.append(
        places.problem(
          "sasl", "the password goes over the network as plain text", severity: .warning,
          suggestion: "set tls = yes"))
    }
    return settlePublishing(hasServer: !servers.isEmpty, example: "HOST:9092", more: more)
  }

  func conflicts(without wrong: Set<String>) -> [Diagnostic] {
    var found = credentials.conflicts(places)
    if credentials == Credentials(), places["sasl"] != nil, !wrong.contains("user") {
      found.append(
        places.problem(
          "sasl", "there is no password to prove", suggestion: "set user and password_file"))
    }
    return found + tls.conflicts(places)
  }
}
