import Configuration
import Glibc
import Testing

@testable import AuditDispatch

@Suite("What is asked of plugins' own settings")
struct PluginCheckTests {
  private func plugin(_ name: String, _ path: String) -> PluginConfiguration {
    var plugin = PluginConfiguration(name: name, file: "/etc/\(name).conf")
    plugin.isActive = true
    plugin.path = path
    return plugin
  }

  @Test func `is left without an answer after whole seconds`() throws {
    let folder = TestFolder()
    let fifo = "\(folder.path)/fifo"
    // Nobody writes into it.
    let made = unsafe mkfifo(fifo, 0o600)
    try #require(made == 0)
    var slow = plugin("slow", "/usr/bin/sha256sum")
    slow.arguments = [fifo]
    let found = PluginCheck.findings([slow], within: .milliseconds(300))
    #expect(
      found["slow"]?.map(\.description)
        == ["/etc/slow.conf: warning: its --check has not ended within 1 s"])
  }

  /// A file system may hang under a path that is looked at, and it is known whose it is.
  @Test func `is preceded by a word for each path that is touched`() {
    var idle = plugin("idle", "/nowhere/audispatch-idle")
    idle.isActive = false
    var begun: [String] = []
    let ours = PluginCheck.candidates(
      of: [plugin("a", "/nowhere/audispatch-a"), idle, plugin("cat", "/bin/cat")]
    ) { begun.append($0) }
    #expect(ours.isEmpty)
    #expect(begun == ["a"])
  }
}

@Suite("What is said of a configuration that was not read in time")
struct StandstillTests {
  private let beginning = "reading the configuration has not ended within 30 s: "

  @Test func `names the plugins that do not answer, with the one it came to`() {
    #expect(
      ConfigurationReading.standstill(["c", "a"], last: "b")
        == beginning + "plugins a, b, c do not answer")
    #expect(
      ConfigurationReading.standstill(["a"], last: nil) == beginning + "plugin a does not answer")
  }

  @Test(arguments: ["p", nil])
  func `names no plugin where each one before had answered`(last: String?) {
    #expect(
      ConfigurationReading.standstill([], last: last)
        == beginning + "a file system that it names does not answer")
  }
}
