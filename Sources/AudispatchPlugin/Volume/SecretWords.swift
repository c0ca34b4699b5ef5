/// Which words name a secret, and which options of which programs have one behind them.
enum SecretWords {
  /// What stands in the place of a secret.
  static let mark = Array("[redacted]".utf8)

  /// How the name of an option, a variable or a member ends whose value is a secret; in lower case,
  /// with `-` for `_`.
  private static let endings = [
    "password", "passwd", "passphrase", "passwort", "secret", "token", "apikey", "api-key",
    "secret-key", "secretkey", "access-key", "accesskey", "private-key", "sshpass", "mysql-pwd",
    "client-secret", "storepass", "keypass", "psk", "-pass", ".pass",
  ]

  /// Whether a name says that its value is a secret.
  static func isSecret(_ name: some Collection<UInt8>) -> Bool {
    guard name.count >= 3 else { return false }
    let name = String(decoding: name.suffix(64), as: UTF8.self).lowercased().replacing(
      "_", with: "-")
    return endings.contains { ending in
      guard name.hasSuffix(ending) else { return false }
      // `mypassword` and `db-password`, but not `mytoken`: of short words the whole has to be it.
      let before = name.dropLast(ending.count).last
      return before == nil || before == "-" || before == "." || ending.count >= 8
        || name.hasPrefix("pg") || ending.hasPrefix("-") || ending.hasPrefix(".")
    }
  }

  /// Names of headers whose whole value is a secret, but for the word of a scheme.
  static let headers = [
    "authorization", "proxy-authorization", "x-api-key", "x-auth-token", "private-token",
    "x-vault-token", "cookie", "x-amz-security-token",
  ]

  /// How tokens of well-known services begin, and how many bytes follow at least.
  static let tokens: [(beginning: String, length: Int)] = [
    ("ghp_", 20), ("gho_", 20), ("ghs_", 20), ("ghr_", 20), ("github_pat_", 20), ("glpat-", 16),
    ("xoxb-", 16), ("xoxp-", 16), ("xoxa-", 16), ("sk_live_", 16), ("rk_live_", 16), ("hvs.", 20),
    ("dop_v1_", 20), ("AccountKey=", 20),
  ]

  /// What an option of a program has behind it.
  enum Value: Sendable {
    /// A secret: in the same word if there is more of it, else the next word.
    case any
    /// A secret in the same word; alone the option has none.
    case attached
    /// The next word, or the rest of this one: behind this mark it is a secret.
    case behind(UInt8)
  }

  struct Tool: Sendable {
    let names: [String]
    let options: [String: Value]
    /// One-letter options without a value, behind which one with a value may stand: `-sku VALUE`.
    var flags = ""
    /// The options count only where this word stands among the arguments.
    var with: String?
    /// Words behind the program (options left out) that are secrets, from 0 on.
    var operands: [Int] = []
    /// Operands count from behind one of these words.
    var commands: [String] = []
  }

  static let tools: [Tool] = [
    Tool(
      names: [
        "mysql", "mysqldump", "mysqladmin", "mysqlimport", "mysqlshow", "mysqlcheck", "mariadb",
        "mariadb-dump", "mariadb-admin",
      ], options: ["-p": .attached]),
    Tool(names: ["sshpass"], options: ["-p": .any]),
    Tool(
      names: ["curl"],
      options: [
        "-u": .behind(0x3a), "--user": .behind(0x3a), "-U": .behind(0x3a),
        "--proxy-user": .behind(0x3a), "--pass": .any, "--oauth2-bearer": .any,
      ], flags: "0123468aBfgGiIjJkLlMnNOpqRsSvVZ#"),
    Tool(
      names: ["smbclient", "rpcclient", "net", "smbget", "mount.cifs"],
      options: ["-U": .behind(0x25), "--user": .behind(0x25)]),
    Tool(
      names: [
        "ldapsearch", "ldapadd", "ldapmodify", "ldapdelete", "ldapwhoami", "ldapcompare",
        "ldapmodrdn",
      ], options: ["-w": .any], flags: "AcCILMnNQtTuvWxZ"),
    Tool(
      names: ["ldappasswd"], options: ["-w": .any, "-s": .any, "-a": .any],
      flags: "ACINnQSvWxZ"),
    Tool(
      names: ["docker", "podman", "buildah", "skopeo", "nerdctl", "az", "oc", "helm"],
      options: ["-p": .any], with: "login"),
    Tool(names: ["redis-cli"], options: ["-a": .any]),
    Tool(names: ["useradd", "usermod", "groupadd", "groupmod"], options: ["-p": .any]),
    Tool(names: ["7z", "7za", "7zr"], options: ["-p": .attached]),
    Tool(
      names: ["zip", "unzip"], options: ["-P": .any],
      flags: "0123456789aACcDdFfgjJkKlLmMNnoqRrSTuvVwXyz"),
    Tool(names: ["sqlcmd", "bcp", "ipmitool"], options: ["-P": .any]),
    Tool(
      names: ["mongo", "mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport"],
      options: ["-p": .any]),
    Tool(
      names: ["snmpget", "snmpwalk", "snmpset", "snmpbulkwalk", "snmptrap"],
      options: ["-A": .any, "-X": .any, "-c": .any]),
    Tool(names: ["xfreerdp", "xfreerdp3"], options: ["/p:": .attached]),
    Tool(names: ["rdesktop"], options: ["-p": .any]),
    Tool(names: ["openssl"], options: ["-k": .any, "-K": .any, "pass:": .attached]),
    Tool(names: ["wpa_passphrase"], options: [:], operands: [1]),
    Tool(names: ["htpasswd"], options: [:], with: "-b", operands: [2]),
    Tool(
      names: ["rabbitmqctl"], options: [:], operands: [1],
      commands: ["add_user", "change_password", "authenticate_user"]),
  ]
}
