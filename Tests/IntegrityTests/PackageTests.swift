import Linux
import Testing

@testable import audispatch_integrity

private let hello = PackageName(name: "hello", architecture: "all")
private let sum = [UInt8](repeating: 0xab, count: 16)
private let digits = String(repeating: "ab", count: 16)

@Suite("dpkg's text files")
struct DpkgTextTests {
  @Test func `give packages with their versions, states and configuration files`() {
    let found = DpkgText.stanzas(
      Array(
        """
        Package: hello
        Status: install ok installed
        Architecture: all
        Version: 1:2.0-1
        Conffiles:
         /etc/a b \(digits)
         /etc/old \(digits) obsolete
         /etc/new newconffile
        Description: x
         /not/one \(digits)

        Package: gone
        Architecture: amd64
        Version: 3
        Status: deinstall ok config-files
        """.utf8))
    #expect(found.count == 2)
    #expect(found[hello]?.version == "1:2.0-1")
    #expect(found[hello]?.state == "installed")
    #expect(
      found[hello]?.conffiles.map(\.path) == [Array("/etc/a b".utf8), Array("/etc/old".utf8)])
    #expect(found[hello]?.conffiles.map(\.sum) == [sum, sum])
    #expect(found[PackageName(name: "gone", architecture: "amd64")]?.state == "config-files")
  }

  @Test func `give sums, and nothing for what is none`() {
    let sums = DpkgText.sums(
      Array("\(digits)  usr/a b\n\(digits) usr/c\nzz\n\(digits.dropLast())g  x\n".utf8))
    #expect(sums.map(\.path) == [Array("/usr/a b".utf8)])
    #expect(sums.map(\.sum) == [sum])
    #expect(DpkgText.diversions(Array("/a\n/b\nother\n/c\n".utf8)).map(\.package) == ["other"])
    #expect(DpkgText.diversions([]) == [])
  }

  @Test func `are of no use where no package has files`() {
    for (root, watched, concerns) in [
      ("/", ["/etc"], true), ("/", ["/tmp/x", "/home"], false), ("/", ["/home", "/"], true),
      ("/", ["/usr/local/bin"], false), ("/srv/r", ["/srv/r/usr"], true),
      ("/srv/r", ["/etc"], false), ("/srv/r", ["/srv"], true), ("/srv/r", ["/srv/r/tmp"], false),
    ] {
      let found = DpkgDatabase(root: root).concerns(watched.map { FilePath($0) })
      #expect(found == concerns, "\(root) \(watched)")
    }
  }

  @Test func `name files that lie elsewhere`() {
    let places = PackagePlaces(
      root: FilePath("/srv/root"), aliases: [Array("bin".utf8): Array("/usr/bin".utf8)],
      diversions: [
        .init(path: Array("/bin/a".utf8), kept: Array("/bin/a.kept".utf8), package: "other")
      ])
    #expect(places.place(of: Array("/bin/b".utf8), in: hello).shown == "/srv/root/usr/bin/b")
    #expect(places.place(of: Array("/bin/a".utf8), in: hello).shown == "/srv/root/usr/bin/a.kept")
    let other = PackageName(name: "other", architecture: "all")
    #expect(places.place(of: Array("/bin/a".utf8), in: other).shown == "/srv/root/usr/bin/a")
    #expect(places.place(of: Array("/.".utf8), in: hello).shown == "/srv/root")
  }
}

@Suite("A verdict on what dpkg changed")
struct VerdictTests {
  private enum Kind: CaseIterable { case made, changed, gone }

  private func change(
    _ kind: Kind, type: FileKind = .regular, mode: UInt32 = 0o644, inode: UInt64 = 2,
    _ more: (inout FileState) -> Void = { _ in }
  ) -> StateChange {
    var facts = FileFacts(
      kind: type, mode: 0o644, user: 0, group: 0, links: 1, size: 1, inode: 1, device: 1,
      modified: 1, changed: 1)
    let before = kind == .made ? nil : FileState(facts)
    facts.mode = mode
    facts.size = 2
    facts.inode = inode
    var after = kind == .gone ? nil : FileState(facts)
    if var state = after {
      more(&state)
      after = state
    }
    return StateChange(
      FilePath("/x"), before: before, after: after, counting: .full, severity: .low)!
  }

