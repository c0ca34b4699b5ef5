import Configuration
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_integrity

@Suite("A regular expression of AIDE")
struct AideExpressionTests {
  @Test(arguments: [
    ("/etc", ["/etc"]), ("/etc$", ["/etc $"]), ("/", ["/"]), ("/etc/", ["/etc/*"]),
    ("/var/log/.*", ["/var/log/*"]), (#"/var/log/a\.log$"#, ["/var/log/a.log $"]),
    ("/var/log/[^/]+\\.gz$", ["/var/log/?*.gz $"]),
    ("/a(b|c)?/d$", ["/a/d $", "/ab/d $", "/ac/d $"]),
    ("/a[0-9]{1,2}$", ["/a[0-9] $", "/a[0-9][0-9] $"]),
    ("/a.*/b$", ["/a*/**/b $"]), ("/a/.*b$", ["/a/**/*b $"]),
    ("/a.*b$", ["/a*b $", "/a*/**/*b $"]), ("/tmp/x-", ["/tmp/x-*"]),
    ("/[[:digit:]ab_^-]$", ["/[0-9_ab^-] $"]), (#"/a\*b\[$"#, [#"/a\*b\[ $"#]),
    ("/a%20b$", ["/a b $"]), ("/a.c$", ["/a?c $"]),
  ])
  func `has these paths`(expression: String, paths: [String]) throws {
    let found = try AideExpression.paths(expression).map { $0.text + ($0.isExact ? " $" : "") }
    #expect(found == paths)
  }

  @Test(arguments: [
    ("/a[0-9]+$", "a repetition of anything but '.' and '[^/]'", 7),
    ("/a(bc)*$", "a group that is repeated without an end", 6),
    ("/a{3", "a '{' without its '}'", 2), ("/(a", "a '(' without its ')'", 3),
    ("/a)", "a ')' without its '('", 2), (#"/\d"#, #"'\' in front of a letter or a digit"#, 2),
    ("/a$b", "a '$' in its midst", 0), ("/[a", "a '[' without its ']'", 3),
    ("/(a|b){20}", "it stands for too many paths", 10),
  ])
  func `has no equal`(expression: String, reason: String, offset: Int) {
    #expect(throws: AideExpression.Obstacle(reason: reason, offset: offset)) {
      try AideExpression.paths(expression)
    }
  }

  /// Whatever stands there: it gives paths that our own configuration takes, or says why not.
  @Test func `never fails otherwise`() throws {
    var state: UInt64 = 0x5eed
    let letters = Array("/ab.*+?()[]{}|$^\\,0-".utf8)
    for _ in 0..<3000 {
      var bytes: [UInt8] = [0x2f]
      for _ in 0..<12 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes.append(letters[Int(state >> 33) % letters.count])
      }
      let text = String(decoding: bytes, as: UTF8.self)
      guard let paths = try? AideExpression.paths(text) else { continue }
      for path in paths {
        let word = Word(text: path.text, file: "", position: .init(line: 0, column: 0))
        #expect(throws: Never.self, "\(text) (seed 0x5eed): \(path.text)") {
          try PathPattern(word)
        }
      }
    }
  }
}

