import AudispatchPlugin
import BulkIndexing
import Configuration
import EventDocument
import Glibc
import Linux

extension ElasticOptions {
  mutating func settle() -> [Diagnostic] {
    delay.longest = max(delay.shortest, delay.longest)
    var found = conflicts(without: [])
    if servers.isEmpty {
      found.append(
        problem("server", "no server is named", suggestion: "set server = https://HOST:9200"))
    }
    found += fileProblems
    if !found.contains(where: { $0.severity == .error }) { found += takeCredentials() }
    return found
  }

  func conflicts(without wrong: Set<String>) -> [Diagnostic] {
    var found: [Diagnostic] = []
    if places["data_stream"] != nil, places["index"] != nil {
      found.append(problem("index", "documents go to one place, and data_stream is given too"))
    }
    if target == .dataStream, operation == .index {
      found.append(
        problem(
          "operation", "a data stream takes only new documents",
          suggestion: "set operation = create, or name an index"))
    }
    if target == .dataStream, form == .laurel || form == .libaudit {
      found.append(
        problem(
          "form", "documents of a data stream need @timestamp, which only ecs and auditbeat6 have",
          suggestion: "set form = ecs, or name an index"))
    }
    let ways = ["user", "api_key_file", "token_file"].filter { places[$0] != nil }
    if ways.count > 1 {
      found.append(
        problem(ways[1], "there is one way to say who we are, and \(ways[0]) is given too"))
    }
    if (credentials.user == nil) != (credentials.passwordFile == nil) {
      found.append(
        problem(
          credentials.user == nil ? "password_file" : "user",
          "a user and a password belong together",
          suggestion: "set both user and password_file"))
    }
    if (certificate == nil) != (key == nil) {
      found.append(
        problem(
          key == nil ? "tls_cert" : "tls_key", "a certificate and its key belong together",
          suggestion: "set both tls_cert and tls_key"))
    }
    return found
  }

  private var fileProblems: [Diagnostic] {
    let files = [("tls_ca", authorities), ("tls_cert", certificate), ("tls_key", key)]
    var found: [Diagnostic] = files.compactMap { keyword, path in
      guard let path else { return nil }
      do throws(Errno) {
        let status = try Files.status(of: path)
        return status.kind == .regular
          ? nil : problem(keyword, "\(path) is a \(status.kind.rawValue), not a file")
      } catch { return problem(keyword, "cannot examine \(path): \(error)") }
    }
    if let refusedFile, let status = try? Files.status(of: refusedFile), status.kind != .regular {
      found.append(
        problem("refused_file", "\(refusedFile) is a \(status.kind.rawValue), not a file"))
    } else if let refusedFile, let refusal = WriteAccess.refusal(refusedFile) {
      found.append(problem("refused_file", "\(refusal)"))
    }
    let isPlain = servers.contains { $0.text.hasPrefix("http://") }
    let isSecret = credentials.user ?? credentials.keyFile ?? credentials.tokenFile
    if isPlain, isSecret != nil {
      found.append(
        problem(
          "server", "who we are goes over the network as plain text", .warning,
          suggestion: "use https"))
    }
    return found
  }

  /// Reads what only root may read.
  private mutating func takeCredentials() -> [Diagnostic] {
    let files: [(keyword: String, path: String?)] = [
      ("password_file", credentials.passwordFile), ("api_key_file", credentials.keyFile),
      ("token_file", credentials.tokenFile),
    ]
    for (keyword, path) in files {
      guard let path else { continue }
      do throws(Errno) {
        let (status, bytes) = try Files.contents(of: path, limit: 8192)
        guard let bytes else {
          return [problem(keyword, "\(path) is a \(status.kind.rawValue), not a file")]
        }
        guard status.mode & 0o077 == 0, status.owner == 0 || status.owner == geteuid() else {
          return [
            problem(
              keyword, "others may have read \(path)",
              suggestion: "chown root \(path); chmod 0400 \(path)")
          ]
        }
        let line = Array(bytes.prefix { $0 != 0x0a && $0 != 0x0d })
        guard !line.isEmpty, line.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
          return [problem(keyword, "the first line of \(path) is empty, or no text")]
        }
        credentials.header = authorization(keyword, line)
      } catch { return [problem(keyword, "cannot read \(path): \(error)")] }
    }
    return []
  }

  private func authorization(_ keyword: String, _ secret: [UInt8]) -> String {
    switch keyword {
    case "password_file":
      "Basic " + Base64.encode(Array("\(credentials.user ?? ""):".utf8) + secret)
    case "api_key_file":
      // `ID:KEY`, or what Kibana shows as "encoded".
      "ApiKey "
        + (secret.contains(UInt8(ascii: ":"))
          ? Base64.encode(secret) : String(decoding: secret, as: UTF8.self))
    default: "Bearer " + String(decoding: secret, as: UTF8.self)
    }
  }

  private func problem(
    _ keyword: String, _ message: String, _ severity: Diagnostic.Severity = .error,
    suggestion: String? = nil
  ) -> Diagnostic {
    places.problem(keyword, message, severity: severity, suggestion: suggestion)
  }
}

/// Bytes as text of 64 characters (RFC 4648).
enum Base64 {
  private static let digits = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let part = bytes[start..<min(start + 3, bytes.count)]
      let value = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
      for place in 0..<4 {
        text.append(
          place <= part.count ? digits[value >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
