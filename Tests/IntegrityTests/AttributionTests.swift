import AudispatchPlugin
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_integrity

@Suite("Who changed a file")
struct AttributionTests {
  private let before = Recorded.state(inode: 60, changed: 1)

  /// `open(…, O_WRONLY)` of `/watched/file`.
  private func opening(
    _ auid: String, second: Int, serial: Int, ses: String = "5",
    key: String = "audispatch-integrity"
  ) -> String {
    Recorded.call(
      2, "a0=0 a1=1 a2=0 a3=0", auid: auid, ses: ses, second: second, serial: serial, key: key,
      paths: [Recorded.path("\"file\"", inode: 60, "NORMAL")])
  }

  private func changed(at second: Int64) -> Subject {
    Recorded.subject(before, Recorded.state(inode: 60, changed: second, size: 2))
  }

  @Test func `is exact for the only one who can have done it`() throws {
    let found = Recorded.attribution(of: changed(at: 10), opening("1000", second: 10, serial: 2))
    #expect(found.confidence == .exact, "\(found.reasons)")
    let candidate = try #require(found.candidates.first)
    #expect(candidate.author.login == .user(1000))
    #expect(candidate.author.session == 5)
    #expect(candidate.deeds[0].program.arguments == [Array("vi".utf8), Array("/x".utf8)])
    #expect(found.stamps == ["1000000010.000:2"])
  }

  @Test func `names all who can have done it`() {
    let found = Recorded.attribution(
      of: changed(at: 12), opening("1000", second: 10, serial: 2),
      opening("1001", second: 12, serial: 3))
    #expect(found.confidence == .candidate)
    #expect(found.candidates.map(\.author.login) == [.user(1000), .user(1001)])
  }

  @Test func `is of one session, not of one person`() {
    let found = Recorded.attribution(
      of: changed(at: 12), opening("1000", second: 10, serial: 2),
      opening("1000", second: 12, serial: 3, ses: "6"))
    #expect(found.confidence == .candidate)
  }

  @Test func `takes nobody who came after the last change`() {
    let found = Recorded.attribution(
      of: changed(at: 10), opening("1000", second: 10, serial: 2),
      opening("1001", second: 20, serial: 3))
    #expect(found.candidates.map(\.author.login) == [.user(1000)])
    #expect(found.confidence == .exact)
  }

  @Test func `counts who had it open before, if it was open`() {
    var subject = changed(at: 10)
    subject.reading.open = OpenFiles(text: "2049:60")
    let lines = [opening("1001", second: 1, serial: 2), opening("1000", second: 10, serial: 3)]
    let found = Recorded.attribution(of: subject, lines[0], lines[1])
    #expect(found.candidates.map(\.author.login) == [.user(1001), .user(1000)])
    subject.reading.open = OpenFiles(text: "2049:61 unseen:1:1000")
    let atRest = Recorded.attribution(of: subject, lines[0], lines[1])
    #expect(atRest.candidates.map(\.author.login) == [.user(1000)])
    // One who was not looked at may have inherited it.
    subject.reading.open = OpenFiles(text: "unseen:70:1000000002000")
    #expect(Recorded.attribution(of: subject, lines[0], lines[1]).candidates.count == 2)
    subject.reading.open = OpenFiles(text: "unknown")
    #expect(Recorded.attribution(of: subject, lines[0], lines[1]).candidates.count == 2)
  }

  @Test(arguments: [
    ("2049:60:20:1000000000000", false), ("2049:61:20:1000000000000", true), ("unknown", false),
  ])
  func `is not exact while somebody has it open who opened it before the records begin`(
    open: String, isExact: Bool
  ) {
    var subject = changed(at: 10)
    subject.reading.open = OpenFiles(text: open)
    let found = Recorded.attribution(of: subject, opening("1000", second: 10, serial: 2))
    #expect(found.candidates.map(\.author.login) == [.user(1000)])
    #expect((found.confidence == .exact) == isExact, "\(open) \(found.reasons)")
  }

  /// The records are of process 20, at second 3.
  @Test(arguments: [
    ("2049:60:20:1000000003000", true), ("2049:60:20:0 2049:60:21:0", false),
    ("2049:60:21:0", false), ("2049:60", false),
    // Baselines of earlier versions do not say when it was started.
    ("2049:60:20", false),
    // That process has ended, and another one has its number.
    ("2049:60:20:1000000003500", false),
  ])
  func `is not exact while another process has it open than the one that is known to`(
    open: String, isExact: Bool
  ) {
    var subject = changed(at: 10)
    subject.reading.open = OpenFiles(text: open)
    let found = Recorded.attribution(of: subject, opening("1000", second: 3, serial: 2))
    #expect(found.candidates.map(\.author.login) == [.user(1000)])
    #expect((found.confidence == .exact) == isExact, "\(open) \(found.reasons)")
  }

