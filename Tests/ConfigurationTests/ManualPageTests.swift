import Linux
import Testing

@testable import Configuration

/// What a manual page says of a keyword, without the marks of its layout.
private func entry(_ keyword: String, in page: String) throws -> String {
  let start = "\n.TP\n.BR \(keyword) "
  let found = try #require(page.firstRange(of: start), "\(keyword) is not in the page")
  let rest = page[found.upperBound...]
  let lines = rest.split(separator: "\n", omittingEmptySubsequences: false)
    .prefix { !$0.hasPrefix(".TP") && !$0.hasPrefix(".S") }
  return lines.map { line in
    let isMarked = line.hasPrefix(".B") || line.hasPrefix(".I") || line.hasPrefix(".R")
    let text = isMarked ? line.drop { $0 != " " }.dropFirst() : line
    return text.replacing("\\-", with: "-").replacing("\"", with: "")
  }.joined(separator: " ")
}

@Suite("The manual pages")
struct ManualPageTests {
  /// A keyword, and what counts without it.
  struct Described: Sendable, CustomTestStringConvertible {
    var name: String
    var standard: String?
    var testDescription: String { name }

    init<Target>(_ keyword: Keyword<Target>, in target: Target) {
      name = keyword.name
      standard = keyword.standard(in: target)
    }
  }

  static let daemons = DaemonFile.own.map { Described($0, in: DaemonFile([], file: "")) }
  static let plugins = PluginFile.table.keywords.map {
    Described(
      $0,
      in: PluginFile([], file: "", name: "", defaults: PluginConfiguration(name: "", file: "")))
  }

  @Test(arguments: daemons)
  func `describe the daemon's keywords with what counts without them`(_ keyword: Described) throws {
    try check(keyword, in: "audispatchd.conf.5")
  }

  @Test(arguments: plugins)
  func `describe the plugins' keywords with what counts without them`(_ keyword: Described) throws {
    try check(keyword, in: "audispatch-plugins.d.5")
  }

  private func check(_ keyword: Described, in page: String) throws {
    let text = try entry(keyword.name, in: try ExampleTests.text("Documentation/man/\(page)"))
    guard let standard = keyword.standard else { return }
    // Where nothing else is possible, or a paragraph is about the value itself, no default is named.
    if ["direction", "type", "no_new_privs"].contains(keyword.name) { return }
    let words = text.split { " ,.;:".contains($0) }.map(String.init)
    let isDefault = text.contains("Default") || text.contains("default")
    let wanted = standard.split { " ,.;:".contains($0) }.map(String.init)
    #expect(isDefault && wanted.allSatisfy(words.contains), "\(standard) is not in: \(text)")
  }

  @Test func `describe every option of the daemon, and each option is in the help`() throws {
    let page = try ExampleTests.text("Documentation/man/audispatchd.8")
      .replacing("\\-", with: "-")
    for option in DaemonArguments.options.map(\.option) + ["--check", "--foreground", "--help"] {
      #expect(page.contains(option), "\(option)")
      #expect(DaemonArguments.help.contains(option + " ") || option == "--help")
    }
    #expect(DaemonArguments.help.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }
}

@Suite("A default that a table names")
struct StandardTests {
  /// Setting a keyword to what counts without it changes nothing.
  @Test(arguments: DaemonFile.table.keywords.map(\.name))
  func `of the daemon is the one that counts`(_ name: String) throws {
    let keyword = try #require(DaemonFile.table[name])
    let plain = DaemonFile([], file: "")
    guard let standard = keyword.standard(in: plain) else { return }
    let file = DaemonFile(Array("\(name) = \(standard)\n".utf8), file: "f")
    #expect(file.diagnostics == [])
    #expect(file.configuration == plain.configuration)
  }

  @Test(arguments: PluginFile.table.keywords.map(\.name))
  func `of a plugin is the one that counts`(_ name: String) throws {
    let keyword = try #require(PluginFile.table[name])
    let defaults = PluginConfiguration(name: "", file: "")
    let plain = PluginFile([], file: "f", name: "p", defaults: defaults)
    guard let standard = keyword.standard(in: plain) else { return }
    let text = Array("\(name) = \(standard)\n".utf8)
    let file = PluginFile(text, file: "f", name: "p", defaults: defaults)
    #expect(file.diagnostics == [])
    #expect(file.configuration == plain.configuration)
  }

  @Test func `is one for every keyword whose value is a number, a time or a choice`() {
    let named = Set(
      DaemonFile.table.keywords.filter { $0.standard(in: DaemonFile([], file: "")) != nil }
        .map(\.name))
    let others = Set(DaemonFile.table.keywords.map(\.name)).subtracting(named)
    #expect(
      others == [
        "allowed_networks", "capability_bound", "control_group", "enable_krb5", "name", "source",
        "tcp_client_ports", "tls_allowed_clients", "tls_auth", "tls_ca", "tls_cert",
        "tls_cipher_suites", "tls_crl", "tls_crypto_profile", "tls_key", "tls_key_exchange",
        "tls_psk_file", "tls_psk_identity", "tls_psk_node", "tls_require_pqc", "transport",
      ])
  }
}
