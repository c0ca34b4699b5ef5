import Linux
import PluginHarness
import Testing

@testable import audispatch_integrity

/// What is told, and not known for good, while a server or the disk is away.
@Suite("States that wait to be known for good", .onThreads)
struct KeptStatesTests {
  private let watched: Watched
  private let database: String

  init() throws {
    watched = try Watched("watch = TREE content severity=low")
    _ = try watched.run("init")
    database = watched.folder + "/db/baseline.db"
  }

  private func path(_ number: Int) -> FilePath { FilePath("\(watched.tree)/f\(number)") }

  private func put(_ numbers: Range<Int>, into known: inout KnownStates) {
    let reading = Reading(since: 1, open: OpenFiles())
    for number in numbers {
      known.put(
        path(number), Recorded.state(inode: UInt64(number), changed: 1), reading,
        toldUpTo: UInt64(number + 1))
    }
  }

  @Test func `are as many as there is room for, while no server has them`() throws {
    var known = try KnownStates(database)
    put(0..<KnownStates.mostTold + 10, into: &known)
    known.keep(at: .zero, isDone: { _ in false }, isWritten: { $0 <= 20_000 })
    #expect(known.waiting == KnownStates.mostTold && known.early == 10)
    // The oldest are known now, also to who comes after; of the others the state is as it was told.
    let other = try KnownStates(database)
    #expect(try other.state(of: path(9))?.facts.inode == 9)
    #expect(try other.state(of: path(10)) == nil)
    #expect(try known.state(of: path(10))?.facts.inode == 10)
    known.keep(at: .seconds(1), isDone: { _ in true }, isWritten: { _ in true })
    #expect(known.waiting == 0 && known.early == 10 && known.unkept == 0)
  }

  @Test func `are told once more beyond that, where nothing is written either`() throws {
    var known = try KnownStates(database)
    put(0..<KnownStates.mostAtAll + 5, into: &known)
    known.keep(at: .zero, isDone: { _ in false }, isWritten: { _ in false })
    #expect(known.waiting == KnownStates.mostAtAll && known.early == 0 && known.unkept == 5)
    #expect(try known.state(of: path(KnownStates.mostAtAll)) == nil)
    // One that waits already has room.
    put(7..<8, into: &known)
    #expect(known.unkept == 5)
  }

  @Test func `leave a chain of a bounded length, also of who is never started anew`() throws {
    var known = try KnownStates(database)
    for round in 0..<56 {
      put(0..<2000, into: &known)
      known.keep(at: .seconds(round), isDone: { _ in true }, isWritten: { _ in true })
    }
    #expect(known.left.sequence <= Int64(SeenStates.mostLinks) + 20_000)
    #expect(known.left.sequence < 56 * 2000)
    #expect(try SeenStates.problems(of: database + ".seen") == [])
    #expect(try !known.isTouched())
  }
}
