import Glibc
import Linux
import Testing

@testable import AuditDispatch

/// A folder of a test's own.
final class TestFolder {
  let path: String

  init() {
    var template = Array("/tmp/audispatch-test.XXXXXX".utf8CString)
    path = unsafe String(cString: mkdtemp(&template))
  }

  deinit {
    for name in (try? Files.names(in: path)) ?? [] { unsafe unlink("\(path)/\(name)") }
    unsafe rmdir(path)
  }

  func text(_ name: String) -> String {
    String(
      decoding: (try? Transfer.contents(of: "\(path)/\(name)", limit: 1 << 20)) ?? [],
      as: UTF8.self)
  }
}

@Suite("The list of children")
struct ChildrenListTests {
  private static let own = ProcessFacts.startTime(getpid()) ?? 0

  @Test(arguments: [
    ("", []),
    ("5 7 a\n", ["5 7 a"]),
    ("5 7 a\n6 8 a\n", ["5 7 a", "6 8 a"]),
    // Its dispatcher was killed while it wrote.
    ("5 7 a\n6 8", ["5 7 a"]),
    ("nonsense\nx y z\n0 0 a\n-1 0 a\n5 7 a b\n", ["5 7 a b"]),
  ])
  func `says who may run`(_ text: String, _ children: [String]) {
    let content = ChildrenList.Content(text.utf8)
    #expect(content.children.map { "\($0.pid) \($0.start) \($0.name)" } == children)
  }

  /// A list and its file.
  private struct Kept: ~Copyable {
    let folder = TestFolder()
    var list: ChildrenList
    var file: ChildrenFile

    init(left: String = "") {
      list = ChildrenList(left: ChildrenList.Content(left.utf8))
      file = ChildrenFile(in: folder.path)
    }

    mutating func start(_ name: String) {
      for change in list.started(name, getpid()) ?? [] { file.make(change) }
    }

    var children: [ChildrenList.Child] { ChildrenList.content(in: folder.path).children }
    var lines: Int { folder.text("children").split(separator: "\n").count }
  }

  @Test func `is found again as it was written`() {
    var kept = Kept()
    kept.start("runs")
    #expect(
      kept.children == [ChildrenList.Child(pid: getpid(), start: Self.own, name: "runs")])
  }

  @Test func `is begun once, and has nobody who is gone`() {
    var list = ChildrenList(left: ChildrenList.Content([]))
    #expect(list.begin() == .anew(""))
    #expect(list.begin() == nil)
    #expect(list.started("gone", 0x3fff_ffff) == nil)
    #expect(list.started("p", getpid()) == [.append("\(getpid()) \(Self.own) p\n")])
  }

  @Test func `keeps what a predecessor has left, while that runs`() {
    var kept = Kept(
      left: "\(getpid()) \(Self.own) old\n\(getpid()) \(Self.own + 1) gone\n")
    kept.start("new")
    #expect(kept.children.map(\.name) == ["old", "new"])
  }

  @Test func `stays short, however often one is started`() {
    var kept = Kept()
    for _ in 0..<1000 {
      kept.start("p")
      kept.list.ended("p")
    }
    #expect(kept.lines < 200)
  }

  @Test func `costs a line a start, however many there are`() {
    var kept = Kept()
    for index in 0..<500 { kept.start("p\(index)") }
    #expect(kept.lines <= 500)
    #expect(Set(kept.children.map(\.name)).count == 500)
  }
}

@Suite("A predecessor's plugins")
struct OrphansTests {
  private func orphans(_ text: String, at now: Moment) -> Orphans {
    Orphans(ChildrenList.Content(text.utf8), now: now)
  }

  @Test func `hold up those of their own name only`() {
    let start = ProcessFacts.startTime(getpid()) ?? 0
    let now = Moment(nanoseconds: 1_000_000_000)
    var orphans = orphans("\(getpid()) \(start) a\n\(getpid()) \(start + 1) b\n", at: now)
    #expect(orphans.includes("a") && orphans.includes("b") && !orphans.includes("c"))
    orphans.tend(now)
    // Its number is another process's by now.
    #expect(orphans.includes("a") && !orphans.includes("b"))
    #expect(orphans.names == ["a"])
  }
}

@Suite("The runtime folder's lock")
struct RuntimeFolderLockTests {
  /// A process's claim to a folder, and what it has locked.
  private final class Claimant {
    private var claim: FolderClaim
    private var lock: Int32?

