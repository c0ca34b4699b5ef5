import AudispatchPlugin
import Linux
import Testing

@testable import audispatch_integrity

@Suite("An event as an audit record")
struct RecordTextTests {
  private let before = Recorded.state(inode: 60, changed: 1)
  private let after = Recorded.state(inode: 60, changed: 10, size: 2)

  private func report(_ path: FilePath) throws -> ChangeReport {
    ChangeReport(
      change: try #require(
        StateChange(path, before: before, after: after, counting: .full, severity: .high)))
  }

  @Test func `says what changed, who did it, and where to look that up`() throws {
    var report = try report(FilePath("/watched/file"))
    report.attribution = Recorded.attribution(
      of: Recorded.subject(before, after),
      Recorded.call(
        2, "a0=0 a1=1", second: 10, serial: 2,
        paths: [Recorded.path("\"file\"", inode: 60, "NORMAL")]))
    report.circumstances = Circumstances(
      testimony: .silent, isFoundByScan: true, witnesses: [])
    report.isAmended = true
    #expect(
      RecordText.text(report, held: 3)
        == "op=file-changed name=\"/watched/file\" inode=60 changed=size,mtime,ctime severity=high "
        + "attribution=exact login=1000 session=5 events=1000000010.000:2 witness=silent "
        + "found_by=scan amended=yes held=3")
  }

  @Test func `cannot be taken for another by a name`() throws {
    let names: [([UInt8], String)] = [
      (Array("/a b".utf8), "2F612062"), (Array("/a\" op=x".utf8), "2F6122206F703D78"),
      ([0x2f, 0x0a], "2F0A"), ([0x2f, 0xff], "2FFF"), (Array("/a=b".utf8), "\"/a=b\""),
    ]
    for (name, encoded) in names {
      let text = RecordText.text(try report(FilePath(name)))
      #expect(text.hasPrefix("op=file-changed name=\(encoded) inode=60 "), "\(text)")
    }
    #expect(
      RecordText.text("canary of /a b", ["x\" res=success"])
        == "op=integrity-blind subject=63616E617279206F66202F612062 "
        + "findings=7822207265733D73756363657373")
    #expect(RecordText.text("rules", []) == "op=integrity-sees subject=\"rules\"")
  }

  @Test func `is not so long that the kernel cuts it`() throws {
    let part = [UInt8](repeating: 0xff, count: 255)
    let path = (0..<200).reduce(FilePath.root) { path, _ in path.appending(FileName(part)) }
    let text = RecordText.text(try report(path))
    #expect(text.utf8.count < 6000)
    #expect(text.contains(" name_bytes=51200 inode=60 "))
    let findings = [String](repeating: "a \"long\" one", count: 10_000)
    #expect(RecordText.text("subject", findings).utf8.count < 6000)
  }

  @Test(arguments: [400, 900, 1500, 2000])
  func `says who it was in however little room there is`(room: Int) throws {
    let part = [UInt8](repeating: 0x0a, count: 255)
    let path = (0..<16).reduce(FilePath.root) { path, _ in path.appending(FileName(part)) }
    var report = try report(path)
    report.attribution = Recorded.attribution(
      of: Recorded.subject(before, after),
      Recorded.call(
        2, "a0=0 a1=1", second: 10, serial: 2,
        paths: [Recorded.path("\"file\"", inode: 60, "NORMAL")]))
    report.circumstances = Circumstances(testimony: .silent, isFoundByScan: false, witnesses: [])
    let text = RecordText.text(report, room: room)
    #expect(text.utf8.count <= room && text.utf8.count > room - 40, "\(text.utf8.count)")
    #expect(text.contains(" name=2F0A0A0A0A") && text.contains(" name_bytes=4096 inode=60 "))
    #expect(
      text.hasSuffix(
        " attribution=exact login=1000 session=5 events=1000000010.000:2 witness=silent"))
    // Where there is room for all of it nothing is cut.
    #expect(RecordText.text(report, room: 6000) == RecordText.text(report))
  }

  @Test func `is the first of a path, and none as long as that goes on changing`() {
    var repeats = RecordRepeats()
    let (one, other) = (FilePath("/one"), FilePath("/other"))
    #expect(repeats.take(one, at: .zero) == 0)
    for second in stride(from: 59, to: 590, by: 59) {
      #expect(repeats.take(one, at: .seconds(second)) == nil)
    }
    #expect(repeats.take(other, at: .seconds(60)) == 0)
    #expect(repeats.take(one, at: .seconds(590)) == nil)
    #expect(repeats.take(one, at: .seconds(650)) == 10)
    #expect(repeats.take(one, at: .seconds(710)) == 0)
    #expect(repeats.held == 10)
  }

  @Test func `is remembered in bounded memory, and what is beyond it has none`() {
    var repeats = RecordRepeats()
    for number in 0..<RecordRepeats.most {
      #expect(repeats.take(FilePath("/\(number)"), at: .zero) == 0)
    }
    #expect(repeats.take(FilePath("/0"), at: .seconds(1)) == nil)
    #expect(repeats.take(FilePath("/more"), at: .seconds(59)) == nil)
    #expect(repeats.take(FilePath("/more"), at: .seconds(60)) == 0)
    // What was held of those that are forgotten stays counted.
    #expect(repeats.take(FilePath("/other"), at: .seconds(200)) == 0)
    #expect(repeats.held == 2)
  }

  @Test func `takes the place of one that is old enough as soon as there is one`() {
    var repeats = RecordRepeats()
    for number in 0..<RecordRepeats.most {
      #expect(repeats.take(FilePath("/\(number)"), at: .seconds(number == 0 ? 0 : 30)) == 0)
    }
    let rows: [(Int, Int?)] = [(59, nil), (60, 0), (61, nil), (89, nil), (90, 0)]
    for (second, held) in rows {
      #expect(repeats.take(FilePath("/more\(second)"), at: .seconds(second)) == held, "\(second)")
    }
    #expect(repeats.held == 3)
  }

  @Test func `is written or dropped in the end`() {
    var queue = RecordQueue()
    let begins = ["a", "b", "c"].map { queue.add($0, isGood: true) }
    #expect(begins == [true, false, false])
    let first = queue.next()
    #expect(first?.text == "a")
    queue.end(nil)
    _ = queue.next()
    queue.end("Operation not permitted")
    #expect(
      queue.figures
        == AuditRecords.Figures(written: 1, dropped: 1, obstacle: "Operation not permitted"))
    // What is being written is no more known than what waits.
    let last = queue.next()
    #expect(last?.text == "c" && queue.isRunning)
    queue.giveUp("the end")
    queue.end(nil)
    #expect(queue.next() == nil)
    #expect(!queue.isRunning)
    #expect(queue.figures == AuditRecords.Figures(written: 1, dropped: 2, obstacle: "the end"))
    for _ in 0...RecordQueue.bound { _ = queue.add("d", isGood: true) }
    #expect(queue.waiting == RecordQueue.bound && queue.figures.dropped == 3)
  }
}
