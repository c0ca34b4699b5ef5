import AuditRecord
import Testing

@testable import AudispatchPlugin

@Suite("Secrets in arguments")
struct RedactionTests {
  private static func redacted(_ words: [String], _ rules: RedactionRules = .init()) throws
    -> [String]
  {
    let arguments = words.map { Array($0.utf8) }
    let result = try SecretFinder(rules).redacted(arguments) ?? arguments
    return result.map { String(decoding: $0, as: UTF8.self) }
  }

  /// What is taken out is `X`, in the arguments as they should become.
  static let found: [([String], [String])] = [
    (["x", "--password", "se cret", "y"], ["x", "--password", "X", "y"]),
    (["x", "--password=se cret", "y"], ["x", "--password=X", "y"]),
    (["x", "--db-password=a"], ["x", "--db-password=X"]),
    (["x", "-password", "a"], ["x", "-password", "X"]),
    (["x", "--API_KEY", "a"], ["x", "--API_KEY", "X"]),
    (
      ["x", "--auth-token=a", "--client-secret", "b"],
      ["x", "--auth-token=X", "--client-secret", "X"]
    ),
    (["mysql", "-u", "root", "-psecret", "db"], ["mysql", "-u", "root", "-pX", "db"]),
    (["/usr/bin/mysqldump", "-psecret"], ["/usr/bin/mysqldump", "-pX"]),
    (["sudo", "-u", "x", "mysql", "-psecret"], ["sudo", "-u", "x", "mysql", "-pX"]),
    (["sshpass", "-p", "a b", "ssh", "h"], ["sshpass", "-p", "X", "ssh", "h"]),
    (["sshpass", "-pa", "ssh", "h"], ["sshpass", "-pX", "ssh", "h"]),
    (["curl", "-u", "me:pass", "http://h/"], ["curl", "-u", "me:X", "http://h/"]),
    (["curl", "--user=me:pass"], ["curl", "--user=me:X"]),
    (["curl", "-ume:pass"], ["curl", "-ume:X"]),
    (["curl", "-sku", "me:pass", "h"], ["curl", "-sku", "me:X", "h"]),
    (["curl", "-sSfume:pass"], ["curl", "-sSfume:X"]), (["curl", "-xu:p"], ["curl", "-xu:p"]),
    (["ldapsearch", "-xw", "p"], ["ldapsearch", "-xw", "X"]),
    (["zip", "-rP", "s", "f"], ["zip", "-rP", "X", "f"]),
    (
      ["java", "-D" + String(repeating: "com.example.", count: 9) + "db.password=s"],
      ["java", "-D" + String(repeating: "com.example.", count: 9) + "db.password=X"]
    ),
    (["env", "DB_PASS=s", "x", "--first-pass=t"], ["env", "DB_PASS=X", "x", "--first-pass=X"]),
    (["x", "--bypass=s"], ["x", "--bypass=s"]),
    (["curl", "-H", "Authorization: Bearer abc"], ["curl", "-H", "Authorization: Bearer X"]),
    (["curl", "-H", "authorization: abc"], ["curl", "-H", "authorization: X"]),
    (["curl", "-HX-Api-Key: abc"], ["curl", "-HX-Api-Key: X"]),
    (["curl", "-d", "user=a&password=b&c=d"], ["curl", "-d", "user=a&password=X&c=d"]),
    (
      ["curl", "-d", #"{"user":"a","password": "b c"}"#],
      ["curl", "-d", #"{"user":"a","password": "X"}"#]
    ),
    (["git", "clone", "https://me:tok@h/r"], ["git", "clone", "https://me:X@h/r"]),
    (
      ["git", "clone", "https://abcdefghijklmnopqrstuvwx@h/r"], ["git", "clone", "https://X@h/r"]
    ),
    (["psql", "postgresql://u:p@h/d"], ["psql", "postgresql://u:X@h/d"]),
    (["env", "PGPASSWORD=a b", "psql"], ["env", "PGPASSWORD=X", "psql"]),
    (["env", "AWS_SECRET_ACCESS_KEY=a/b+c="], ["env", "AWS_SECRET_ACCESS_KEY=X"]),
    (["sh", "-c", "mysql -psecret ; ls"], ["sh", "-c", "mysql -pX ; ls"]),
    (["sh", "-c", "MYSQL_PWD=a mysql -u b"], ["sh", "-c", "MYSQL_PWD=X mysql -u b"]),
    (["bash", "-lc", "x --token 'a b' y"], ["bash", "-lc", "x --token X y"]),
    (["smbclient", "-U", "me%pass", "//h/s"], ["smbclient", "-U", "me%X", "//h/s"]),
    (["ldapsearch", "-D", "cn=a", "-w", "p"], ["ldapsearch", "-D", "cn=a", "-w", "X"]),
    (["docker", "login", "-u", "a", "-p", "b"], ["docker", "login", "-u", "a", "-p", "X"]),
    (["redis-cli", "-a", "p"], ["redis-cli", "-a", "X"]),
    (["useradd", "-p", "$6$salt$hash", "bob"], ["useradd", "-p", "X", "bob"]),
    (["7z", "a", "-psecret", "f"], ["7z", "a", "-pX", "f"]),
    (["zip", "-P", "s", "f"], ["zip", "-P", "X", "f"]),
    (["openssl", "enc", "-pass", "pass:s"], ["openssl", "enc", "-pass", "pass:X"]),
    (["htpasswd", "-b", "f", "me", "s"], ["htpasswd", "-b", "f", "me", "X"]),
    (["wpa_passphrase", "net", "s"], ["wpa_passphrase", "net", "X"]),
    (["rabbitmqctl", "add_user", "me", "s"], ["rabbitmqctl", "add_user", "me", "X"]),
    (["xfreerdp", "/u:me", "/p:s"], ["xfreerdp", "/u:me", "/p:X"]),
    (["x", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"], ["x", "X"]),
    (["x", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"], ["x", "X"]),
    (
      ["x", "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----"],
      ["x", "-----BEGIN PRIVATE KEY-----X-----END PRIVATE KEY-----"]
    ),
  ]

  @Test(arguments: found.indices) func `are taken out`(_ index: Int) throws {
    let (arguments, expected) = Self.found[index]
    let marked = expected.map { $0.replacing("X", with: "[redacted]") }
    // A header's name has an X too.
    #expect(
      try Self.redacted(arguments)
        == marked.map { $0.replacing("-H[redacted]-Api", with: "-HX-Api") })
  }

  @Test(
    arguments: [
      ["ls", "-l"], ["docker", "run", "-p", "80:80", "nginx"], ["mysql", "-p", "db"],
      ["mysql", "--port", "3306"], ["tar", "-p", "x"], ["x", "--password-file", "/f"],
      ["x", "--password-file=/f"], ["x", "--no-password", "y"], ["x", "--ask-password", "y"],
      ["x", "--password", "--user"], ["x", "--password="], ["x", "--password"],
      ["ssh", "git@host"], ["x", "http://h/a@b:c"], ["x", "token"], ["x", "a=b"],
      ["sh", "-c", "x --token ${T} --secret=$T"], ["x", "PASSWORD=$PASSWORD"],
      ["htpasswd", "f", "me", "s"], ["x", "secretary=1"], ["x", "mytoken=1"], ["x", "eyJhbGci"],
      ["x", "Set-Cookies"], [""], [],
    ] as [[String]]) func `are not seen where there are none`(_ arguments: [String]) throws
  {
    #expect(try Self.redacted(arguments) == arguments)
  }

  /// Of as much as an argument holds, made for that: a search that begins anew at each of them takes
  /// minutes here.
  @Test(arguments: [
    "eyJ.", "eyJ", "ghp_", "cookie:", "password=${", "://a@", "-----BEGIN ", "token='",
    "authorization: ",
  ])
  func `are looked for once`(_ text: String) throws {
    let clock = ContinuousClock()
    let long = String(repeating: text, count: 120_000 / text.utf8.count)
    let time = try clock.measure { _ = try Self.redacted(["x", long, "sh", "-c", long]) }
    #expect(time < .seconds(30))
  }

  @Test func `are looked for once among many words`() throws {
    let clock = ContinuousClock()
    for tool in ["docker", "htpasswd"] {
      let words =
        [tool] + Array(repeating: "-x", count: 30_000) + Array(repeating: tool, count: 30_000)
      let time = try clock.measure { _ = try Self.redacted(words) }
      #expect(time < .seconds(30), "\(tool)")
    }
  }

  @Test func `are what further options and expressions say`() throws {
    var rules = RedactionRules()
    rules.builtIn = false
    rules.options = ["--pin"]
    rules.patterns = ["card=([0-9]+)", "top.?secret"]
    #expect(
      try Self.redacted(["x", "--pin", "-1", "--pin=2", "--password", "p"], rules)
        == ["x", "--pin", "[redacted]", "--pin=[redacted]", "--password", "p"])
    #expect(
      try Self.redacted(["card=123 card=45;a", "a top secret"], rules)
        == ["card=[redacted] card=[redacted];a", "a [redacted]"])
    rules.patterns = ["("]
    #expect(throws: SecretPattern.Fault.self) { try SecretFinder(rules) }
    rules.patterns = ["x*"]
    #expect(try Self.redacted(["axxb", "ab"], rules) == ["a[redacted]b", "ab"])
  }

  @Test func `are taken out of every record that has arguments`() throws {
    let lines = [
      #"type=SYSCALL msg=audit(1.000:1): arch=c000003e syscall=59 comm="mysql" exe="/usr/bin/mysql""#,
      #"type=EXECVE msg=audit(1.000:1): argc=3 a0="mysql" a1="-psecret" a2_len=22 a2[0]="--password""#,
      #"type=EXECVE msg=audit(1.000:1):  a2[1]="=more secret""#,
      "type=PROCTITLE msg=audit(1.000:1): proctitle=6D7973716C002D70736563726574",
      "type=EOE msg=audit(1.000:1):",
      "node=a type=USER_CMD msg=audit(2.000:2): pid=1 uid=0 msg='cwd=\"/\" "
        + "cmd=6D7973716C202D7073656372657420646220 exe=\"/usr/bin/sudo\" res=success'\u{1d}UID=\"root\"",
    ]
    let events = assemble(lines.map { Array($0.utf8) })
    try #require(events.count == 2)
    var redactor = EventRedactor(try SecretFinder(RedactionRules()))
    let first = redactor.redact(events[0])
    #expect(
      first.arguments()?.map { String(decoding: $0, as: UTF8.self) }
        == ["mysql", "-p[redacted]", "--password=[redacted]"])
    #expect(
      first.processTitle()?.map { String(decoding: $0, as: UTF8.self) }
        == ["mysql", "-p[redacted]"])
    #expect(first.records.map(\.type) == events[0].records.map(\.type))
    let second = redactor.redact(events[1])
    let record = try #require(second.records.first)
    #expect(second.value("cmd", of: record) == Array("mysql -p[redacted] db ".utf8))
    #expect(second.value("exe", of: record) == Array("/usr/bin/sudo".utf8))
    #expect(second.enrichment("UID", of: record) != nil)
    #expect(second.node.map { Array(second.bytes[$0]) } == Array("a".utf8))
    #expect(redactor.count == 2)
    let all = String(decoding: first.bytes + second.bytes, as: UTF8.self)
    #expect(!all.contains("secret") && !all.contains("736563726574"))
  }

  @Test func `leave other events byte for byte as they were`() throws {
    var redactor = EventRedactor(try SecretFinder(RedactionRules()))
    for event in assemble(Corpus.lines) {
      let result = redactor.redact(event)
      if redactor.count == 0 {
        #expect(result.bytes == event.bytes && result.records == event.records)
      }
    }
    #expect(redactor.count == 0)
  }
}
