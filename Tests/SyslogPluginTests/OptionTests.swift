import Configuration
import Foundation
import Linux
import Testing

@testable import AudispatchPlugin
@testable import SyslogSending
@testable import audispatch_syslog

@Suite("The arguments of audispatch-syslog")
struct OptionTests {
  static let levels: [(String, SyslogPriority.Level)] = [
    ("LOG_DEBUG", .debug), ("LOG_INFO", .info), ("LOG_NOTICE", .notice), ("LOG_WARNING", .warning),
    ("LOG_ERR", .err), ("LOG_CRIT", .crit), ("LOG_ALERT", .alert), ("LOG_EMERG", .emerg),
  ]
  static let facilities: [(String, Int)] = [
    ("LOG_USER", 1), ("LOG_DAEMON", 3), ("LOG_AUTH", 4), ("LOG_SYSLOG", 5), ("LOG_AUTHPRIV", 10),
    ("LOG_LOCAL0", 16), ("LOG_LOCAL7", 23),
  ]

  @Test(arguments: levels.indices)
  func `take audisp-syslog's levels`(_ index: Int) {
    #expect(settled(Self.levels[index].0).options.priority.level == Self.levels[index].1)
  }

  @Test(arguments: facilities.indices)
  func `take audisp-syslog's facilities`(_ index: Int) {
    let priority = settled("LOG_ERR", Self.facilities[index].0).options.priority
    #expect(priority.number == Self.facilities[index].1 * 8 + 3)
  }

  @Test func `take interpret, and every word in any order`() {
    let (options, errors) = settled("interpret", "LOG_LOCAL2", "LOG_CRIT")
    #expect(errors.isEmpty && options.interpret && options.priority.number == 146)
  }

  @Test(arguments: ["LOG_NOPE", "info,local0", "interpreted", ""])
  func `refuse what they do not know`(_ word: String) { #expect(!settled(word).errors.isEmpty) }

  static let servers: [(String, String)] = [
    ("local", "/dev/log"), ("unix:/run/x", "/run/x"),
    ("journal", "the journal at /run/systemd/journal/socket"), ("udp://h", "udp://h:514"),
    ("tcp://h:1", "tcp://h:1"), ("tls://h", "tls://h:6514"),
    ("relp://10.0.0.1/", "relp://10.0.0.1:2514"),
    ("relp+tls://[::1]:20514", "relp+tls://[::1]:20514"),
    ("tcp://[fe80::1%eth0]", "tcp://[fe80::1%eth0]:514"),
  ]

  @Test(arguments: servers.indices)
  func `name servers`(_ index: Int) throws {
    let (written, meant) = Self.servers[index]
    let (options, errors) = settled("--server", written)
    #expect(errors == [])
    #expect(options.servers.addresses.map(\.description) == [meant])
  }

  @Test(arguments: [
    "h", "h:514", "tcp:h", "tcp://", "tcp://h:0", "tcp://h:65536", "tcp://h:x", "tcp://[::1",
    "tcp://[::1]514", "http://h", "unix:log", "tcp://a b",
  ])
  func `refuse what is no server`(_ word: String) {
    #expect(!settled("--server", word).errors.isEmpty)
  }

  @Test func `choose what depends on the servers`() {
    let local = settled().options
    #expect(
      local.servers.addresses == [.local] && local.headerForm == .local
        && local.maximumSize == 65536)
    #expect(LocalRecords.path(for: local) == "/dev/log")
    let tcp = settled("--server", "tcp://a", "--server", "relp://b").options
    #expect(tcp.headerForm == .rfc5424 && tcp.maximumSize == 8096)
    #expect(settled("--server", "udp://a").options.maximumSize == 2048)
    #expect(settled("--body", "json").options.unit == .events)
    #expect(settled("--body", "key_value").options.unit == .records)
  }

  private func documentation(_ path: String) throws -> String {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return text(try Transfer.contents(of: "/\(root)/\(path)", limit: 1 << 20))
  }

  @Test func `are all in the manual page`() throws {
    let page = try documentation("Documentation/man/audispatch-syslog.8")
    for keyword in SyslogOptions.keywords {
      let option = "\\-\\-" + keyword.name.replacing("_", with: "\\-")
      #expect(page.contains(option), "\(keyword.name)")
    }
  }

  @Test func `are all in the example, which changes nothing`() throws {
    let lines = try documentation("Documentation/examples/syslog.conf").split(separator: "\n")
    #expect(lines.allSatisfy { $0.hasPrefix("#") })
    let settings = lines.filter { !$0.hasPrefix("# ") }.map { $0.dropFirst() }
    let names = settings.compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(names.sorted() == SyslogOptions.keywords.map(\.name).sorted())
    let examples = ["tls_", "host", "redact_option", "redact_pattern"]
    let known = settings.filter { line in !examples.contains { line.hasPrefix($0) } }
    let arguments = known.map { line in
      let parts = line.split(separator: "=").map { $0.trimmingCharacters(in: .whitespaces) }
      return "--\(parts[0].replacing("_", with: "-"))=\(parts[1])"
    }
    let (options, errors) = settled(arguments)
    #expect(errors == [])
    #expect(options == settled().options)
  }

  @Test(arguments: [
    ["--server", "udp://h", "--max-size", "64K"],
    ["--body", "cef", "--messages", "records"], ["--server", "journal", "--server", "local"],
    ["--server", "tls://h", "--tls-cert", "/etc/passwd"],
    ["--server", "tls://h", "--tls-ca", "/nowhere/ca.pem"], ["--max-size", "100"],
    ["--tag", "a b"], ["--window", "0"],
  ])
  func `refuse what does not fit together`(_ arguments: [String]) throws {
    let line = try? CommandLineSettings(arguments, SyslogOptions.keywords)
    guard let line else { return }
    let source = OptionSource<SyslogOptions>(line, usually: "/nowhere/x.conf", user: 0)
    #expect(source.load().1.contains { $0.severity == .error })
  }
}
