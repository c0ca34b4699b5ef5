import Configuration
import Testing

@Suite("The folder of plugins")
struct PluginDirectoryTests {
  @Test func `is read in the order of the names, whatever the system's order`() {
    var host = Host()
    for name in ["b.conf", "a", "Z.conf", "10-x.conf", "é.conf"] {
      host[Host.plugins + "/" + name] = .file(Plain.text)
    }
    #expect(host.load().plugins.map(\.name) == ["10-x", "Z", "a", "b", "é"])
  }

  static let ignored: [(String, String?)] = [
    (".a.conf", nil), (".hidden", nil),
    ("a.bak", "ignored: the name has a dot and does not end in .conf"),
    ("a.conf~", "ignored: the name has a dot and does not end in .conf"),
    ("a.conf.dpkg-dist", "ignored: the name has a dot and does not end in .conf"),
    ("a.CONF", "ignored: the name has a dot and does not end in .conf"),
    ("a.b.conf", "ignored: the name has two dots, and auditd reads no such file"),
  ]

  @Test(arguments: ignored)
  func `says which files are not read, but for hidden ones`(_ name: String, _ said: String?) {
    let loaded = Host.load(plugin: "nonsense", as: name)
    #expect(loaded.diagnostics.dropFirst().map(\.message) == (said.map { [$0] } ?? []))
    #expect(loaded.plugins.isEmpty && loaded.unusablePlugins.isEmpty)
    #expect(loaded.exitStatus == 0)
  }

  @Test(arguments: ["a b.conf", "a\"b", "a'b.conf", "a=b.conf", "a\n.conf", "a\u{FFFD}"])
  func `has no plugin with a name that would break a record`(_ name: String) {
    let loaded = Host.load(plugin: Plain.text, as: name)
    #expect(loaded.plugins.isEmpty)
    #expect(loaded.exitStatus == 6)
  }

  @Test func `has no two plugins with one name`() {
    var host = Host()
    host[Host.plugins + "/a"] = .file(Plain.text)
    host[Host.plugins + "/a.conf"] = .file(Plain.text)
    let loaded = host.load()
    #expect(loaded.plugins.map(\.file) == ["/etc/audispatch/plugins.d/a.conf"])
    #expect(
      loaded.pluginTexts == [
        "/etc/audispatch/plugins.d/a: error: the plugin a is described by a.conf; "
          + "rename or remove one of the two"
      ])
    #expect(loaded.unusablePlugins == [])
  }

  @Test func `is an error where it was named and is not there, or is no folder`() {
    for (path, errno) in [
      ("/nowhere", "No such file or directory"), ("/etc/passwd", "Not a directory"),
    ] {
      var request = ConfigurationRequest()
      request.pluginDirectory = path
      let loaded = Host().load(request)
      #expect(loaded.exitStatus == 6)
      #expect(
        loaded.pluginTexts.first?.hasPrefix(
          "\(path): error: cannot read the folder of plugins: \(errno)") == true)
    }
  }

  @Test func `may have an empty file, which is noted`() {
    let loaded = Host.load(plugin: "# later\n")
    #expect(
      loaded.pluginTexts == ["/etc/audispatch/plugins.d/p.conf: note: it says nothing: inactive"])
  }

  @Test func `may be missing, and nothing is started`() {
    var host = Host()
    host[Host.plugins] = nil
    let loaded = host.load()
    #expect(!loaded.isPluginDirectoryRead)
    #expect(
      loaded.pluginTexts == [
        "/etc/audispatch/plugins.d: warning: cannot read the folder of plugins: "
          + "No such file or directory; create it, or set plugin_dir"
      ])
    #expect(loaded.exitStatus == 0)
  }

  @Test(arguments: [
    (UInt32(0), UInt32(0o770), "can be written by its group (mode 0770); chmod g-w"),
    (0, 0o1777, "can be written by its group and by others (mode 01777); chmod go-w"),
    (0, 0o702, "can be written by others (mode 0702); chmod o-w"),
    (7, 0o700, "belongs to uid 7, not to root; chown root"),
  ])
  func `is not read when others could change it`(_ owner: UInt32, _ mode: UInt32, _ why: String) {
    var host = Host()
    host[Host.plugins] = .directory(owner: owner, mode: mode)
    host[Host.plugins + "/p.conf"] = .file(Plain.text)
    let loaded = host.load()
    #expect(loaded.plugins.isEmpty && !loaded.isPluginDirectoryRead)
    #expect(
      loaded.pluginTexts == [
        "\(Host.plugins): error: none of its files is read: it \(why) \(Host.plugins)"
      ])
  }

  @Test func `may belong to the daemon's user with all that is in it`() {
    var host = Host()
    host[Host.plugins] = .directory(owner: 1000)
    host[Host.plugins + "/p.conf"] = .file(Plain.text, owner: 1000)
    host["/sbin/p"] = .program(owner: 1000)
    #expect(host.load(user: 1000).plugins.map(\.isActive) == [true])
    #expect(host.load(user: 1001).plugins.isEmpty)
  }

  @Test func `does not wait for a FIFO`() {
    var host = Host()
    host[Host.plugins + "/p.conf"] = .fifo
    let loaded = host.load()
    #expect(loaded.pluginTexts == ["\(Host.plugins)/p.conf: error: a FIFO, not a file"])
    #expect(loaded.unusablePlugins == ["p"])
  }

  @Test func `wants the folder that a link leads to as safe as itself`() {
    var host = Host()
    host["/tmp"] = .directory(mode: 0o1777)
    host["/tmp/p.conf"] = .file(Plain.text)
    host[Host.plugins + "/p.conf"] = .link("/tmp/p.conf")
    #expect(
      host.load().pluginTexts == [
        "\(Host.plugins)/p.conf: error: /tmp can be written by its group and by others "
          + "(mode 01777); use a folder that only root can write to"
      ])
  }
}
