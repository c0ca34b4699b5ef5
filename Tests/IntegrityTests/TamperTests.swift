import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_integrity

/// A baseline that another program has written to, by all that it can do.
@Suite("A baseline that was tampered with", .onThreads)
struct TamperTests {
  /// One with three changes: the second accepts `a`, the third `b`.
  private func changed(_ more: String = "") throws -> Watched {
    let watched = try Watched("watch = TREE content\n" + more)
    try watched.shell("mkdir d; echo a > a; echo b > b; echo c > d/c")
    return watched
  }

  private func begin(_ watched: Watched) throws {
    for command in [["init"], ["update", "--reason", "a"], ["update", "--reason", "b"]] {
      try watched.shell("echo new > \(command.last ?? "")")
      let run = try CommandRun(
        [
          "\(PluginRun.products)/audispatch-integrity", "--config",
          "\(watched.folder)/integrity.conf",
        ]
          + command)
      #expect(run.end == .exit(0), "\(run.error)")
    }
  }

  private func database(_ watched: Watched) throws -> Database {
    try Database(watched.folder + "/db/baseline.db", creating: false)
  }

  /// The problems, and the head.
  private func verify(_ watched: Watched, _ arguments: String...) throws -> (
    problems: [String], head: String
  ) {
    let run = try CommandRun(
      [
        "\(PluginRun.products)/audispatch-integrity", "--config",
        "\(watched.folder)/integrity.conf", "verify",
      ] + arguments)
    let lines = run.output.replacing(watched.tree, with: "TREE").split(separator: "\n")
    let head = lines.first { $0.hasPrefix("head ") }?.split(separator: " ").last ?? ""
    let problems = lines.dropLast().filter { !$0.hasPrefix("head ") }.map(String.init)
    #expect(run.end == .exit(problems.isEmpty ? 0 : 1), "\(run.output) \(run.error)")
    return (problems, String(head))
  }

  @Test func `is none as long as nobody did`() throws {
    let watched = try changed()
    try begin(watched)
    let (problems, head) = try verify(watched)
    #expect(problems == [])
    #expect(head.count == 64)
    #expect(try verify(watched, "--head", head).problems == [])
  }

  @Test(arguments: [
    ("UPDATE entry SET state = zeroblob(80) WHERE name = x'61'", "cannot read DB: a row holds no"),
    (
      "UPDATE entry SET seal = zeroblob(16) WHERE name = x'63'",
      "TREE/d/c: altered by another program"
    ),
    ("DELETE FROM entry WHERE name = x'63'", "TREE/d: 1 entry removed by another program"),
    (
      "INSERT INTO entry SELECT folder, x'7a', inode, device, state, seal FROM entry WHERE name = x'61'",
      "TREE/z: altered by another program"
    ),
    (
      "UPDATE folder SET count = -9223372036854775808", "TREE: an entry replaced by another program"
    ),
    (
      "UPDATE folder SET count = 9223372036854775807",
      "TREE: 9223372036854775803 entries removed by another program"
    ),
    (
      "UPDATE chain SET sequence = 9223372036854775807 WHERE sequence = 3",
      "changes 3 to 9223372036854775806 are missing in the chain"
    ),
    (
      "UPDATE chain SET sequence = -9223372036854775808 WHERE sequence = 1",
      "change -9223372036854775808 has no place in the chain"
    ),
    ("UPDATE folder SET digest = x'00'", "TREE: an entry replaced by another program"),
    (
      "DELETE FROM entry WHERE name = x'63'; UPDATE folder SET count = 0 WHERE CAST(path AS TEXT) LIKE '%/d'",
      "the files are not those of change 3, the last one of the chain"
    ),
    (
      "UPDATE meta SET value = 'ignore /' WHERE name = 'policy'",
      "the settings are not those of change 3, the last one of the chain"
    ),
    (
      "CREATE TABLE package (name, architecture, version, state, listed, files); INSERT INTO package VALUES ('x', 'all', '1', 'installed', 0, x'2f')",
      "the packages are not those of change 3, the last one of the chain"
    ),
    (
      "UPDATE chain SET reason = 'b' WHERE sequence = 2",
      "change 2 (update) is altered, or another one is in its place"
    ),
    (
      "UPDATE chain SET login = 0 WHERE sequence = 1",
      "change 1 (init) is altered, or another one is in its place"
    ),
    ("DELETE FROM chain WHERE sequence = 2", "change 2 is missing in the chain"),
    ("DELETE FROM chain WHERE sequence = 3", "the history has change 3, which the chain lacks"),
    (
      "UPDATE chain SET sequence = 9 WHERE sequence = 2; UPDATE chain SET sequence = 2 WHERE sequence = 3; UPDATE chain SET sequence = 3 WHERE sequence = 9",
      "change 2 (update) is altered, or another one is in its place"
    ),
    ("DELETE FROM chain", "the chain is empty"),
    (
      "UPDATE history SET after = before WHERE generation = 2",
      "the history of change 2 is altered"
    ),
    ("DELETE FROM history WHERE generation = 3", "the history of change 3 is altered"),
  ])
  func `names what was done`(sql: String, problem: String) throws {
    let watched = try changed()
    try begin(watched)
    try database(watched).execute(sql)
    let found = try verify(watched).problems.map {
      $0.replacing(watched.folder + "/db/baseline.db", with: "DB")
    }
    #expect(found.contains { $0.hasPrefix(problem) }, "\(found)")
  }

