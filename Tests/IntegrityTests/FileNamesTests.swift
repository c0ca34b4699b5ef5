import Linux
import Testing

@testable import audispatch_integrity

/// By a name that is not watched anybody can write without a record: then nobody is certain.
@Suite("The names of a file")
struct FileNamesTests {
  private static let file = FileIdentity(device: 0x801, inode: 60)
  private static let reason =
    "it has names that are not watched, or had some, and no record tells who uses them"

  /// `/watched/file`, written at second 20.
  private func written(links: UInt32 = 1, before: UInt32? = nil, names: Int = 1) -> Subject {
    var (old, new) = (
      Recorded.state(inode: 60, changed: 1), Recorded.state(inode: 60, changed: 20, size: 2)
    )
    (old.facts.links, new.facts.links) = (before ?? links, links)
    var subject = Recorded.subject(old, new)
    subject.names[Self.file] = FileNames(
      count: names, folders: [FileIdentity(device: 0x801, inode: 50)])
    return subject
  }

  /// Who has written it, as the records say.
  private let writing = Recorded.call(
    2, "a0=0 a1=1 a2=0 a3=0", second: 20, serial: 5,
    paths: [Recorded.path("\"file\"", inode: 60, "NORMAL")])

  /// `link("file", …)` into a folder.
  private func link(_ name: String, into folder: Int, second: Int = 10, serial: Int = 2) -> String {
    Recorded.call(
      86, "a0=0 a1=0", second: second, serial: serial,
      paths: [
        Recorded.path("\"file\"", inode: 60, "NORMAL"),
        Recorded.path("\"folder\"", inode: folder, "PARENT"),
        Recorded.path("\"\(name)\"", inode: 60, "CREATE"),
      ])
  }

  private func unlink(_ name: String, second: Int = 21, serial: Int = 6) -> String {
    Recorded.call(
      87, "a0=0", second: second, serial: serial,
      paths: [
        Recorded.path("\"/watched\"", inode: 50, "PARENT"),
        Recorded.path("\"\(name)\"", inode: 60, "DELETE"),
      ])
  }

  private func check(
    _ subject: Subject, _ lines: String..., isExact: Bool,
    at place: SourceLocation = #_sourceLocation
  ) {
    let found = Recorded.attribution(of: subject, lines.joined(separator: "\n"))
    #expect(
      (found.confidence == .exact) == isExact, "\(found.reasons)", sourceLocation: place)
    #expect(found.reasons.contains(Self.reason) == !isExact, sourceLocation: place)
    #expect(found.candidates.first?.author.login == .user(1000), sourceLocation: place)
  }

  @Test func `leave its author certain where all of them are watched`() {
    check(written(), writing, isExact: true)
    check(written(links: 2, names: 2), writing, isExact: true)
  }

  @Test func `count only where they are there now`() {
    check(written(links: 2), writing, isExact: false)
  }

  @Test func `may have been elsewhere in between`() {
    // Through it somebody can have written, and it is gone again without a record.
    check(written(), link("/tmp/other", into: 2), writing, isExact: false)
  }

  @Test func `may come and go beside it, as editors have it`() {
    var subject = written()
    subject.until += 2000
    check(subject, link("file~", into: 50), writing, unlink("file~"), isExact: true)
  }

  /// One of the two that the baseline has was moved away before, and is linked anew now.
  @Test func `were not all there before where one has come since`() {
    check(written(links: 2, names: 2), link("second", into: 50), writing, isExact: false)
  }

  @Test func `are those of the file that is there now`() throws {
    let watched = try Watched("")
    try watched.shell("mkdir sub; echo x > a; ln a b; ln a sub/c; ln a ../out")
    let folder = FilePath("\(watched.tree)")
    let facts = try Folder(folder.bytes).facts(of: FileName(Array("a".utf8)))
    let known = ["a", "b", "sub/c"].map { FilePath("\(watched.tree)/\($0)") }
    func names(_ isWatched: (FilePath) -> Bool = { _ in true }) -> Int {
      FileNames(
        of: FileIdentity(facts), known: known, now: known[0], folders: [], isWatched: isWatched
      ).count
    }
    #expect(names() == 3)
    #expect(names { $0 != known[1] } == 2)
    // Another file has come to one, and another one has gone elsewhere.
    try watched.shell("rm b; echo y > b; mv sub/c ../c")
    #expect(names() == 1)
  }
}