  private func isApart(_ verdict: Verdict) -> Bool {
    if case .apart = verdict { true } else { false }
  }

  /// Every combination: nothing is folded that no sum, no list and nobody speaks for.
  @Test func `folds only what something speaks for`() {
    for kind in Kind.allCases {
      for owner in [nil, PackageFiles.Owner(package: hello), .init(package: hello, sum: sum)] {
        for former in [nil, hello] {
          for management in [Management.manager, .unknown, .somebodyElse] {
            for content in [Verdict.Content.equal, .different, .unread] {
              let verdict = Verdict(
                change(kind), owner: owner, former: former, management: management
              ) { content }
              switch verdict {
              case .packaged:
                #expect(owner?.sum != nil && content == .equal && kind != .gone)
              case .listed: Issue.record("a regular file has a sum")
              case .removed: #expect(kind == .gone && owner == nil && former != nil)
              case .byScript: #expect(owner == nil && management == .manager)
              case .apart: break
              }
              if management == .somebodyElse { #expect(isApart(verdict)) }
            }
          }
        }
      }
    }
  }

  @Test func `lets new rights stand out, whatever the sum says`() {
    let verdict = Verdict(
      change(.changed, mode: 0o4755), owner: .init(package: hello, sum: sum), former: hello,
      management: .manager
    ) { .equal }
    #expect(verdict == .apart(hello, "dpkg has no record of the rights of a file"))
  }

  @Test func `lets a file with other rights in the place of one stand out, also if it is equal`() {
    let reason = "dpkg has no record of the rights of a file"
    let changes: [(inout FileState) -> Void] = [
      { $0.facts.mode = 0o666 }, { $0.facts.user = 7 }, { $0.facts.group = 7 },
      { $0.accessList = [1] },
    ]
    for more in changes {
      for management in [Management.manager, .unknown] {
        for (inode, stands) in [(UInt64(2), true), (1, management == .unknown)] {
          let verdict = Verdict(
            change(.changed, inode: inode, more), owner: .init(package: hello, sum: sum),
            former: hello, management: management
          ) { .equal }
          #expect(isApart(verdict) == stands, "\(management) \(inode) \(verdict)")
          if inode == 2 { #expect(verdict == .apart(hello, reason)) }
        }
        // A new file has no rights that it had before; what no package has is its script's.
        let made = Verdict(
          change(.made, more), owner: .init(package: hello, sum: sum), former: nil,
          management: management
        ) { .equal }
        #expect(made == .packaged(hello))
      }
      let other = Verdict(
        change(.changed, more), owner: nil, former: nil, management: .manager
      ) { .unread }
      #expect(other == .byScript)
    }
  }

  @Test func `lets a link that leads elsewhere stand out, unless dpkg was seen`() {
    for (kind, management, verdict) in [
      (Kind.changed, Management.manager, Verdict.listed(hello)),
      (.changed, .unknown, .apart(hello, "dpkg has no record of where a link leads")),
      (.made, .unknown, .listed(hello)),
    ] {
      let link = change(kind, type: .symbolicLink) { $0.target = [1] }
      #expect(
        Verdict(link, owner: .init(package: hello), former: hello, management: management) {
          .unread
        } == verdict)
    }
  }

  @Test func `takes a file that was not unpacked anew for altered`() {
    for (management, verdict) in [
      (Management.manager, Verdict.byScript),
      (.unknown, .apart(hello, "altered, and not unpacked anew")),
    ] {
      #expect(
        Verdict(
          change(.changed, inode: 1), owner: .init(package: hello, sum: sum), former: hello,
          management: management
        ) { .equal } == verdict)
      #expect(
        Verdict(
          change(.changed, type: .directory, mode: 0o777, inode: 1), owner: .init(package: hello),
          former: hello, management: management
        ) { .unread } == verdict)
    }
  }

  @Test func `asks for no sum of a folder, and takes no folder for a file`() {
    let folder = change(.made, type: .directory)
    #expect(
      Verdict(folder, owner: .init(package: hello), former: nil, management: .unknown) { .unread }
        == .listed(hello))
    let other = Verdict(
      folder, owner: .init(package: hello, sum: sum), former: nil, management: .unknown
    ) { .equal }
    #expect(isApart(other))
  }
}

