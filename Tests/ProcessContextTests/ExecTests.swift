import ProcessContext
import Testing

@Suite("What /proc and an event say of an exec")
struct ExecTests {
  /// A shell in a container that runs, and knows one language.
  private static func tracked() -> Tracked {
    var tracked = Tracked { $0.environment = [Array("LANG".utf8)] }
    tracked.processes.add(10, parent: 1, "sh", "/usr/bin/sh")
    tracked.processes.made[10]?.groups = "0::/\(String(repeating: "a", count: 64))\n"
    tracked.processes.made[10]?.environment = ["LANG=C"]
    tracked.lag = 3
    return tracked
  }

  private static func language(_ tracked: inout Tracked) -> String {
    let context = tracked.exec(10, parent: 1, "/usr/bin/sh")
    #expect(text(context.process?.container) == String(repeating: "a", count: 64))
    #expect(context.missing.isEmpty)
    return context.environment.map { text($0.value) }.joined()
  }

  @Test func `is asked once for all execs that were before it was asked`() {
    var tracked = Self.tracked()
    #expect(Self.language(&tracked) == "C")
    let before = tracked.processes.questions
    tracked.processes.made[10]?.environment = ["LANG=de"]
    #expect(Self.language(&tracked) == "C")
    tracked.second += 1
    #expect(Self.language(&tracked) == "C")
    #expect(tracked.processes.questions == before)
  }

  @Test func `is asked again for an exec that may have been later`() {
    var tracked = Self.tracked()
    _ = Self.language(&tracked)
    tracked.processes.made[10]?.environment = ["LANG=de"]
    // Within a second of the question.
    tracked.second += 3
    #expect(Self.language(&tracked) == "de")
  }

  @Test func `is asked each time by who is not late`() {
    var tracked = Self.tracked()
    tracked.lag = 0
    _ = Self.language(&tracked)
    tracked.processes.made[10]?.environment = ["LANG=de"]
    #expect(Self.language(&tracked) == "de")
  }

  @Test func `is asked again when the clock was set back`() {
    var tracked = Self.tracked()
    tracked.lag = 60
    _ = Self.language(&tracked)
    tracked.processes.made[10]?.environment = ["LANG=de"]
    tracked.lag = 3
    #expect(Self.language(&tracked) == "de")
  }

  @Test func `is asked each time for more variables than are kept`() {
    var tracked = Self.tracked()
    let long = String(repeating: "x", count: 300)
    tracked.processes.made[10]?.environment = ["LANG=\(long)"]
    #expect(Self.language(&tracked) == long)
    tracked.processes.made[10]?.environment = ["LANG=de"]
    #expect(Self.language(&tracked) == "de")
  }

  @Test func `is asked again about another process with the pid`() {
    var tracked = Self.tracked()
    _ = Self.language(&tracked)
    _ = tracked.call(231, 10, parent: 1, "sh", "/usr/bin/sh")
    tracked.processes.made[10]?.started += 1
    tracked.processes.made[10]?.environment = ["LANG=de"]
    #expect(Self.language(&tracked) == "de")
  }

  @Test func `is of what the event says, not of what runs by now`() {
    var tracked = Tracked {
      $0.environment = [Array("LANG".utf8)]
      $0.hashLimit = 1000
      $0.showsUserGroups = true
    }
    tracked.processes.add(10, parent: 1, "sleep", "/usr/bin/sleep")
    tracked.processes.made[10]?.environment = ["LANG=C"]
    // `env` was executed, and has executed `sleep` meanwhile.
    let before = tracked.exec(10, parent: 1, "/usr/bin/env")
    #expect(text(before.process?.executable) == "/usr/bin/env")
    #expect(before.process?.hash == [] && before.environment.isEmpty && before.groups == [])
    let read = ["process.env_vars", "process.hash", "process.supplemental_groups"]
    #expect(before.missing.map(\.description) == read)
    let now = tracked.exec(10, parent: 1, "/usr/bin/sleep")
    #expect(now.process?.hash.isEmpty == false && now.environment.count == 1)
    #expect(now.groups == [4, 27] && now.missing.isEmpty)
  }

  @Test(arguments: [
    ("argc=2 a0=\"ls\" a1=\"/\"", "ls\0/"), ("argc=2 a0=\"x\" a1=612062", "x\0a b"),
    ("argc=2 a0=\"\" a1=\"b\"", "\0b"), ("argc=3 a0=\"a\" a1=\"\" a2=\"b\"", "a\0\0b"),
    ("argc=2 a1=\"b\" a0=\"a\"", "a\0b"),
    ("argc=1 a0_len=4 a0[0]=\"ab\" a0[1]=\"cd\"", "abcd"),
    ("argc=2 a0=\"a\" a1=\"b\"\u{1d}A0=\"c\"", "a\0b"), ("argc=0", ""),
  ])
  func `has its arguments`(_ fields: String, _ expected: String) {
    var tracked = Tracked()
    let context = tracked.call(59, 10, parent: 1, more: ["EXECVE " + fields])
    #expect(text(context.process?.arguments) == expected)
  }

  @Test(arguments: [1, 9, 10, 11, 120]) func `has as many arguments as are kept`(_ count: Int) {
    var tracked = Tracked()
    let words = (0..<count).map { "a\($0)=\"word\($0)\"" }.joined(separator: " ")
    let all = (0..<count).map { "word\($0)" }.joined(separator: "\0")
    let quoted = tracked.call(59, 10, parent: 1, more: ["EXECVE argc=\(count) " + words])
    #expect(text(quoted.process?.arguments) == String(all.prefix(512)))
    let hex = words.replacing("\"word0\"", with: "776F726430")
    let encoded = tracked.call(59, 11, parent: 1, more: ["EXECVE argc=\(count) " + hex])
    #expect(encoded.process?.arguments == quoted.process?.arguments)
  }

  @Test func `over several records has the arguments of all`() {
    var tracked = Tracked()
    let context = tracked.call(
      59, 10, parent: 1,
      more: ["EXECVE argc=3 a0=\"a\" a1=\"b\"", "EXECVE a2=\"c\""])
    #expect(text(context.process?.arguments) == "a\0b\0c")
  }
}
