import Linux
import Testing

@testable import Configuration

/// What the shipped unit keeps from the daemon is kept from the plugins too: each shipped file asks
/// for no more, or says what to add.
@Suite("The shipped files of plugins, under the shipped unit")
struct ServiceUnitTests {
  private static let names = [
    "print", "syslog-debian", "laurel-confined", "shell", "log", "syslog-local", "syslog-remote",
    "socket", "json", "remote", "elastic", "otlp", "nats", "kafka", "integrity",
  ]

  private static func words(_ keyword: String, _ text: String, after mark: String = "") -> [String]
  {
    text.split(separator: "\n").filter { $0.hasPrefix("\(mark)\(keyword)=") }
      .flatMap { $0.dropFirst(mark.count + keyword.count + 1).split(separator: " ") }
      .map(String.init)
  }

  private static func capabilities(_ names: [String]) throws -> Capabilities {
    var all: Capabilities = []
    for name in names { all.formUnion(try #require(Capabilities(named: name), "\(name)")) }
    return all
  }

  private static func plugin(_ name: String) throws -> (PluginConfiguration, text: String) {
    let text = try ExampleTests.text("plugins.d/\(name).conf")
    var host = Host()
    let path = try #require(Host.load(plugin: text).plugins.first?.path)
    host[path] = .program()
    host["/proc"] = .directory()
    host[Host.plugins + "/p.conf"] = .file(text.replacing("active = no", with: "active = yes"))
    return (try #require(host.load().plugins.first), text)
  }

  @Test(arguments: names)
  func `find the capabilities that they name, or name the line to add`(_ name: String) throws {
    let unit = try ExampleTests.text("systemd/audispatchd.service")
    let (plugin, text) = try Self.plugin(name)
    let granted = try Self.capabilities(Self.words("CapabilityBoundingSet", unit))
    let added = try Self.capabilities(Self.words("CapabilityBoundingSet", text, after: "# "))
    #expect(added.isDisjoint(with: granted))
    #expect(plugin.confinement.objection(within: granted.union(added)) == nil)
    // With less than what is named it could not start.
    for one in added.names {
      let less = granted.union(added).subtracting(try #require(Capabilities(named: one)))
      #expect(plugin.confinement.objection(within: less) != nil, "\(one)")
    }
  }

  @Test(arguments: names)
  func `write where the unit lets them`(_ name: String) throws {
    let unit = try ExampleTests.text("systemd/audispatchd.service")
    let folders = [
      ("RuntimeDirectory", "/run"), ("StateDirectory", "/var/lib"),
      ("LogsDirectory", "/var/log"),
    ].flatMap { keyword, base in
      Self.words(keyword, unit).map { "\(base)/\($0)" }
    }
    #expect(folders.count == 3)
    let (plugin, _) = try Self.plugin(name)
    for path in plugin.confinement.writePaths ?? [] {
      #expect(folders.contains { path == $0 || path.hasPrefix($0 + "/") }, "\(path)")
    }
    for word in plugin.arguments where word.hasPrefix("/") && !word.hasPrefix("/etc/") {
      #expect(folders.contains { word.hasPrefix($0 + "/") }, "\(word)")
    }
  }

  /// Two ends of each plugin's socket, the connection to auditd, and the memory.
  @Test func `may be as many as there can be, each with what outlives the daemon`() throws {
    let unit = try ExampleTests.text("systemd/audispatchd.service")
    let kept = Self.words("FileDescriptorStoreMax", unit).compactMap { Int($0) }
    #expect(kept.count == 1 && kept.allSatisfy { $0 >= 2 * Survivor.maximumPlugins + 2 })
  }

  /// The unit and the drop-in one behind the other, as systemd reads them.
  private static func receiving() throws -> String {
    try ExampleTests.text("systemd/audispatchd.service")
      + ExampleTests.text("systemd/receive.conf")
  }

  @Test func `do not listen to other hosts without the drop-in, which grants what that needs`()
    throws
  {
    let unit = try ExampleTests.text("systemd/audispatchd.service")
    let central = try ExampleTests.text("Documentation/examples/central.conf")
    let loaded = Host.load(daemon: central)
    let ports = loaded.daemon.remoteSources.compactMap(\.place?.port)
    #expect(ports == [60])
    for (text, isGranted) in [(unit, false), (try Self.receiving(), true)] {
      let families = Self.words("RestrictAddressFamilies", text)
      #expect(families.contains("AF_UNIX"))
      for family in ["AF_INET", "AF_INET6"] { #expect(families.contains(family) == isGranted) }
      // An empty word takes back what stood before.
      let denied = text.split(separator: "\n").last { $0.hasPrefix("IPAddressDeny=") }
      #expect((denied == "IPAddressDeny=") == isGranted)
      let granted = try Self.capabilities(Self.words("CapabilityBoundingSet", text))
      #expect(granted.contains(.bindPorts) == isGranted)
      // The receiver is made nobody, without capabilities.
      #expect(granted.isSuperset(of: [.setUser, .setGroup, .setBound]))
    }
    // It confines itself, and serves a thousand.
    #expect(unit.contains("SystemCallFilter=landlock_create_ruleset"))
    #expect(!unit.contains("LimitNOFILE="))
  }
}
