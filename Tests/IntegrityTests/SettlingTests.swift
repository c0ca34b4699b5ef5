import Testing

@testable import audispatch_integrity

@Suite("Paths at which something happened")
struct SettlingTests {
  private let path = FilePath("/a")
  private func due(_ settling: inout Settling, _ milliseconds: Int) -> [String] {
    var due: [String] = []
    while let (path, _) = settling.next(at: .milliseconds(milliseconds)) { due.append(path.shown) }
    return due
  }

  @Test func `are due when nothing has come for the settle time`() {
    var settling = Settling(settleTime: .milliseconds(500))
    settling.note(path, by: nil, at: .milliseconds(0))
    settling.note(path, by: nil, at: .milliseconds(400))
    #expect(due(&settling, 500) == [])
    #expect(due(&settling, 899) == [])
    #expect(due(&settling, 900) == ["/a"])
    #expect(due(&settling, 5000) == [])
    #expect(settling.count == 0)
  }

  @Test func `are due after a while even if they are never at rest`() {
    var settling = Settling(settleTime: .milliseconds(500), longest: .seconds(2))
    var first: Int?
    for time in stride(from: 0, through: 3000, by: 100) {
      settling.note(path, by: nil, at: .milliseconds(time))
      if first == nil, due(&settling, time) == ["/a"] { first = time }
    }
    #expect(first == 2000)
  }

  @Test func `keep who was seen, and that an event told of them`() throws {
    var settling = Settling(settleTime: .zero)
    let one = Witness(pid: 1, login: .unset, session: nil)
    let other = Witness(pid: 2, login: .user(7), session: 3)
    settling.note(path, by: nil, isFound: true, at: .zero)
    settling.note(path, by: one, at: .zero)
    settling.note(path, by: other, at: .zero)
    let next = settling.next(at: .zero)
    let entry = try #require(next).entry
    #expect(entry.witnesses == [one, other])
    #expect(!entry.isFound)
  }

  @Test func `come in the order in which they are due, whatever was put back`() {
    var settling = Settling(settleTime: .milliseconds(10))
    for name in ["/a", "/b", "/c"] { settling.note(FilePath(name), by: nil, at: .zero) }
    let first = settling.next(at: .milliseconds(10))
    if let first { settling.wait(first.path, first.entry, until: .milliseconds(50)) }
    settling.note(FilePath("/d"), by: nil, at: .milliseconds(20))
    #expect(due(&settling, 100) == ["/b", "/c", "/d", "/a"])
  }
}

@Suite("What the watch of the files says")
struct TestimonyTests {
  private func testimony(_ witnesses: Witness...) -> Testimony {
    let subject = Recorded.subject(
      Recorded.state(inode: 60, changed: 1), Recorded.state(inode: 60, changed: 10, size: 2))
    // By pid 20, login 1000 in session 5.
    let attribution = Recorded.attribution(
      of: subject,
      Recorded.call(
        2, "a0=0 a1=1", second: 10, serial: 2,
        paths: [Recorded.path("\"file\"", inode: 60, "NORMAL")]))
    return Testimony(of: Set(witnesses), on: attribution)
  }

  @Test func `agrees by the process, or by login and session of one that got the file from it`() {
    #expect(testimony(Witness(pid: 20, login: .unknown, session: nil)) == .agrees)
    #expect(testimony(Witness(pid: 21, login: .user(1000), session: 5)) == .agrees)
  }

  @Test func `is silent where nobody was seen, or nobody knows who that was`() {
    #expect(testimony() == .silent)
    #expect(testimony(Witness(pid: 21, login: .unknown, session: nil)) == .silent)
  }

  @Test func `is silent where no record has come at all: there is nothing to compare with`() {
    let nobody = Recorded.attribution(
      of: Recorded.subject(nil, Recorded.state(inode: 1, changed: 9)))
    let seen: Set = [Witness(pid: 21, login: .user(1001), session: 6)]
    #expect(Testimony(of: seen, on: nobody, hasRecords: false) == .silent)
    #expect(Testimony(of: seen, on: nobody) == .disagrees)
  }

  @Test func `disagrees where somebody else was seen`() {
    let named = Witness(pid: 20, login: .user(1000), session: 5)
    for other in [
      Witness(pid: 21, login: .user(1001), session: 6),
      Witness(pid: 21, login: .unset, session: nil),
      Witness(pid: 21, login: .user(1000), session: 6),
    ] {
      #expect(testimony(named, other) == .disagrees)
    }
  }
}
