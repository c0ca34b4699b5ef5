import Configuration
import Linux
import Testing

@Suite("The auditd in front")
struct AuditdInFrontTests {
  static let ours = "/etc/audit/plugins.d/audispatch.conf"
  static let plugin = "active = yes\npath = /usr/sbin/audispatchd\nargs = --source stdin\n"

  /// What is said of a host with these files, by the first words and the last.
  private func said(
    _ version: [Int]?, _ files: [String: String], reloadWait: Duration? = nil,
    _ configure: (inout PluginConfiguration) -> Void = { _ in }
  ) -> [String]? {
    var host = Host()
    host["/etc/audit/plugins.d"] = .directory(mode: 0o750)
    for (path, text) in files { host[path] = .file(text) }
    var plugin = PluginConfiguration(name: "siem", file: "/etc/audispatch/plugins.d/siem.conf")
    plugin.isActive = true
    plugin.path = "/usr/sbin/siem"
    configure(&plugin)
    return AuditdInFront(host.access, version: { version })?
      .traps(for: [plugin], reloadWait: reloadWait).map(\.description)
  }

  @Test func `is none where no file of auditd's starts us`() {
    #expect(said([4, 2, 1], [:]) == nil)
    #expect(said([4, 2, 1], [Self.ours: Self.plugin.replacing("yes", with: "no")]) == nil)
    #expect(said([4, 2, 1], ["/etc/audit/plugins.d/.a.conf": Self.plugin]) == nil)
  }

  @Test(arguments: [[3, 0, 9], [4, 1, 4], [4, 2, 1], nil])
  func `has nothing to say where it has no traps`(_ version: [Int]?) {
    #expect(said(version, [Self.ours: Self.plugin]) == [])
  }

  @Test(arguments: [[4, 2], [4, 2, 1], [5, 0]])
  func `ends its plugins at a reload from 4.2 on, and ours where they do not outlive it`(
    _ version: [Int]
  ) {
    let name = version.map(String.init).joined(separator: ".")
    #expect(
      said(version, [Self.ours: Self.plugin], reloadWait: .zero) == [
        "\(Self.ours): note: auditd \(name) ends all its plugins at each SIGHUP and starts them again; "
          + "with reload_wait = auto what audispatchd has started goes on meanwhile"
      ])
  }

  @Test(arguments: [
    ([4, 2], "log_format = RAW\nname_format = NONE\n", true),
    ([4, 2, 1], "log_format = raw\n", true),
    ([4, 2, 1], "log_format = RAW\nname_format = hostname\n", false),
    ([4, 2, 1], "log_format = ENRICHED\n", false), ([4, 2, 2], "log_format = RAW\n", false),
    ([3, 0, 9], "log_format = RAW\n", false),
  ])
  func `cuts raw records in 4.2 and 4.2.1`(_ version: [Int], _ text: String, _ cuts: Bool) {
    let said = said(version, [Self.ours: Self.plugin, "/etc/audit/auditd.conf": text])
    let isSaid = said?.contains {
      $0.hasPrefix("/etc/audit/auditd.conf: warning: auditd 4.2")
        && $0.hasSuffix("; set log_format = ENRICHED, or a name_format")
    }
    #expect(isSaid == cuts)
  }

  @Test(arguments: ["/etc/systemd/system", "/usr/lib/systemd/system"])
  func `has a unit that kills us, which costs queues in memory`(_ folder: String) {
    let files = [
      Self.ours: Self.plugin, folder + "/auditd.service": "[Service]\nKillMode = mixed\n",
    ]
    #expect(
      said([4, 1, 4], files) == [
        "\(Self.ours): note: systemd kills audispatchd as soon as auditd has stopped "
          + "(KillMode=mixed): what is queued in memory then is lost for siem; "
          + "overflow_action = spill or lossless keeps it"
      ])
    #expect(said([4, 1, 4], files) { $0.overflowAction = .spill } == [])
    #expect(said([4, 1, 4], files) { $0.isActive = false } == [])
  }

  @Test func `is used as it is configured: an administrator's unit stands over the package's`() {
    let files = [
      Self.ours: Self.plugin, "/etc/systemd/system/auditd.service": "[Service]\n",
      "/usr/lib/systemd/system/auditd.service": "[Service]\nKillMode=mixed\n",
    ]
    #expect(said([4, 1, 4], files) == [])
  }

  @Test func `starts a plugin of ours too`() {
    let other = "/etc/audit/plugins.d/siem.conf"
    let files = [Self.ours: Self.plugin, other: "active = YES\npath = /usr/sbin/siem\n"]
    #expect(
      said([3, 0, 9], files) == [
        "\(other): warning: auditd starts /usr/sbin/siem too: it gets everything twice; "
          + "set active = no here, or in /etc/audispatch/plugins.d/siem.conf"
      ])
    #expect(said([3, 0, 9], files) { $0.isActive = false } == [])
  }

  @Test(arguments: [([3, 1, 2], true), ([4, 0, 1], false), (nil, false)])
  func `passes on two arguments before 4.0.1`(_ version: [Int]?, _ cuts: Bool) {
    let text = Self.plugin.replacing("--source stdin", with: "--source stdin --check")
    #expect(said(version, [Self.ours: text])?.isEmpty == !cuts)
  }

  @Test(arguments: [("", true), ("disp_qos = lossy\n", true), ("disp_qos = lossless\n", false)])
  func `of 2.8 drops records unless told not to`(_ setting: String, _ drops: Bool) {
    let text = "dispatcher = /usr/sbin/audispatchd\n" + setting
    let said = said([2, 8, 5], ["/etc/audit/auditd.conf": text])
    #expect(said?.contains { $0.contains("disp_qos = lossy") } == drops)
  }
}
