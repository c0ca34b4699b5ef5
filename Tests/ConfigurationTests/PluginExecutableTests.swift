import Configuration
import Testing

@Suite("A plugin's executable")
struct PluginExecutableTests {
  @Test func `of ours is looked for beside the daemon first`() {
    var host = Host()
    host[Host.plugins + "/p.conf"] = .file(Plain.with("path = audispatch-print"))
    #expect(
      host.load().plugins.map(\.path) == ["/usr/libexec/audispatch/audispatch-print"])
    host["/usr/sbin/audispatch-print"] = .program()
    #expect(host.load().plugins.map(\.path) == ["/usr/sbin/audispatch-print"])
  }

  @Test func `of ours that is in neither place is reported with both`() {
    let loaded = Host.load(plugin: Plain.with("path = audispatch-prnt"))
    #expect(
      loaded.pluginTexts == [
        "/etc/audispatch/plugins.d/p.conf:5:8: error: there is no audispatch-prnt in /usr/sbin or "
          + "/usr/libexec/audispatch ('audispatch-prnt'); "
          + "did you mean '/usr/libexec/audispatch/audispatch-print'?"
      ])
  }

  static let refusals: [(Host.Entry?, String)] = [
    (nil, "there is no p in /sbin ('/sbin/p')"),
    (
      .file("root:x:0:0", mode: 0o644),
      "/sbin/p is neither a program nor a script (mode 0644) ('/sbin/p')"
    ),
    (
      .file("#!/bin/sh\n", mode: 0o644),
      "/sbin/p is not executable (mode 0644) ('/sbin/p'); chmod 0755 /sbin/p"
    ),
    (.directory(), "/sbin/p is a directory, not an executable ('/sbin/p')"),
    (.fifo, "/sbin/p is a FIFO, not an executable ('/sbin/p')"),
    (
      .program(mode: 0o644),
      "/sbin/p is not executable (mode 0644) ('/sbin/p'); chmod 0755 /sbin/p"
    ),
    (
      .program(mode: 0o775),
      "/sbin/p can be written by its group (mode 0775) ('/sbin/p'); chmod g-w /sbin/p"
    ),
    (
      .program(owner: 5), "/sbin/p belongs to uid 5, not to root ('/sbin/p'); chown root /sbin/p"
    ),
  ]

  @Test(arguments: refusals.indices)
  func `is refused with the reason`(_ index: Int) {
    let (entry, reason) = Self.refusals[index]
    var host = Host()
    host["/sbin/q"] = .program()
    host["/sbin/p"] = entry
    host[Host.plugins + "/p.conf"] = .file(Plain.text)
    let loaded = host.load()
    #expect(loaded.pluginTexts == ["/etc/audispatch/plugins.d/p.conf:3:8: error: " + reason])
    #expect(loaded.unusablePlugins == ["p"])
  }

  @Test(arguments: [
    ("#!/usr/bin/nosuchinterp\n", "its interpreter /usr/bin/nosuchinterp is not there"),
    ("#!\n", "its '#!' line names no interpreter"), ("#!/sbin/q -x\n", nil),
  ])
  func `that is a script has its interpreter, or that is said`(_ text: String, _ reason: String?) {
    var host = Host()
    host["/sbin/q"] = .program()
    host["/sbin/p"] = .file(text, mode: 0o755)
    host[Host.plugins + "/p.conf"] = .file(Plain.text)
    let loaded = host.load()
    #expect(
      loaded.pluginTexts
        == (reason.map {
          [
            "/etc/audispatch/plugins.d/p.conf:3:8: error: /sbin/p cannot be executed: \($0) "
              + "('/sbin/p')"
          ]
        } ?? []))
    // It is tried, again and again: what is missing may come.
    #expect(loaded.plugins.map(\.name) == ["p"])
  }

  @Test func `of an overflow action is there, or that is said`() {
    var host = Host()
    host[ConfigurationRequest.standardDaemonFile] = .file("single_exe = /sbin/init1\n")
    host[Host.plugins + "/p.conf"] = .file(Plain.with("overflow_action = single"))
    #expect(
      host.load().texts == [
        "/etc/audispatch/audispatchd.conf: error: single_exe cannot be executed when plugin p "
          + "overflows: No such file or directory ('/sbin/init1')"
      ])
    host["/sbin/init1"] = .program()
    #expect(host.load().texts == [])
  }

  @Test(arguments: [
    ("nosuch", nil), ("touch", nil), ("toush", "touch"), ("tuoch", "touch"), ("lz", nil),
    ("systemd-analize", "systemd-analyze"),
  ])
  func `that is not there is taken for another only where that is near`(
    _ name: String, _ meant: String?
  ) {
    var host = Host()
    for there in ["touch", "ls", "systemd-analyze"] where there != name {
      host["/usr/bin/\(there)"] = .program()
    }
    host["/usr/bin"] = .directory()
    host[Host.plugins + "/p.conf"] = .file(Plain.with("path = /usr/bin/\(name)"))
    let suggestion = meant.map { "; did you mean '/usr/bin/\($0)'?" } ?? ""
    #expect(
      host.load().pluginTexts == [
        "/etc/audispatch/plugins.d/p.conf:5:8: error: there is no \(name) in /usr/bin "
          + "('/usr/bin/\(name)')\(suggestion)"
      ])
  }

  @Test func `in everybody's folder is to be put elsewhere, and that stays as it is`() {
    var host = Host()
    host["/sbin"] = .directory(mode: 0o1777)
    host[Host.plugins + "/p.conf"] = .file(Plain.text)
    #expect(
      host.load().pluginTexts == [
        "/etc/audispatch/plugins.d/p.conf:3:8: error: /sbin can be written by its group and by others "
          + "(mode 01777) ('/sbin/p'); use a folder that only root can write to"
      ])
  }

  @Test func `is refused in a folder that others may write to`() {
    var host = Host()
    host["/sbin"] = .directory(mode: 0o777)
    host[Host.plugins + "/p.conf"] = .file(Plain.text)
    #expect(host.load().unusablePlugins == ["p"])
  }

  @Test func `is not looked at while the plugin is inactive`() {
    let loaded = Host.load(plugin: Plain.with("active = no", "path = /opt/none/x"))
    #expect(loaded.pluginTexts == [])
    #expect(loaded.plugins.map(\.path) == ["/opt/none/x"])
  }

  @Test func `is known by its device, inode and time`() throws {
    let plugin = try #require(Host.load(plugin: Plain.text).plugins.first)
    #expect(plugin.executable?.inode != 0)
  }

  @Test func `is not the dispatcher, whose own file stands in auditd's folder`() {
    let loaded = Host.load(plugin: Plain.with("path = /usr/sbin/audispatchd"))
    #expect(loaded.plugins.map(\.isActive) == [false])
    #expect(loaded.count(.warning) == 1)
    #expect(loaded.exitStatus == 0)
  }

  @Test(arguments: [(UInt32(0o700), false), (0o710, true), (0o701, true)])
  func `of root is one that the daemon's user may execute`(_ mode: UInt32, _ isUsable: Bool) {
    var host = Host()
    host["/sbin/p"] = .program(mode: mode)
    host[Host.plugins + "/p.conf"] = .file(Plain.text)
    #expect(host.load(user: 1000).plugins.isEmpty == !isUsable)
  }
}