    init(_ folder: TestFolder, _ kept: Int32? = nil) {
      claim = FolderClaim(folder.path, lock: kept.map { Descriptor(owning: $0) })
    }

    deinit { lock.map { _ = close($0) } }

    /// One that has a place that was taken for it, and that others have, too.
    init(_ folder: TestFolder, at place: Int32, of moment: Moment) {
      claim = FolderClaim(
        folder.path, line: WaitingLine(given: Descriptor(owning: place), place: moment))
    }

    /// Whether the folder is its own now.
    func take() throws -> Bool {
      switch try claim.take() {
      case .ours(let lock, _):
        self.lock = lock
        return true
      case .waits(let wait):
        #expect(wait == .dispatcher)
        return false
      }
    }

    /// As somebody else is given it.
    var copy: Int32 { dup(lock ?? -1) }
  }

  @Test func `stays with those who have it, when the one that took it is gone`() throws {
    let folder = TestFolder()
    let kept: Int32
    do {
      let first = Claimant(folder)
      #expect(try first.take())
      kept = first.copy
    }
    let stranger = Claimant(folder)
    #expect(try !stranger.take())
    do {
      let successor = Claimant(folder, dup(kept))
      #expect(try successor.take())
    }
    #expect(try !stranger.take())
    close(kept)
    #expect(try stranger.take())
  }

  /// A front takes the place before its worker is there; when that dies the next one has it.
  @Test func `is had first by whom an earlier place was taken for, whoever comes when`() throws {
    let folder = TestFolder()
    let came = Moment.now
    let front = try WaitingLine(folder.path + "/line", place: came)
    let later = Claimant(folder)
    #expect(try !later.take())
    do {
      let holder = try Descriptor.open(folder.path + "/lock", O_RDWR | O_CREAT)
      let isHeld = holder.tryLock()
      #expect(isHeld)
      let dies = Claimant(folder, at: dup(front.number), of: came)
      #expect(try !dies.take() && !later.take())
    }
    #expect(try !later.take())
    do {
      let successor = Claimant(folder, at: dup(front.number), of: came)
      #expect(try successor.take())
      // It has left the line, for all that have its place, and the lock is what keeps others out.
      #expect(try !later.take())
    }
    #expect(try later.take())
    front.leave()
  }

  @Test func `of another folder counts for nothing`() throws {
    let (here, there) = (TestFolder(), TestFolder())
    let first = Claimant(there)
    #expect(try first.take())
    let second = Claimant(here, first.copy)
    #expect(try second.take())
    let third = Claimant(here)
    #expect(try !third.take())
    withExtendedLifetime((first, second)) {}
  }
}

@Suite("What is done in the runtime folder")
struct FolderWorkTests {
  /// The answers, once there are so many.
  private func answers(_ work: FolderWork, _ count: Int) -> [FolderWork.Answer] {
    var all: [FolderWork.Answer] = []
    for _ in 0..<5000 where all.count < count {
      all += work.takeAnswers()
      Pause.nanoseconds(1_000_000)
    }
    return all
  }

  @Test func `comes in order, and of a file the last value counts`() throws {
    let folder = TestFolder()
    let work = try FolderWork(folder.path, FolderClaim(folder.path))
    work.ask(.claim)
    for number in 0..<100 { work.ask(.write(name: "state", text: "\(number)", mode: 0o600)) }
    work.ask(.list(.anew("1 2 a\n"), nil))
    work.ask(.list(.append("3 4 b\n"), LaunchNumber(7)))
    // Nothing of it is done before there is a thread, so that all of them wait.
    try WorkThread(work).detach()
    let answers = answers(work, 2)
    guard case .claimed(.ours(let lock, _)) = answers.first,
      case .listed(let number) = answers.last, number == LaunchNumber(7)
    else {
      Issue.record("\(answers)")
      return
    }
    #expect(folder.text("state") == "99")
    #expect(folder.text("children") == "1 2 a\n3 4 b\n")
    work.ask(.leave(lock: lock))
    for _ in 0..<5000 where !work.hasEnded { Pause.nanoseconds(1_000_000) }
    #expect(work.hasEnded)
    #expect((try? Files.status(of: folder.path + "/children")) == nil)
  }
}
