import Configuration
import Testing

/// A plugin whose socket the daemon reads.
@Suite("The daemon's source")
struct ServedSocketTests {
  private static func load(
    source: String, arguments: String = "", file: String? = nil, active: Bool = true
  ) -> LoadedConfiguration {
    var host = Host()
    host["/usr/libexec/audispatch/audispatch-socket"] = .program()
    host["/var/run"] = .link("/run")
    host["/etc/audispatch/socket.conf"] = file.map { .file($0) }
    host[ConfigurationRequest.standardDaemonFile] = .file("source = unix:\(source)\n")
    host[Host.plugins + "/socket.conf"] = .file(
      "active = \(active ? "yes" : "no")\npath = audispatch-socket\n"
        + (arguments.isEmpty ? "" : "args = \(arguments)\n"))
    return host.load()
  }

  @Test(arguments: [
    ("/var/run/audispd_events", "", nil), ("/run/audispd_events", "0640 /run/audispd_events", nil),
    ("/run/x", "string", "path = /var/run/x\n"), ("/run/x", "--path=/run/x", "path = /run/y\n"),
    ("/run/x", "-p /run/x", nil),
  ])
  func `is no socket of a plugin of ours`(_ source: String, _ arguments: String, _ file: String?) {
    let loaded = Self.load(source: source, arguments: arguments, file: file)
    #expect(
      loaded.texts == [
        "/etc/audispatch/plugins.d/socket.conf: error: its socket \(source) is the daemon's own "
          + "source: it would read what it writes; give the plugin another path, or set active = no"
      ])
    #expect(loaded.unusablePlugins == ["socket"] && loaded.isDaemonUsable)
  }

  @Test(arguments: [
    ("/run/audit/audispd_events", "", nil), ("/run/audispd_events", "0640 /run/x", nil),
    ("/run/audispd_events", "", "path = /run/x\n"),
  ])
  func `may be another`(_ source: String, _ arguments: String, _ file: String?) {
    let loaded = Self.load(source: source, arguments: arguments, file: file)
    #expect(loaded.texts == [] && loaded.plugins.count == 1)
  }

  @Test func `may be that of a plugin that is not active`() {
    #expect(Self.load(source: "/run/audispd_events", active: false).texts == [])
  }
}
