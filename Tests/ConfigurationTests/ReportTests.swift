import Configuration
import Testing

@Suite("The report of --check")
struct ReportTests {
  @Test func `has every problem, every plugin and the sum`() {
    var host = Host()
    host[ConfigurationRequest.standardDaemonFile] = .file("q_depth = 100\nq_dept = 1\n")
    host[Host.plugins + "/broken.conf"] = .file("active = yess\n")
    host[Host.plugins + "/good.conf"] = .file(Plain.text)
    host[Host.plugins + "/idle"] = .file("")
    host[Host.plugins + "/old.bak"] = .file("")
    let loaded = host.load()
    #expect(
      loaded.report == """
        /etc/audispatch/audispatchd.conf:1:11: warning: q_depth under 512 overflows in any burst ('100')
        /etc/audispatch/audispatchd.conf:2:1: error: unknown keyword ('q_dept'); did you mean 'q_depth'?
        /etc/audispatch/plugins.d/broken.conf:1:10: error: active is yes or no ('yess'); did you mean 'yes'?
        /etc/audispatch/plugins.d/idle: note: it says nothing: inactive
        /etc/audispatch/plugins.d/old.bak: note: ignored: the name has a dot and does not end in .conf
        plugin broken: unusable
        plugin good: active, /sbin/p
        plugin idle: inactive
        2 errors, 1 warning

        """)
    #expect(loaded.exitStatus == 6)
  }

  @Test func `ends with 0 when there are only warnings`() {
    let loaded = Host.load(daemon: "q_depth = 100\n")
    #expect(loaded.exitStatus == 0)
    #expect(loaded.report.hasSuffix("\n0 errors, 1 warning\n"))
  }

  @Test func `ends with 6 for an error in a plugin's file alone, which the daemon survives`() {
    let loaded = Host.load(plugin: "nonsense\n")
    #expect(loaded.exitStatus == 6)
    #expect(loaded.isDaemonUsable)
    #expect(loaded.unusablePlugins == ["p"])
  }
}