  @Test(arguments: ["4294967295", "-1", "unset"])
  func `leaves a login unset that is not set`(auid: String) {
    let found = Recorded.attribution(
      of: changed(at: 10), opening(auid, second: 10, serial: 2, ses: "4294967295"))
    #expect(found.candidates.map(\.author.login) == [.unset])
    #expect(found.candidates.map(\.author.session) == [nil])
    let line = JSONReport.line(
      ChangeReport(change: changed(at: 10).change, attribution: found), .origin, at: 0)
    #expect(!line.contains("\"audit\":{"))
    #expect(line.contains("\"login\":\"unset\""))
  }

  @Test(arguments: ["", "x", "4294967296", "99999999999999999999"])
  func `is never exact where the login cannot be read`(auid: String) {
    let found = Recorded.attribution(of: changed(at: 10), opening(auid, second: 10, serial: 2))
    #expect(found.candidates.map(\.author.login) == [.unknown])
    #expect(found.confidence == .candidate)
  }

  @Test func `is not exact by rules that may leave somebody out`() {
    let found = Recorded.attribution(
      of: changed(at: 10), opening("1000", second: 10, serial: 2, key: "only-me"))
    #expect(found.confidence == .candidate)
    #expect(found.reasons == ["no rule is known to tell of everybody (audit_key)"])
  }

  @Test func `is none where no record tells`() {
    let found = Recorded.attribution(of: changed(at: 10))
    #expect(found.confidence == .none)
    #expect(found.candidates.isEmpty)
    #expect(TextReport.lines(found) == ["  by      unknown: no record tells of it"])
  }

  @Test func `takes no failed call, and none that reads`() {
    let path = [Recorded.path("\"file\"", inode: 60, "NORMAL")]
    let found = Recorded.attribution(
      of: changed(at: 10),
      Recorded.call(2, "a0=0 a1=1", second: 10, serial: 2, paths: path, success: "no"),
      Recorded.call(2, "a0=0 a1=0", second: 10, serial: 3, paths: path),
      Recorded.call(59, "a0=0 a1=0", second: 10, serial: 4, paths: path))
    #expect(found.confidence == .none)
  }

  @Test func `finds what has no name by the inode`() {
    var after = before
    after.facts.mode = 0o600
    after.facts.changed = 1_000_000_010_000_000_000
    let found = Recorded.attribution(
      of: Recorded.subject(before, after),
      Recorded.call(
        91, "a0=3 a1=180", second: 10, serial: 2,
        paths: ["name=(null) inode=60 dev=08:01 mode=0100644 ouid=0 nametype=NORMAL"]))
    #expect(found.confidence == .exact, "\(found.reasons)")
  }

  @Test func `follows a file that was renamed over another`() {
    let found = Recorded.attribution(
      of: Recorded.subject(before, Recorded.state(inode: 61, changed: 11, size: 9)),
      Recorded.call(
        2, "a0=0 a1=41", second: 10, serial: 2,
        paths: [
          Recorded.path("\"/watched\"", inode: 50, "PARENT"),
          Recorded.path("\"f.tmp\"", inode: 61, "CREATE"),
        ]),
      Recorded.call(
        82, "a0=0 a1=0", second: 11, serial: 3,
        paths: [
          Recorded.path("\"/watched\"", inode: 50, "PARENT"),
          Recorded.path("\"/watched\"", inode: 50, "PARENT"),
          Recorded.path("\"f.tmp\"", inode: 61, "DELETE"),
          Recorded.path("\"file\"", inode: 60, "DELETE"),
          Recorded.path("\"file\"", inode: 61, "CREATE"),
        ]))
    #expect(found.confidence == .exact, "\(found.reasons)")
    #expect(found.candidates.first?.deeds.count == 2)
  }

