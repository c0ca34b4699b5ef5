import Foundation
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@Suite("audispatch-json and processes", .onThreads)
struct ProcessTests {
  /// A system call of a process of this host, now: a child of this one's.
  private static func call(_ serial: Int, pid: Int32, parent: Int32, key: String = "(null)")
    -> [String]
  {
    let now = Int(Date().timeIntervalSince1970)
    let stamp = "msg=audit(\(now).000:\(serial)): "
    return [
      "type=SYSCALL \(stamp)arch=c000003e syscall=257 success=yes exit=3 ppid=\(parent) pid=\(pid) "
        + "auid=4294967295 uid=0 ses=4294967295 comm=\"x\" exe=\"/x\" key=\(key)",
      "type=EOE \(stamp)",
    ]
  }

  @Test func `says who started the process of an event`() throws {
    let run = try PluginRun("audispatch-json", [])
    try run.send(Self.call(1, pid: run.pid, parent: getpid()))
    run.close()
    #expect(run.end() == .exit(0))
    let line = try #require(run.lines("out").first)
    let document = try #require(
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    let process = try #require(document["process"] as? [String: Any])
    let parent = try #require(process["parent"] as? [String: Any])
    #expect((process["entity_id"] as? String)?.contains("-\(run.pid)-") == true)
    #expect((parent["entity_id"] as? String)?.contains("-\(getpid())-") == true)
    #expect((parent["executable"] as? String)?.hasPrefix("/") == true)
  }

  @Test func `says nothing of processes where that is not wanted`() throws {
    let run = try PluginRun("audispatch-json", ["--processes=no"])
    try run.send(Self.call(1, pid: run.pid, parent: getpid()))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(!run.contents("out").contains("entity_id"))
  }

  @Test func `leaves out what is filtered, and confirms it`() throws {
    let run = try PluginRun(
      "audispatch-json", ["--file", "DIR/audit.json", "--filter-keys", "noise"], first: 1)
    for serial in 1...9 {
      let isNoise = serial % 3 != 0
      try run.send(
        Self.call(serial, pid: 100, parent: 1, key: isNoise ? "\"noise\"" : "\"other\""))
    }
    #expect(run.eventually { run.confirmed == 18 })
    #expect(JSONPluginTests.serials(run.lines("audit.json")) == [3, 6, 9])
    run.close()
    #expect(run.end() == .exit(0))
    #expect(run.messages.contains(" filtered=6 "))
  }

  @Test func `takes secrets out of what /proc says`() throws {
    for (option, isSecret) in [("--redact", true), ("--redact=no", false)] {
      // Its own arguments, which no event told of.
      let run = try PluginRun("audispatch-json", [option, "--filter-keys=password=hunter2"])
      try run.send(Self.call(1, pid: run.pid, parent: getpid()))
      run.close()
      #expect(run.end() == .exit(0))
      let text = run.contents("out")
      #expect(text.contains("password=hunter2") == !isSecret)
      #expect(text.contains("password=[redacted]") == isSecret)
    }
  }

  @Test func `follows those of events that another one stands for`() throws {
    let run = try PluginRun("audispatch-json", ["--aggregate=1"], first: 1)
    let now = Int(Date().timeIntervalSince1970)
    let stamp = { (serial: Int) in "msg=audit(\(now).000:\(serial)): " }
    for serial in 1...2 {
      try run.send([
        "type=SYSCALL \(stamp(serial))arch=c000003e syscall=59 success=yes exit=0 ppid=1 "
          + "pid=\(4194000 + serial) comm=\"gone\" exe=\"/bin/gone\" key=(null)",
        "type=EXECVE \(stamp(serial))argc=1 a0=\"gone\"", "type=EOE \(stamp(serial))",
      ])
    }
    // The second one's child.
    try run.send(Self.call(3, pid: 4194009, parent: 4194002))
    #expect(run.eventually { run.confirmed == 8 })
    run.close()
    #expect(run.end() == .exit(0))
    let lines = run.lines("out")
    #expect(JSONPluginTests.serials(lines) == [1, 3])
    #expect(lines.first?.contains("\"count\":2") == true)
    #expect(lines.last?.contains("\"executable\":\"/bin/gone\"") == true)
  }

