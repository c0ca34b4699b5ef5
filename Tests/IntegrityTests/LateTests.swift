import AuditRecord
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_integrity

@Suite("A record that comes late", .onThreads)
struct LateTests {
  private func opening(_ auid: String, second: Int, inode: Int = 60) -> String {
    Recorded.call(
      2, "a0=0 a1=1", auid: auid, second: second, serial: 5,
      paths: [Recorded.path("\"/watched/file\"", inode: inode, "NORMAL")])
  }

  private func deed(_ auid: String, second: Int, inode: Int = 60) throws -> Deed {
    try #require(
      Recorded.events(opening(auid, second: second, inode: inode)).first.flatMap { Deed($0) })
  }

  /// Told as alice's, changed at second 10.
  private func told() -> ToldChanges {
    let subject = Recorded.subject(
      Recorded.state(inode: 60, changed: 1), Recorded.state(inode: 60, changed: 10, size: 2))
    var told = ToldChanges()
    var report = ChangeReport(change: subject.change)
    report.attribution = Recorded.attribution(of: subject, opening("1000", second: 10))
    report.subject = subject
    #expect(report.attribution?.confidence == .exact)
    told.note(report, at: .zero)
    return told
  }

  @Test func `concerns what was told as certain, if another one can have done it`() throws {
    for (auid, second, inode, after, concerns) in [
      ("1001", 9, 60, Duration.zero, true), ("1001", 9, 60, .seconds(59), true),
      // Who was named is no news; nor is what came after the change, or to another file.
      ("1000", 9, 60, .zero, false), ("1001", 11, 60, .zero, false),
      ("1001", 9, 61, .zero, false), ("1001", 9, 60, .seconds(60), false),
    ] {
      let found = told().concerned(by: try deed(auid, second: second, inode: inode), at: after)
      #expect(found.count == (concerns ? 1 : 0), "\(auid) \(second) \(inode) \(after)")
    }
  }

  @Test func `takes a change from those that wait for dpkg, if somebody else made it`() throws {
    let subject = Recorded.subject(
      Recorded.state(inode: 60, changed: 1), Recorded.state(inode: 60, changed: 10, size: 2))
    var report = ChangeReport(change: subject.change)
    report.subject = subject
    report.attribution = Recorded.attribution(of: subject)
    var watch = UpdateWatch(explained: nil)
    watch.note(.init(stamp: nil, isLocked: true), at: .zero)
    let waits = watch.takes(report, .unknown, at: .zero)
    #expect(waits)
    #expect(watch.concerned(by: try deed("1001", second: 11)).isEmpty)
    #expect(watch.concerned(by: try deed("1001", second: 9, inode: 61)).count == 1, "by its path")
    var waiting = try #require(watch.concerned(by: deed("1001", second: 9)).first)
    waiting.report.attribution = Recorded.attribution(of: subject, opening("1001", second: 9))
    let stillWaits = watch.renew(waiting)
    #expect(!stillWaits && watch.waiting.isEmpty)
    // What dpkg did too goes on waiting, and has both.
    _ = watch.takes(report, .unknown, at: .zero)
    waiting.report.attribution?.candidates[0].deeds[0].program.executable = Management.program
    let waitsOn = watch.renew(waiting)
    #expect(waitsOn)
    #expect(watch.waiting.values.first?.report.attribution?.confidence == .exact)
    #expect(watch.concerned(by: try deed("1001", second: 9)).isEmpty)
    #expect(watch.concerned(by: try deed("1002", second: 9)).count == 1)
    watch.forget(subject.change.path)
    #expect(watch.concerned(by: try deed("1002", second: 9)).isEmpty)
  }

  @Test func `leaves those named who were named before, where deeds are forgotten`() {
    let subject = Recorded.subject(
      Recorded.state(inode: 60, changed: 1), Recorded.state(inode: 60, changed: 10, size: 2))
    let before = Recorded.attribution(of: subject, opening("1000", second: 9))
    var later = Recorded.attribution(of: subject, opening("1001", second: 9))
    later.keep(before)
    #expect(later.confidence == .candidate)
    #expect(later.candidates.map(\.author.login) == [.user(1001), .user(1000)])
    #expect(later.reasons == ["several can have done it"])
    var same = before
    same.keep(before)
    #expect(same == before)
  }

  @Test func `concerns nothing that was forgotten, and memory has a bound`() throws {
    var all = told()
    let only = try #require(all.concerned(by: deed("1001", second: 9), at: .zero).first)
    all.forget(only.number)
    #expect(all.concerned(by: try deed("1001", second: 9), at: .zero).isEmpty)
    #expect(all.all(at: .zero).isEmpty)
    var many = told()
    let first = only.report
    for number in 0..<ToldChanges.most {
      var report = first
      report.change = try #require(
        StateChange(
          FilePath("/watched/\(number)"), before: first.change.before, after: first.change.after,
          counting: .full, severity: .low))
      many.note(report, at: .zero)
    }
    let found = many.concerned(by: try deed("1001", second: 9), at: .zero)
    #expect(found.count == ToldChanges.most)
    #expect(!found.contains { $0.report.change.path == first.change.path })
  }

  @Test func `concerns each change of a path, whatever came of it since`() throws {
    for confidence in [Attribution.Confidence.exact, .candidate] {
      var all = told()
      let first = try #require(all.all(at: .zero).first)
      var later = Recorded.subject(
        Recorded.state(inode: 60, changed: 10, size: 2),
        Recorded.state(inode: 60, changed: 20, size: 3))
      later.reading = first.subject.reading
      var report = ChangeReport(change: later.change)
      report.attribution = first.report.attribution
      report.attribution?.confidence = confidence
      report.subject = later
      all.note(report, at: .seconds(30))
      // An uncertain one is not remembered, and takes nothing away.
      let both = all.concerned(by: try deed("1001", second: 9), at: .seconds(31)).map(\.number)
      #expect(both == (confidence == .exact ? [0, 1] : [0]))
      let second = all.concerned(by: try deed("1001", second: 15), at: .seconds(31)).map(\.number)
      #expect(second == (confidence == .exact ? [1] : []))
      #expect(all.all(at: .seconds(61)).map(\.number) == (confidence == .exact ? [1] : []))
    }
  }

  @Test func `lacks nothing, unless records of its time are missing`() throws {
    let entry = try #require(told().all(at: .zero).first)
    let rows: [(from: Int64, to: Int64, isExact: Bool)] = [
      // It was read at second 5, and changed at second 10.
      (1, 5, true), (1, 6, false), (10, 20, false), (11, 20, true),
    ]
    for (from, to, isExact) in rows {
      var attribution = try #require(entry.report.attribution)
      let base: Int64 = 1_000_000_000_000
      attribution.doubt(
        [StreamGap(from: base + from * 1000, to: base + to * 1000, reason: "x")],
        about: entry.subject)
      #expect((attribution.confidence == .exact) == isExact, "\(from) \(to)")
      #expect(attribution.reasons == (isExact ? [] : ["x"]))
    }
  }
}