  @Test func `names a row whose seal was made to fit`() throws {
    let watched = try changed()
    try begin(watched)
    let baseline = try Baseline.open(watched.folder + "/db/baseline.db")
    let path = FilePath(watched.tree + "/d/c")
    var state = try #require(try baseline.state(of: path))
    state.facts.size = 7
    try baseline.put(path, state)
    #expect(try verify(watched).problems.first == "TREE/d: an entry replaced by another program")
    // With the folder's digest made to fit too the chain still tells.
    try baseline.seal(folders: [#require(try baseline.number(of: path.folder))])
    #expect(
      try verify(watched).problems
        == ["the files are not those of change 3, the last one of the chain"])
  }

  @Test func `is told by a head that was kept elsewhere`() throws {
    let watched = try changed()
    try begin(watched)
    let (_, head) = try verify(watched)
    // Made anew it goes on with the chain; the head is one of it.
    #expect(try watched.run("init").end == .exit(0))
    #expect(try verify(watched, "--head", head).problems == [])
    #expect(try watched.run("list").output.contains("# update of "))
    // Another one in its place has a chain that fits, and not that head.
    try watched.shell("rm ../db/*")
    _ = try watched.run("init")
    #expect(try verify(watched).problems == [])
    #expect(
      try verify(watched, "--head", head).problems
        == ["no change of the chain has the head \(head): it is another baseline, or an older one"])
    #expect(try watched.run("verify", "--head", "12").end == .exit(2))
  }

