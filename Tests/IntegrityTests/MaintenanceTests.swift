import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_integrity

@Suite("A maintenance window", .onThreads)
struct MaintenanceTests {
  private func watched(_ more: String = "") throws -> Watched {
    let watched = try Watched("watch = TREE content severity=high\n" + more)
    try watched.shell("echo old > f; echo old > g")
    _ = try watched.run("init")
    return watched
  }

  @Test func `has a reason, an end, and is the only one`() throws {
    let watched = try watched()
    #expect(try watched.run("begin").end == .exit(2))
    let none = try watched.run("end")
    #expect(none.end == .exit(1))
    #expect(none.error.contains("there is no maintenance window"))
    let begun = try watched.run("begin", "--reason", "new disks", "--for", "600")
    #expect(begun.end == .exit(0), "\(begun.error)")
    #expect(begun.output.hasPrefix("maintenance window 2, up to "))
    #expect(begun.output.contains(" as uid \(getuid())"))
    let second = try watched.run("begin", "--reason", "other")
    #expect(second.end == .exit(1))
    #expect(second.error.contains("there is a maintenance window already: 2, up to "))
    #expect(try watched.run("end").end == .exit(0))
    #expect(try watched.run("begin", "--reason", "again").end == .exit(0))
    #expect(try watched.run("verify").end == .exit(0))
    let listed = try watched.run("list").output
    #expect(listed.contains("# begin of ") && listed.contains(": new disks\n"))
    #expect(listed.contains("# end of "))
    #expect(try watched.run("begin", "--for", "604801", "--reason", "x").end == .exit(2))
  }

  @Test func `marks what changes in it and hides nothing, also where it was begun before an init`()
    throws
  {
    let watched = try watched()
    try watched.shell("echo before > f; sleep 0.05")
    _ = try watched.run("begin", "--reason", "<b>new disks")
    try watched.shell("sleep 0.05; echo within > g")
    let lines = try watched.check()
    #expect(
      lines.filter { !$0.hasPrefix(" ") } == [
        "changed  high     TREE/f", "changed  high     TREE/g",
      ])
    let marks = lines.filter { $0.hasPrefix("  window") }
    #expect(marks.count == 1 && lines.last == marks.last, "\(lines)")
    #expect(marks[0].hasPrefix("  window  2, up to ") && marks[0].hasSuffix(": <b>new disks"))
    let report = try watched.run("report").output
    #expect(report.contains("\n  1 difference in window 2, up to "), "\(report)")
    let page = watched.folder + "/page.html"
    #expect(try watched.run("report", "--html", page).end == .exit(1))
    let text = String(decoding: try Transfer.contents(of: page, limit: 1 << 20), as: UTF8.self)
    #expect(text.contains(": &lt;b&gt;new disks") && !text.contains("<b>"))
    _ = try watched.run("init")
    try watched.shell("echo later > g")
    #expect(try watched.check().contains { $0.hasPrefix("  window  2, up to ") })
    #expect(try watched.run("verify").end == .exit(0))
    // One that was made longer by another program is found.
    try Database(watched.folder + "/db/baseline.db", creating: false)
      .execute("UPDATE meta SET value = value + 1 WHERE name LIKE 'maintenance.%'")
    #expect(try watched.run("verify").output.contains("the settings are not those of change 3"))
  }

  @Test func `is over when its time is, and what comes then is not marked`() throws {
    let watched = try watched()
    _ = try watched.run("begin", "--reason", "short", "--for", "1")
    Pause.nanoseconds(1_200_000_000)
    try watched.shell("echo new > f")
    #expect(try watched.check().contains { $0.hasPrefix("  window") } == false)
    #expect(try watched.run("end").end == .exit(1))
  }

  @Test func `is told by the plugin, over a restart too`() throws {
    let watched = try watched("format = json")
    func start() throws -> PluginRun {
      let run = try PluginRun(
        "audispatch-integrity", ["--config", "\(watched.folder)/integrity.conf"])
      #expect(run.await("a scan of everything has ended", in: "err"), "\(run.messages)")
      return run
    }
    func end(_ run: PluginRun) {
      run.close()
      #expect(run.end() == .exit(0), "\(run.messages)")
    }
    let first = try start()
    _ = try watched.run("begin", "--reason", "new disks")
    try watched.shell("echo new > ../n; mv ../n f")
    #expect(first.await("\"maintenance\":{\"change\":2,", in: "out"), "\(first.messages)")
    #expect(first.await("\"action\":\"maintenance_begun\"", in: "out"), "\(first.messages)")
    end(first)
    let second = try start()
    #expect(second.await("\"action\":\"maintenance_begun\"", in: "out"), "\(second.messages)")
    try watched.shell("echo new > ../n; mv ../n g")
    #expect(second.await("\"reason\":\"new disks\"", in: "out"), "\(second.messages)")
    _ = try watched.run("end", "--reason", "done")
    #expect(second.await("\"action\":\"maintenance_over\"", in: "out"), "\(second.messages)")
    try watched.shell("echo newer > ../n; mv ../n g")
    #expect(
      second.eventually { second.lines("out").count { $0.contains("/tree/g\"") } == 2 },
      "\(second.messages)")
    end(second)
    let told = second.lines("out").filter { $0.contains("/tree/g\"") }
    #expect(told.map { $0.contains("\"maintenance\"") } == [true, false], "\(told)")
  }
}
