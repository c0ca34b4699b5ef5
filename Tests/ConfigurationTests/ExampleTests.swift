import Linux
import Testing

@testable import Configuration

@Suite("The examples and the documentation")
struct ExampleTests {
  static func text(_ path: String, from file: StaticString = #filePath) throws -> String {
    let root = "\(file)".split(separator: "/").dropLast(3).joined(separator: "/")
    let bytes = try Transfer.contents(of: "/\(root)/\(path)", limit: 1 << 20)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test(arguments: [
    ("print", true, "/usr/libexec/audispatch/audispatch-print"),
    ("syslog-debian", false, "/sbin/audisp-syslog"), ("laurel-confined", false, "/usr/sbin/laurel"),
    ("shell", false, "/bin/sh"),
    ("log", false, "/usr/libexec/audispatch/audispatch-log"),
    ("syslog-local", false, "/usr/libexec/audispatch/audispatch-syslog"),
    ("syslog-remote", false, "/usr/libexec/audispatch/audispatch-syslog"),
    ("socket", false, "/usr/libexec/audispatch/audispatch-socket"),
    ("json", false, "/usr/libexec/audispatch/audispatch-json"),
    ("remote", false, "/usr/libexec/audispatch/audispatch-remote"),
    ("elastic", false, "/usr/libexec/audispatch/audispatch-elastic"),
    ("otlp", false, "/usr/libexec/audispatch/audispatch-otlp"),
    ("nats", false, "/usr/libexec/audispatch/audispatch-nats"),
    ("kafka", false, "/usr/libexec/audispatch/audispatch-kafka"),
    ("integrity", false, "/usr/sbin/audispatch-integrity"),
  ])
  func `of plugins are right, and only the default one is active`(
    _ name: String, _ isActive: Bool, _ path: String
  ) throws {
    let loaded = Host.load(plugin: try Self.text("plugins.d/\(name).conf"))
    #expect(loaded.pluginTexts == [])
    #expect(loaded.plugins.map(\.isActive) == [isActive])
    #expect(loaded.plugins.map(\.path) == [path])
  }

  @Test(arguments: [
    "print", "syslog-debian", "laurel-confined", "shell", "log", "syslog-local", "syslog-remote",
    "socket", "json", "remote", "elastic", "otlp", "nats",
    "kafka", "integrity",
  ])
  func `of plugins are right with every setting in them`(_ name: String) throws {
    let loaded = Host.load(plugin: Self.uncommented(try Self.text("plugins.d/\(name).conf")))
    #expect(loaded.pluginTexts == [])
  }

  @Test(arguments: [
    "print", "syslog-debian", "laurel-confined", "shell", "log", "syslog-local", "syslog-remote",
    "socket", "json", "remote", "elastic", "otlp", "nats",
    "kafka", "integrity",
  ])
  func `of plugins come confined, in a way that fits a host`(_ name: String) throws {
    var host = Host()
    let text = try Self.text("plugins.d/\(name).conf")
    let path = try #require(Host.load(plugin: text).plugins.first?.path)
    host[path] = .program()
    host["/proc"] = .directory()
    host[Host.plugins + "/p.conf"] = .file(
      text.replacing("active = no", with: "active = yes"))
    let loaded = host.load()
    #expect(loaded.pluginTexts == [])
    let confinement = try #require(loaded.plugins.first).confinement
    #expect(confinement.capabilities != nil)
    #expect(confinement.noNewPrivileges)
    #expect(confinement.limits.core == 0)
  }

  @Test func `for auditd 3 is within its two arguments and 158 bytes`() throws {
    let text = try Self.text("Documentation/examples/auditd-plugins.d-audispatch.conf")
    let arguments = try #require(Host.load(plugin: text).plugins.first).arguments
    #expect(arguments.count <= 2)
    #expect(try DaemonArguments(arguments).request.sources == [.standardInput])
    #expect(text.split(separator: "\n").allSatisfy { $0.utf8.count <= 158 })
  }

  /// A comment that is a setting becomes one.
  static func uncommented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.hasPrefix("#") && !line.hasPrefix("# ") ? String(line.dropFirst()) : String(line)
    }.joined(separator: "\n")
  }

  @Test func `of the daemon say nothing but the defaults`() throws {
    let text = try Self.text("Documentation/examples/audispatchd.conf")
    #expect(Host.load(daemon: text).daemon == DaemonConfiguration())
    var expected = DaemonConfiguration()
    expected.sources = [.kernel]
    expected.nodeName = "myhost"
    expected.controlGroup = 4
    expected.capabilityBound = Capabilities(
      rawValue: 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 37)
    let loaded = Host.load(daemon: Self.uncommented(text))
    #expect(loaded.texts == [])
    #expect(loaded.daemon == expected)
  }

  @Test func `of the daemon name every keyword`() throws {
    let text = Self.uncommented(
      try Self.text("Documentation/examples/audispatchd.conf")
        + Self.text("Documentation/examples/central.conf"))
    // auditd's that say nothing here, or are refused.
    let onlyKnown: Set = [
      "enable_krb5", "transport", "use_libwrap", "tls_auth", "tls_allowed_clients",
      "tls_crypto_profile", "tls_require_pqc", "tls_cipher_suites", "tls_key_exchange",
    ]
    for keyword in DaemonFile.table.keywords.map(\.name) where !onlyKnown.contains(keyword) {
      #expect(text.contains("\n\(keyword) = "), "\(keyword)")
    }
  }

  @Test func `of plugins name every keyword of confinement`() throws {
    let text = Self.uncommented(try Self.text("plugins.d/print.conf"))
    for keyword in ConfinementRequest.keywords.map(\.name) {
      #expect(text.contains("\n\(keyword) = "), "\(keyword)")
    }
  }

  @Test func `name every case that a test or a deviation has`() throws {
    let table = try Self.text("Documentation/conformance-cases.md")
    let cited = try Self.text("Documentation/deviations.md").split(separator: "\n")
      .filter { $0.wholeMatch(of: #/\| [A-Z][0-9]+( |,).*/#) != nil }
      .flatMap { $0.split(separator: "|")[0].split(separator: ",") }
      .map { $0.trimmingPrefix(" ").split(separator: " ")[0] }.map(String.init)
    #expect(cited.count > 40)
    for id in Set(cited + PluginCase.all.map(\.id) + DaemonCase.all.map(\.id)) {
      #expect(table.contains("\n| \(id) | "), "\(id)")
    }
  }

  @Test func `give a reason for every case in which auditd does otherwise`() throws {
    let text = try Self.text("Documentation/deviations.md")
    let plugins = PluginCase.all.filter { $0.ours != $0.reference }.map(\.id)
    let daemon = DaemonCase.all.filter { $0.ours != $0.reference }.map(\.id)
    for id in Set(plugins + daemon) { #expect(text.contains("\n| \(id) | "), "\(id)") }
  }
}