@Suite("Changes that wait for dpkg")
struct UpdateWatchTests {
  private func report(
    _ name: String, management: Management = .unknown
  ) -> (ChangeReport, Reading) {
    let facts = FileFacts(
      kind: .regular, mode: 0, user: 0, group: 0, links: 1, size: 1, inode: 1, device: 1,
      modified: 1, changed: 1)
    let change = StateChange(
      FilePath("/\(name)"), before: nil, after: FileState(facts), counting: .full, severity: .low)!
    var report = ChangeReport(change: change)
    if management == .somebodyElse {
      report.attribution = Recorded.attribution(
        of: Recorded.subject(nil, Recorded.state(inode: 60, changed: 10)),
        Recorded.call(
          2, "a0=0 a1=41", second: 10, serial: 2,
          paths: [Recorded.path("\"/watched/file\"", inode: 60, "CREATE")]))
    }
    return (report, .unknown)
  }

  private let old = DpkgDatabase.Stamp(inode: 1, modified: 1)
  private let new = DpkgDatabase.Stamp(inode: 2, modified: 2)

  @Test func `wait only while the database has changed or is locked`() {
    for (stamp, isLocked, waits) in [(old, false, false), (old, true, true), (new, false, true)] {
      var watch = UpdateWatch(explained: old)
      watch.note(.init(stamp: stamp, isLocked: isLocked), at: .zero)
      let (report, reading) = report("a")
      let isTaken = watch.takes(report, reading, at: .zero)
      #expect(isTaken == waits)
    }
  }

  @Test func `do not wait when somebody else is known`() {
    var watch = UpdateWatch(explained: old)
    watch.note(.init(stamp: old, isLocked: true), at: .zero)
    let (report, reading) = report("a", management: .somebodyElse)
    #expect(report.management == .somebodyElse)
    let isTaken = watch.takes(report, reading, at: .zero)
    #expect(!isTaken)
  }

  @Test func `are explained when it is at rest, and at the latest after ten minutes`() {
    var watch = UpdateWatch(explained: old)
    let (report, reading) = report("a")
    watch.note(.init(stamp: old, isLocked: true), at: .zero)
    let isTaken = watch.takes(report, reading, at: .zero)
    #expect(isTaken)
    #expect(!watch.isDue(at: .seconds(599), isSettling: false))
    #expect(watch.isDue(at: .seconds(600), isSettling: true))
    let isTakenLate = watch.takes(report, reading, at: .seconds(601))
    #expect(!isTakenLate)
    watch.note(.init(stamp: new, isLocked: false), at: .seconds(2))
    #expect(!watch.isDue(at: .seconds(2), isSettling: false))
    #expect(watch.isDue(at: .seconds(3), isSettling: false))
    #expect(!watch.isDue(at: .seconds(3), isSettling: true))
    #expect(watch.isDue(at: .seconds(22), isSettling: true))
    #expect(!watch.isDue(at: .seconds(22), isSettling: false, isScanning: true))
    #expect(watch.isDue(at: .seconds(600), isSettling: false, isScanning: true))
    // apt runs dpkg again: it begins anew.
    watch.note(.init(stamp: new, isLocked: true), at: .seconds(4))
    #expect(!watch.isDue(at: .seconds(30), isSettling: false))
    let next = watch.next()
    #expect(next?.report.change.path == FilePath("/a"))
    watch.end(explained: new)
    watch.note(.init(stamp: new, isLocked: false), at: .seconds(40))
    #expect(watch.phase == .idle && watch.deadline == nil)
  }
}