@Suite("A configuration of AIDE", .onThreads)
struct ImportTests {
  private let sample = #"""
    # A sample with a bit of everything.
    database_in=file:/var/lib/aide/aide.db
    num_workers=2
    @@define LOG var/log
    Checks = sha256+md5
    Own = p+u+g+ftype
    Static = Own+m+c+Checks
    log = Own+n+growing+b
    @@ifdef NOTHING
    /never Own
    @@else
    /etc Static
    @@endif
    @@if not defined LOG
    /never Own
    @@endif
    /etc/passwd$ f Static-c
    !/etc/mtab$
    !/etc/tmp f
    =/srv$ d Own
    /@@{LOG} log
    /@@{LOG}/a[0-9]+$ log
    /opt/with\ blank$ Own+unheard
    @@include DIR/more
    @@x_include DIR/program
    """#

  @Test func `says the same in our words, and what has no equal`() throws {
    let watched = try Watched("")
    let folder = watched.folder
    try watched.write(sample.replacing("DIR", with: folder) + "\n", to: folder + "/aide.conf")
    try watched.write("/usr/bin$ Own\n/usr Static\n", to: folder + "/more")
    try watched.write("#!/bin/sh\ntouch \(folder)/was-run\n", to: folder + "/program")
    try watched.shell("chmod 755 ../program")
    let run = try watched.run("import", folder + "/aide.conf")
    #expect(run.end == .exit(3))
    #expect((try? Files.status(of: folder + "/was-run")) == nil)
    let lines = run.output.split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(
      lines == [
        "workers = 2", "attributes = Checks sha256+sha256", "attributes = Own p+u+g+ftype",
        "attributes = Static Own+m+c+Checks", "attributes = aide_log Own+n+growing",
        "watch = /usr Static", "watch_entry = /srv Own", "watch = /etc Static",
        "watch_entry = /usr/bin Own", "watch_entry = \"/opt/with blank\" Own",
        "watch = /var/log aide_log", "watch_entry = /etc/passwd Static-c", "ignore = /etc/mtab",
      ])
    let problems = run.error.replacing(folder, with: "DIR").split(separator: "\n").map {
      $0.replacing("audispatch-integrity: ", with: "")
    }
    #expect(
      problems == [
        "DIR/aide.conf:2:1: warning: no equal: AIDE's database is not read ('database_in=file:/var/lib/aide/aide.db'); a new one is made by 'init'",
        "DIR/aide.conf:5:10: warning: no equal of 'md5' ('sha256+md5'); md5 proves nothing any more: sha256 instead",
        "DIR/aide.conf:8:7: warning: no equal of 'b' ('Own+n+growing+b'); blocks are not kept: size and hash say it",
        "DIR/aide.conf:17:14: warning: no equal of the restriction to types: all of them are watched ('f')",
        "DIR/aide.conf:19:11: warning: no equal of the restriction to types: it is not ignored, since more would be ('f')",
        "DIR/aide.conf:20:8: warning: no equal of the restriction to types: all of them are watched ('d')",
        "DIR/aide.conf:22:1: warning: no equal: a repetition of anything but '.' and '[^/]' ('/@@{LOG}/a[0-9]+$')",
        #"DIR/aide.conf:23:19: warning: no equal: 'unheard' is no attribute or group ('Own+unheard')"#,
        "DIR/aide.conf:25:13: warning: DIR/program is a program, and is not run ('DIR/program'); write what it prints into a file",
      ])
    // What comes out is a configuration.
    try watched.write(run.output, to: folder + "/integrity.conf")
    let check = try watched.run("--check")
    #expect(check.end == .exit(0), "\(check.error)")
    #expect(
      try watched.run("explain", "/etc/passwd").output.contains("'watch_entry = /etc/passwd'"))
  }

  @Test func `lets what a group was made of be what it was`() throws {
    let watched = try Watched("")
    let file = watched.folder + "/aide.conf"
    try watched.write("A = p\nB = A+u\nA = A+m\n/x B\n/y A\n/z tiger+I+a\n", to: file)
    let run = try watched.run("import", file)
    let lines = run.output.split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(
      lines == [
        "attributes = A p", "attributes = B A+u", "attributes = A_2 A+m",
        "watch = /z sha256+rotating", "watch = /y A_2", "watch = /x B",
      ])
    let problems = run.error.split(separator: "\n").map { $0.split(separator: "warning: ").last! }
    #expect(
      problems == [
        "'A' is defined a second time: from here on this one counts ('A')",
        "no equal of 'tiger' ('tiger+I+a'); sha256 instead",
        "no equal of 'a' ('tiger+I+a'); the access time is not kept: looking at a file would change it",
      ])
    try watched.write(run.output, to: watched.folder + "/integrity.conf")
    #expect(try watched.run("--check").end == .exit(0))
  }

  private static let debian = "/etc/aide/aide.conf"

  @Test(.enabled(if: (try? Files.status(of: debian)) != nil, "aide-common is not installed"))
  func `of Debian can be used`() throws {
    let watched = try Watched("")
    let run = try watched.run("import", Self.debian)
    #expect(run.end == .exit(3))
    #expect(run.output.contains("attributes = VarFile OwnerMode+n+l+X\n"))
    try watched.write(run.output, to: watched.folder + "/integrity.conf")
    let check = try watched.run("--check")
    #expect(check.end == .exit(0), "\(check.error.prefix(2000))")
  }
}
