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

  @Test func `is found again as it was written`() {
    let folder = TestFolder()
    var list = ChildrenList(in: folder.path, left: ChildrenList.Content([]))
    list.hasStarted("runs", getpid())
    let content = ChildrenList.content(in: folder.path)
    #expect(
      content.children
        == [ChildrenList.Child(pid: getpid(), start: Self.own, name: "runs")])
  }

  @Test func `keeps what a predecessor has left, while that runs`() {
    let folder = TestFolder()
    let left = ChildrenList.Content(
      "\(getpid()) \(Self.own) old\n\(getpid()) \(Self.own + 1) gone\n".utf8)
    var list = ChildrenList(in: folder.path, left: left)
    list.hasStarted("new", getpid())
    let content = ChildrenList.content(in: folder.path)
    #expect(content.children.map(\.name) == ["old", "new"])
  }

  @Test func `stays short, however often one is started`() {
    let folder = TestFolder()
    var list = ChildrenList(in: folder.path, left: ChildrenList.Content([]))
    for _ in 0..<1000 {
      list.hasStarted("p", getpid())
      list.hasEnded("p")
    }
    #expect(folder.text("children").split(separator: "\n").count < 200)
  }

  @Test func `costs a line a start, however many there are`() {
    let folder = TestFolder()
    var list = ChildrenList(in: folder.path, left: ChildrenList.Content([]))
    for index in 0..<500 {
      list.hasStarted("p\(index)", getpid())
    }
    #expect(folder.text("children").split(separator: "\n").count <= 500)
    #expect(Set(ChildrenList.content(in: folder.path).children.map(\.name)).count == 500)
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
  @Test func `stays with those who have it, when the one that took it is gone`() throws {
    let folder = TestFolder()
    let kept: Descriptor
    do {
      let first = RuntimeFolder(path: folder.path)
      #expect(try first.take(now: .now) == nil)
      kept = Descriptor(owning: dup(first.lockNumber ?? -1))
    }
    let stranger = RuntimeFolder(path: folder.path)
    #expect(try stranger.take(now: .now) == .dispatcher)
    do {
      let successor = RuntimeFolder(
        path: folder.path, lock: Descriptor(owning: dup(kept.number)))
      #expect(try successor.take(now: .now) == nil)
    }
    #expect(try stranger.take(now: .now) == .dispatcher)
    _ = consume kept
    #expect(try stranger.take(now: .now) == nil)
  }

  @Test func `of another folder counts for nothing`() throws {
    let (here, there) = (TestFolder(), TestFolder())
    let first = RuntimeFolder(path: there.path)
    #expect(try first.take(now: .now) == nil)
    let second = RuntimeFolder(
      path: here.path, lock: Descriptor(owning: dup(first.lockNumber ?? -1)))
    #expect(try second.take(now: .now) == nil)
    let third = RuntimeFolder(path: here.path)
    let wait = try third.take(now: .now)
    withExtendedLifetime((first, second)) { #expect(wait == .dispatcher) }
  }
}