  @Test func `names who put another file there in between`() {
    func replace(_ old: Int, _ new: Int, auid: String, second: Int, serial: Int) -> String {
      Recorded.call(
        82, "a0=0 a1=0", auid: auid, second: second, serial: serial,
        paths: [
          Recorded.path("\"/watched\"", inode: 50, "PARENT"),
          Recorded.path("\"/tmp\"", inode: 2, "PARENT"),
          Recorded.path("\"/tmp/n\"", inode: new, "DELETE"),
          Recorded.path("\"file\"", inode: old, "DELETE"),
          Recorded.path("\"file\"", inode: new, "CREATE"),
        ])
    }
    let found = Recorded.attribution(
      of: Recorded.subject(before, Recorded.state(inode: 63, changed: 13, size: 9)),
      replace(60, 61, auid: "1001", second: 10, serial: 2),
      replace(61, 62, auid: "1002", second: 11, serial: 3),
      replace(62, 63, auid: "1003", second: 13, serial: 4))
    #expect(found.candidates.map(\.author.login) == [.user(1001), .user(1002), .user(1003)])
    #expect(found.confidence == .candidate)
  }

  @Test func `names who wrote the file that another has replaced`() {
    let written = opening("1001", second: 10, serial: 2)
    let replaced = Recorded.call(
      82, "a0=0 a1=0", second: 11, serial: 3,
      paths: [
        Recorded.path("\"/watched\"", inode: 50, "PARENT"),
        Recorded.path("\"file\"", inode: 60, "DELETE"),
        Recorded.path("\"file\"", inode: 61, "CREATE"),
      ])
    let found = Recorded.attribution(
      of: Recorded.subject(before, Recorded.state(inode: 61, changed: 11)), written, replaced)
    #expect(found.candidates.map(\.author.login) == [.user(1001), .user(1000)])
    // Who wrote a file has not removed it.
    let removed = Recorded.attribution(
      of: Recorded.subject(before, nil), written,
      Recorded.call(
        87, "a0=0", second: 11, serial: 3,
        paths: [Recorded.path("\"file\"", inode: 60, "DELETE")]))
    #expect(removed.candidates.map(\.author.login) == [.user(1000)])
  }

  @Test func `takes no file of the same name elsewhere, as in a container`() {
    let found = Recorded.attribution(
      of: changed(at: 10),
      Recorded.call(
        2, "a0=0 a1=1", second: 10, serial: 2,
        paths: [Recorded.path("\"/watched/file\"", inode: 600, "NORMAL")]))
    #expect(found.confidence == .none)
  }

  @Test func `says when the clock was set back`() {
    let late = Recorded.state(inode: 60, changed: 100)
    let found = Recorded.attribution(
      of: Recorded.subject(late, Recorded.state(inode: 60, changed: 10, size: 2)),
      opening("1000", second: 10, serial: 2))
    #expect(found.confidence == .candidate)
    #expect(found.reasons.contains("the clock was set back in between"))
  }
}

@Suite("Files that are open for writing", .onThreads)
struct OpenFilesTests {
  @Test func `are found by descriptors, and not what is open for reading`() throws {
    let watched = try Watched("")
    try watched.shell("echo x > written; echo x > read")
    func identity(_ name: String) throws -> FileIdentity {
      let status = try Files.status(of: "\(watched.tree)/\(name)")
      return FileIdentity(device: status.device, inode: status.inode)
    }
    let child = try PluginRun(
      "audispatch-print", [],
      prefix: [
        "/bin/sh", "-c", "exec sleep 60 3>>'\(watched.tree)/written' 4<'\(watched.tree)/read'",
      ])
    let (written, read) = (try identity("written"), try identity("read"))
    let begin = WallClock.milliseconds
    #expect(child.eventually { OpenFiles.current.files[written] != nil })
    // When it was started is known to some milliseconds, so that another one is told from it.
    let started = OpenFiles.current.files[written]?.first?.started ?? 0
    #expect((begin - 10_000...WallClock.milliseconds).contains(started))
    #expect(OpenFiles.current.files[read] == nil)
    child.signal(9)
    _ = child.end()
    #expect(OpenFiles.current.files[written] == nil)
  }

  @Test func `are the same as text`() {
    let open = OpenFiles(text: "1:2:9:70 1:2:10:80 3:4 unseen:7:1000")
    #expect(OpenFiles(text: open.text) == open)
    let holders = open.files[FileIdentity(device: 1, inode: 2)]
    #expect(holders == [.init(pid: 9, started: 70), .init(pid: 10, started: 80)])
    #expect(open.files[FileIdentity(device: 3, inode: 4)] == [.init(pid: 0, started: .max)])
    #expect(open.unseen.count == 1)
    #expect(OpenFiles(text: "what").isWhole == false)
  }
}
