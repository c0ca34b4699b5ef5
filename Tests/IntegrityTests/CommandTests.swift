import Configuration
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_integrity

@Suite("A baseline", .onThreads)
struct CommandTests {
  @Test func `says nothing where nothing changed`() throws {
    let watched = try Watched("watch = TREE full")
    try watched.shell("mkdir a; echo x > a/f; ln -s f a/l; mkfifo a/p")
    let made = try watched.run("init")
    #expect(made.end == .exit(0), "\(made.error)")
    let check = try watched.run("check")
    #expect(check.end == .exit(0))
    #expect(check.output.hasPrefix("0 added, 0 removed, 0 changed; 5 files"))
  }

  @Test func `names what was added, removed and changed, and how`() throws {
    let watched = try Watched("watch = TREE type+mode+size+target severity=low")
    try watched.shell(
      "echo old > changed; echo gone > removed; ln -s a link; mkdir d; echo x > d/f")
    _ = try watched.run("init")
    try watched.shell(
      "echo newer > changed; rm removed; echo new > added; ln -sfn b link; rm -r d; chmod 600 changed"
    )
    #expect(
      try watched.check() == [
        "added    low      TREE/added (file)",
        "changed  low      TREE/changed",
        "  mode    0644 -> 0600",
        "  size    4 -> 6",
        "removed  low      TREE/d (dir)",
        "removed  low      TREE/d/f (file)",
        "changed  low      TREE/link",
        "  target  a -> b",
        "removed  low      TREE/removed (file)",
      ])
  }

  @Test func `sees changes that leave size and time alone`() throws {
    let watched = try Watched("watch = TREE full")
    try watched.shell("echo one > f; touch -d 2020-01-01 f")
    _ = try watched.run("init")
    try watched.shell("echo two > f; touch -d 2020-01-01 f")
    let lines = try watched.check()
    #expect(lines.contains { $0.hasPrefix("  sha256") })
    #expect(!lines.contains { $0.hasPrefix("  mtime") || $0.hasPrefix("  size") })
  }

  @Test func `has access lists, capabilities and extended attributes`() throws {
    let watched = try Watched("watch = TREE acl+caps+xattrs")
    try watched.shell("echo x > a; echo x > b; echo x > c")
    _ = try watched.run("init")
    try watched.shell(
      "setfacl -m u:1234:r a; setcap cap_net_raw+ep b; setfattr -n user.mark -v yes c")
    let lines = try watched.check()
    #expect(
      lines.contains("  acl     none -> user::rw-,user:1234:r--,group::r--,mask::r--,other::r--"))
    #expect(lines.contains("changed  critical TREE/b"))
    #expect(lines.contains("  caps    none -> cap_net_raw=ep"))
    #expect(lines.contains("  xattrs  none -> user.mark=yes"))
  }

  @Test func `lets a log grow, and not be rewritten`() throws {
    let watched = try Watched("watch = TREE log")
    try watched.shell("echo first > grown; echo first > rewritten; echo first > rotated")
    _ = try watched.run("init")
    try watched.shell(
      "echo more >> grown; printf 'FIRST and more' > rewritten; mv rotated rotated.1; : > rotated")
    let lines = try watched.check()
    #expect(
      lines.filter { !$0.hasPrefix(" ") } == [
        "changed  medium   TREE/rewritten", "added    medium   TREE/rotated.1 (file)",
      ])
  }

  @Test func `becomes what there is by update, with who accepted it and why`() throws {
    let watched = try Watched("watch = TREE content")
    try watched.shell("echo a > a; echo b > b")
    _ = try watched.run("init")
    try watched.shell("echo A > a; echo B > b")
    #expect(try watched.run("update").end == .exit(2))
    let accepted = try watched.run("accept", watched.tree + "/a", "--reason", "ticket 7")
    #expect(accepted.end == .exit(0), "\(accepted.error)")
    #expect(try watched.check().filter { !$0.hasPrefix(" ") } == ["changed  medium   TREE/b"])
    #expect(try watched.run("update", "--reason", "the rest").end == .exit(0))
    #expect(try watched.check() == [])
    let shown = try watched.run("show", watched.tree + "/a").output
    #expect(shown.contains("changed by accept of "))
    #expect(shown.contains(" as uid \(getuid())"))
    #expect(shown.contains(": ticket 7"))
  }

  @Test func `finds a row that another program altered`() throws {
    let watched = try Watched("watch = TREE full")
    try watched.shell("echo x > f")
    _ = try watched.run("init")
    #expect(try watched.run("verify").end == .exit(0))
    let database = try Database(watched.folder + "/db/baseline.db", creating: false)
    try database.execute(
      "UPDATE entry SET state = zeroblob(2) || substr(state, 3) WHERE name = x'66'")
    let verified = try watched.run("verify")
    #expect(verified.end == .exit(1))
    #expect(verified.output.contains("cannot read"))
  }

  @Test func `does not pass what it could not read as the same`() throws {
    let watched = try Watched("watch = TREE content\nmax_file_size = 8")
    try watched.shell("echo small > small; echo much longer than eight > large")
    #expect(try watched.run("init").end == .exit(3))
    let check = try watched.run("check")
    #expect(check.end == .exit(3))
    #expect(check.error.contains("tree/large: content: larger than max_file_size"))
    try watched.shell("rm large")
    #expect(try watched.check() == ["removed  medium   TREE/large (file)"])
  }

  @Test func `concludes nothing below what it cannot look at, and all below what it can`() throws {
    let watched = try Watched("watch = TREE content")
    try watched.shell("mkdir a b; touch a/f b/f")
    _ = try watched.run("init")
    let baseline = try Baseline.open(watched.folder + "/db/baseline.db", readOnly: true)
    var policy = Policy()
    let word = Word(
      text: watched.tree, file: "", position: Diagnostic.Position(line: 0, column: 0))
    policy.rules = [
      PolicyRule(
        pattern: try PathPattern(word), effect: .watch(.type, .low), isRecursive: true, place: "")
    ]
    let tree = FilePath(watched.tree)
    var comparison = Comparison(baseline, policy)
    comparison.note(ScanProblem(path: tree.appending(FileName("a".utf8)), reason: ""))
    comparison.note(
      ScanProblem(path: tree.appending(FileName("b".utf8)), reason: "", hidesContent: false))
    #expect(try comparison.finish([tree]).map(\.path.shown).contains { $0.hasSuffix("/b/f") })
    #expect(try !comparison.finish([tree]).map(\.path.shown).contains { $0.hasSuffix("/a/f") })
  }

  @Test func `says which rule decides`() throws {
    let watched = try Watched("watch = TREE full\nignore = TREE/cache")
    let explained = try watched.run("explain", watched.tree + "/cache/x").output
    #expect(
      explained.replacing(watched.folder, with: "DIR") == """
        DIR/tree/cache/x is not watched
          by 'ignore = DIR/tree/cache' (DIR/integrity.conf:3), the last rule that names it
          over 'watch = DIR/tree' (DIR/integrity.conf:2)

        """)
  }

  @Test func `holds every name that a file can have`() throws {
    let watched = try Watched("watch = TREE content")
    for byte in UInt8(1)...255 where byte != 0x2f && byte != 0x2e {
      let path = Array(watched.tree.utf8) + [0x2f, byte, 0]
      let fd = unsafe path.withUnsafeBytes { bytes in
        unsafe open(
          bytes.baseAddress!.assumingMemoryBound(to: CChar.self), O_CREAT | O_WRONLY, 0o644)
      }
      #expect(fd >= 0)
      close(fd)
    }
    _ = try watched.run("init")
    #expect(try watched.check() == [])
    try watched.shell("rm -f ./*")
    #expect(try watched.check().count == 253)
    #expect(try watched.run("check", "--format", "json").output.split(separator: "\n").count == 253)
  }

  @Test func `goes deep, wide, and past what must not be opened`() throws {
    let watched = try Watched("watch = TREE content+acl+flags")
    try watched.shell(
      """
      python3 - <<'END'
      import os
      for _ in range(200):
          os.mkdir('dddddddddddddddddddddddddddddd'); os.chdir('dddddddddddddddddddddddddddddd')
      open('deep', 'w').write('x')
      END
      mkdir wide; seq 10000 | (cd wide && xargs touch)
      mkfifo fifo; mknod null c 1 3; ln -s . loop; truncate -s 64M sparse
      """)
    let made = try watched.run("init")
    #expect(made.end == .exit(0), "\(made.error)")
    #expect(made.output.contains("10207 files"))
    #expect(try watched.check() == [])
    try watched.shell("find . -name deep -delete; rm wide/777")
    #expect(try watched.check().count == 2)
    try watched.shell("rm -rf ./*")
  }

  @Test func `goes on where an init was interrupted`() throws {
    let watched = try Watched("watch = TREE content\nscan_files = 500")
    try watched.shell(
      "for d in a b c d e f; do mkdir $d; for i in 1 2 3 4 5 6 7 8 9; do echo $d$i > $d/f$i; done; done"
    )
    for _ in 0..<20 {
      _ = try CommandRun(
        "/usr/bin/timeout", "-s", "KILL", "0.05", "\(PluginRun.products)/audispatch-integrity",
        "--config", "\(watched.folder)/integrity.conf", "init")
    }
    _ = try watched.run("init")
    #expect(try watched.check() == [])
    #expect(try watched.run("verify").output.hasSuffix("\n61 entries, 0 problems\n"))
  }
}