  @Test func `keeps what is known through a restart`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let arguments = ["--process-state", "DIR/state", "--form", "laurel"]
    let now = Int(Date().timeIntervalSince1970)
    for serial in 1...2 {
      let run = try PluginRun("audispatch-json", arguments, folder: folder)
      let stamp = "msg=audit(\(now).000:\(serial)): "
      try run.send([
        "type=SYSCALL \(stamp)arch=c000003e syscall=\(serial == 1 ? 59 : 257) success=yes exit=0 "
          + "ppid=1 pid=4194000 comm=\"gone\" exe=\"/bin/gone\" key=(null)",
        "type=EOE \(stamp)",
      ])
      run.close()
      #expect(run.end() == .exit(0), "\(run.messages)")
    }
    let lines = run(of: folder)
    #expect(lines.count == 2)
    #expect(lines.allSatisfy { $0.contains("\"PID\":{\"EVENT_ID\":\"\(now).000:1\"}") })
    #expect(try Files.status(of: "\(folder)/state").mode == 0o600)
  }

  private func run(of folder: String) -> [String] {
    let bytes = (try? Transfer.contents(of: "\(folder)/out", limit: 1 << 20)) ?? []
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  @Test func `takes nothing of a state that is damaged, says so and goes on`() throws {
    let run = try PluginRun("audispatch-json", ["--help"])
    try run.put("audispatch-processes 1\nrun x\nnonsense\nend 3\n", in: "state")
    let next = try PluginRun(
      "audispatch-json", ["--process-state", "DIR/state"], folder: run.folder)
    try next.send([JSONPluginTests.record(1)])
    next.close()
    #expect(next.end() == .exit(0))
    #expect(next.messages.contains("line 3 is wrong"))
    #expect(run.contents("out").contains("\"sequence\":1,"))
  }

  @Test func `takes over Laurel's settings`() throws {
    let run = try PluginRun("audispatch-json", ["--help"])
    try run.put(
      "directory = \"\(run.folder)\"\nuser = \"_laurel\"\n[auditlog]\nline-prefix = \"@cee: \"\n"
        + "[translate]\nuniversal = true\n[filter]\nfilter-keys = [\"noise\"]\n", in: "config.toml")
    let check = try PluginRun(
      "audispatch-json", ["--laurel", "DIR/config.toml", "--check"], folder: run.folder)
    #expect(check.end() == .exit(0))
    #expect(run.contents("out").contains("config.toml:2:1: note: the dispatcher sets the user"))
    let next = try PluginRun(
      "audispatch-json", ["--laurel", "DIR/config.toml"], folder: run.folder)
    try next.send(
      Self.call(1, pid: 100, parent: 1) + Self.call(2, pid: 100, parent: 1, key: "\"noise\""))
    next.close()
    #expect(next.end() == .exit(0))
    let lines = run.lines("audit.log")
    #expect(lines.count == 1)
    #expect(lines.first?.hasPrefix("@cee: {\"ID\"") == true)
    #expect(lines.first?.contains("\"SYSCALL\":\"openat\"") == true)
  }

  @Test func `refuses Laurel's settings with a mistake`() throws {
    let run = try PluginRun("audispatch-json", ["--help"])
    try run.put("directory = \"/l\"\n[enrich]\nscipt = true\n", in: "config.toml")
    let check = try PluginRun(
      "audispatch-json", ["--laurel", "DIR/config.toml", "--check"], folder: run.folder)
    #expect(check.end() == .exit(2))
    #expect(
      run.contents("out").contains(
        "config.toml:3:1: error: unknown key ('scipt'); did you mean 'script'?"))
  }
}
