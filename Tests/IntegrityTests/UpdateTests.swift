import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_integrity

/// Real packages, installed by dpkg while the plugin looks on: without any audit record, so that who
/// it was is known by what was seen alone.
@Suite(
  "What dpkg changes", .onThreads,
  .enabled(if: DebianPackage.obstacle == nil, "\(DebianPackage.obstacle ?? "")"))
struct UpdateTests {
  private func watch(_ format: String = "text") throws -> (Watched, DebianPackage) {
    let watched = try Watched(
      """
      watch = TREE full severity=low
      ignore = TREE/var
      package_root = TREE
      format = \(format)
      """)
    return (watched, try DebianPackage(in: watched))
  }

  @Test func `is one event for each run, and what is altered afterwards stands out`() throws {
    let (watched, packages) = try watch()
    try packages.build(version: "1.0")
    try packages.build(version: "1.1")
    _ = try watched.run("init")
    let run = try start(watched)
    func expect(_ lines: [String]) {
      #expect(run.eventually { told(watched, run).count >= lines.count }, "\(run.contents("out"))")
      #expect(told(watched, run) == lines, "\(run.contents("out")) \(run.messages)")
    }
    var lines = ["update   low      hello none -> 1.0"]
    try packages.dpkg("-i", "../build/hello_1.0.deb")
    expect(lines)
    #expect(
      run.contents("out").contains(
        "  files   100 equal to the sums of their packages, 3 folders and links, 0 removed\n"
          + "  script  added \(watched.tree)/etc/hello.state\n"), "\(run.contents("out"))")
    #expect(run.contents("out").contains("  seen    dpkg --instdir="))

    lines.append("update   low      hello 1.0 -> 1.1")
    try packages.dpkg("-i", "../build/hello_1.1.deb")
    expect(lines)

    lines.append("changed  low      TREE/usr/bin/hello")
    try watched.shell("echo evil > bin/hello")
    expect(lines)

    // What was altered goes with the package too; the folders are gone, and what a script removes.
    lines.append("update   low      hello 1.1 -> none")
    try packages.dpkg("-P", "hello")
    expect(lines)
    #expect(
      run.contents("out").contains("0 folders and links, 105 removed\n"), "\(run.contents("out"))")
    #expect(run.contents("out").contains("  script  removed \(watched.tree)/etc/hello.state\n"))
    run.close()
    #expect(run.end() == .exit(0), "\(run.messages)")
  }

  @Test func `is explained to who asks later, but for what does not match`() throws {
    let (watched, packages) = try watch()
    try packages.build(version: "1.0")
    _ = try watched.run("init")
    try packages.dpkg("-i", "../build/hello_1.0.deb")
    try watched.shell("echo evil > usr/share/hello/f7; chmod u+s usr/share/hello/f8")
    let lines = try watched.check().filter { !$0.hasPrefix("  ") || $0.contains("package") }
    #expect(
      lines.contains(
        "  files   98 equal to the sums of their packages, 6 folders and links, 0 removed"),
      "\(lines)")
    #expect(
      lines.filter { !$0.hasPrefix("  files") } == [
        "update   low      hello none -> 1.0",
        "added    low      TREE/etc/hello.state (file)",
        "added    low      TREE/usr/share/hello/f7 (file)",
        "  package hello 1.0: differs from the sum of its package",
        "added    critical TREE/usr/share/hello/f8 (file)",
        "  package hello 1.0: dpkg has no record of the rights of a file",
      ], "\(lines)")
    _ = try watched.run("update", "--reason", "installed")
    #expect(try watched.check() == [])
    try packages.dpkg("-P", "hello")
    #expect(try watched.check().first == "update   low      hello 1.0 -> none")
  }

  @Test func `is told file by file when its database cannot be read`() throws {
    let (watched, packages) = try watch()
    try packages.build(version: "1.0")
    try watched.shell("echo old > f")
    _ = try watched.run("init")
    // It cannot be read for being a folder.
    try watched.shell("mv var/lib/dpkg/status var/lib/dpkg/away; mkdir var/lib/dpkg/status")
    let run = try start(watched)
    #expect(run.contents("err").contains("is told file by file until the next reload"))
    try watched.shell("echo new > f")
    #expect(run.eventually { told(watched, run) == ["changed  low      TREE/f"] })
    // The same while it runs, with a change that waits.
    try watched.shell("rmdir var/lib/dpkg/status; mv var/lib/dpkg/away var/lib/dpkg/status")
    run.close()
    #expect(run.end() == .exit(0), "\(run.messages)")
    let second = try start(watched)
    try watched.shell(
      "mkdir var/lib/dpkg/new; mv var/lib/dpkg/status var/lib/dpkg/away; "
        + "mv var/lib/dpkg/new var/lib/dpkg/status; echo newer > f")
    #expect(
      second.eventually { told(watched, second) == ["changed  low      TREE/f"] },
      "\(second.messages)")
    #expect(second.contents("err").contains("is told file by file until the next reload"))
    second.close()
    #expect(second.end() == .exit(0), "\(second.messages)")
  }

  @Test func `is found in the same way when the plugin did not run`() throws {
    let (watched, packages) = try watch("json")
    try packages.build(version: "1.0")
    _ = try watched.run("init")
    let first = try start(watched)
    first.close()
    _ = first.end()
    try packages.dpkg("-i", "../build/hello_1.0.deb")
    let second = try start(watched)
    #expect(
      second.await("\"files\":{\"as_packaged\":100,\"without_sum\":3,", in: "out"),
      "\(second.contents("out")) \(second.messages)")
    #expect(
      second.contents("out").contains("\"package\":{\"name\":\"hello\",\"architecture\":\"all\""))
    second.close()
    #expect(second.end() == .exit(0))
  }
}
