public import AudispatchPlugin
public import Configuration
public import Shipping

extension HTTPAccess {
  /// What does not fit together.
  public func conflicts(_ places: SettingPlaces) -> [Diagnostic] {
    credentials.conflicts(with: ["api_key_file", "token_file"], places) + tls.conflicts(places)
  }

  /// What is missing to reach those servers, and who could listen.
  public func problems(_ servers: [ServerURL], _ places: SettingPlaces) -> [Diagnostic] {
    var found = tls.problems(places)
    let isPlain = servers.contains { $0.text.hasPrefix("http://") }
    if isPlain, (credentials.user ?? keyFile ?? tokenFile) != nil {
      found.append(
        places.problem(
          "server", "who we are goes over the network as plain text", severity: .warning,
          suggestion: "use https"))
    }
    return found
  }

  /// Reads what only root may read.
  public mutating func takeCredentials(_ places: SettingPlaces) -> [Diagnostic] {
    let files: [(keyword: String, path: String?)] = [
      ("password_file", credentials.passwordFile), ("api_key_file", keyFile),
      ("token_file", tokenFile),
    ]
    for (keyword, path) in files {
      guard let path else { continue }
      do throws(Diagnostic) {
        authorization = header(keyword, try SecretFile.line(of: path, keyword, places))
      } catch { return [error] }
    }
    return []
  }

  private func header(_ keyword: String, _ secret: [UInt8]) -> String {
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
}