@Suite("A large file", .onThreads)
struct LargeFileTests {
  private let path = FilePath("/x")
  private let entry = Settling.Entry(first: .zero, due: .zero)

  @Test func `is read once at a time, and again when something has happened meanwhile`() {
    let state = Recorded.state(inode: 1, changed: 1)
    var aside = ReadAside()
    let begins = [aside.begin(path, entry), aside.begin(path, entry)]
    #expect(begins == [true, false])
    #expect(aside.count == 1)
    let waiting = aside.end(path, state)
    #expect(waiting == entry)
    let first = aside.takeState(of: path)
    aside.putBack(first, of: path)
    let states = [first, aside.takeState(of: path), aside.takeState(of: path)]
    #expect(states == [state, state, nil])
    let again = [aside.takeAgain(path), aside.takeAgain(path)]
    #expect(again == [entry, nil])
  }

  @Test func `is looked at again when something has happened since it was read`() {
    let state = Recorded.state(inode: 1, changed: 1)
    #expect(state.isOf(state.facts))
    let changes: [(inout FileFacts) -> Void] = [
      { $0.inode += 1 }, { $0.device += 1 }, { $0.size += 1 }, { $0.changed += 1 },
    ]
    for change in changes {
      var facts = state.facts
      change(&facts)
      #expect(!state.isOf(facts))
    }
    var aside = ReadAside()
    var seen = entry
    seen.witnesses = [Witness(pid: 1, login: .unset, session: nil)]
    aside.lookAgain(path, seen, at: .seconds(3))
    aside.lookAgain(path, entry, at: .seconds(5))
    let again = aside.takeAgain(path)
    #expect(again?.first == .seconds(3))
    #expect(again?.witnesses == seen.witnesses)
    #expect(aside.takeAgain(path) == nil)
  }

  /// Without audit it is waited for a record for two seconds, with the state that was read.
  @Test func `is told again if it changes while nobody is known yet`() throws {
    let watched = try Watched("watch = TREE content severity=low")
    try watched.shell("head -c 9000000 /dev/zero > f")
    _ = try watched.run("init")
    let run = try PluginRun(
      "audispatch-integrity", ["--config", "\(watched.folder)/integrity.conf"])
    #expect(run.await("a scan of everything has ended", in: "err"), "\(run.messages)")
    for letter in ["a", "b"] {
      try watched.shell("printf \(letter) | dd of=f conv=notrunc status=none")
      Pause.nanoseconds(1_200_000_000)
    }
    let sum = try CommandRun("/usr/bin/sha256sum", watched.tree + "/f").output.prefix(64)
    #expect(run.await("-> \(sum)", in: "out"), "\(run.contents("out")) \(run.messages)")
    run.close()
    #expect(run.end() == .exit(0), "\(run.messages)")
  }

  @Test func `is told as any other, with each change`() throws {
    let watched = try Watched("watch = TREE content severity=low")
    try watched.shell("head -c 9000000 /dev/zero > f; echo x > small")
    _ = try watched.run("init")
    let run = try PluginRun(
      "audispatch-integrity", ["--config", "\(watched.folder)/integrity.conf"])
    #expect(run.await("a scan of everything has ended", in: "err"), "\(run.messages)")
    func told() -> [String] {
      run.lines("out").filter { $0.contains("sha256") || !$0.hasPrefix(" ") }
    }
    for (number, letter) in ["a", "b"].enumerated() {
      try watched.shell("printf \(letter) | dd of=f conv=notrunc status=none")
      #expect(run.eventually { told().count == 2 * (number + 1) }, "\(told()) \(run.messages)")
      let sum = try CommandRun("/usr/bin/sha256sum", watched.tree + "/f").output.prefix(64)
      #expect(told().last?.hasSuffix("-> \(sum)") == true, "\(told())")
    }
    try watched.shell("rm f")
    #expect(run.eventually { told().last?.hasPrefix("removed") == true }, "\(told())")
    run.close()
    #expect(run.end() == .exit(0), "\(run.messages)")
  }
}