  @Test func `is told by signatures`() throws {
    let watched = try changed()
    try watched.write(
      Transfer.text(of: watched.folder + "/integrity.conf")
        + "signing_key = \(watched.folder)/key\n", to: watched.folder + "/integrity.conf")
    #expect(try watched.run("init").end == .exit(1))
    let made = try watched.run("key")
    #expect(made.end == .exit(0), "\(made.error)")
    #expect(try watched.run("key").output == made.output)
    #expect(try Files.status(of: watched.folder + "/key").mode == 0o400)
    let publicKey = String(made.output.split(separator: " ")[1].dropLast())
    try begin(watched)
    #expect(try verify(watched, "--public-key", publicKey).problems == [])
    let other = String(repeating: "00", count: 32)
    #expect(
      try verify(watched, "--public-key", other).problems.first
        == "change 1 is signed by another key")
    try database(watched).execute(
      "UPDATE checkpoint SET signature = zeroblob(64) WHERE sequence = 2; DELETE FROM checkpoint WHERE sequence = 3"
    )
    #expect(
      try verify(watched).problems == [
        "the signature of change 2 does not fit it", "change 3, the last one, is not signed",
      ])
    // The key may be somewhere else: all but whose signatures they are is looked at.
    try watched.shell("mv ../key ../elsewhere")
    for command in ["verify", "report"] {
      let run = try watched.run(command)
      #expect(
        (run.output + run.error).contains("/key: No such file or directory: without 'public_key'"))
      #expect(run.output.contains("the signature of change 2 does not fit it"), "\(run.output)")
    }
    try database(watched).execute("DELETE FROM checkpoint")
    #expect(try watched.run("verify").end == .exit(3))
    try watched.shell("mv ../elsewhere ../key")
    #expect(try watched.run("verify").end == .exit(1))
    try watched.shell("chmod 0440 ../key")
    let refused = try watched.run("update", "--reason", "x")
    #expect(refused.end == .exit(1))
    #expect(refused.error.contains("others may read it"))
  }

  @Test func `takes no change behind the last number, and can be made anew`() throws {
    let watched = try changed()
    try begin(watched)
    try database(watched).execute(
      "UPDATE chain SET sequence = 9223372036854775807 WHERE sequence = 3")
    try watched.shell("echo x > a")
    let refused = try watched.run("update", "--reason", "x")
    #expect(refused.end == .exit(1))
    #expect(refused.error.contains("the last number there is"), "\(refused.error)")
    let made = try watched.run("init")
    #expect(made.end == .exit(0))
    #expect(made.error.contains("the chain of changes begins anew"), "\(made.error)")
    #expect(try verify(watched).problems == [])
  }

  @Test func `goes on with its chain when an init was cut short before the rename`() throws {
    let watched = try changed()
    try begin(watched)
    func reading(of change: Int) throws -> [String] {
      var found: [String] = []
      try database(watched).forEach(
        "SELECT value FROM meta WHERE name IN (?, ?) ORDER BY name",
        .text("open.\(change)"), .text("read.\(change)")
      ) { row in found.append(row.text(0)) }
      return found
    }
    // What is there then: the old one, and beside it the new one, finished.
    try watched.shell("cp ../db/baseline.db ../db/old")
    #expect(try watched.run("init").end == .exit(0))
    let before = try reading(of: 4)
    #expect(before.count == 2)
    try watched.shell("cd ../db; mv baseline.db baseline.db.building; mv old baseline.db")
    // Another change goes into the old one meanwhile.
    try watched.shell("echo x > a")
    #expect(try watched.run("update", "--reason", "c").end == .exit(0))
    let run = try watched.run("init")
    #expect(run.end == .exit(0), "\(run.error)")
    #expect(run.error.contains("goes on with the scan"), "\(run.error)")
    #expect(!run.error.contains("begins anew"), "\(run.error)")
    #expect(try verify(watched).problems == [])
    let list = try watched.run("list").output.split(separator: "\n").filter { $0.hasPrefix("#") }
    #expect(
      list.map { $0.split(separator: " ")[1] } == ["init", "update", "update", "update", "init"])
    // When it was read stays: it was not read anew.
    #expect(try reading(of: 5) == before)
  }

  @Test func `goes on from a baseline without a chain`() throws {
    let watched = try changed()
    try begin(watched)
    let old = try database(watched)
    try old.execute(
      """
      CREATE TABLE generation (
        id INTEGER PRIMARY KEY, at INTEGER NOT NULL, command TEXT NOT NULL, reason TEXT,
        login INTEGER, session INTEGER, uid INTEGER NOT NULL, terminal TEXT,
        added INTEGER NOT NULL, removed INTEGER NOT NULL, changed INTEGER NOT NULL);
      INSERT INTO generation SELECT sequence, at, command, reason, login, session, uid, terminal,
        added, removed, changed FROM chain;
      DROP TABLE chain; DROP TABLE checkpoint;
      ALTER TABLE folder DROP COLUMN count; ALTER TABLE folder DROP COLUMN digest;
      UPDATE meta SET value = '1' WHERE name = 'format'
      """)
    #expect(try watched.check() == [])
    #expect(try verify(watched).problems == [])
    let list = try watched.run("list").output.split(separator: "\n").filter { $0.hasPrefix("#") }
    #expect(list.map { $0.split(separator: " ")[1] } == ["init", "update", "update", "migrate"])
    try watched.shell("echo x > a")
    #expect(try watched.run("update", "--reason", "x").end == .exit(0))
    #expect(try verify(watched).problems == [])
  }
}

extension Transfer {
  fileprivate static func text(of path: String) throws -> String {
    String(decoding: try contents(of: path, limit: 1 << 20), as: UTF8.self)
  }
}
