import Glibc
import Linux
import Testing

@Suite("A waiting line")
struct WaitingLineTests {
  /// In a class: a place is given up when its owner lets go.
  private final class Waiter {
    let line: WaitingLine
    init(_ path: String, _ place: Int64) throws {
      line = try WaitingLine(path, place: Moment(nanoseconds: place))
    }
    /// The same place, as another process would have it.
    init(sharing other: Waiter) {
      line = WaitingLine(given: Descriptor(owning: dup(other.line.number)), place: other.line.place)
    }
    var isFirst: Bool { line.isFirst }
    func join() -> Bool { line.join() }
  }

  @Test func `is served in the order of the moments, whoever joins first`() throws {
    let path = "/tmp/audispatch-line-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    defer { unsafe unlink(path) }
    let second = try Waiter(path, 2_000)
    #expect(second.isFirst)
    var first: Waiter? = try Waiter(path, 1_000)
    let third = try Waiter(path, .max >> 1)
    #expect(first?.isFirst == true)
    #expect(!second.isFirst && !third.isFirst)
    first = nil
    #expect(second.isFirst && !third.isFirst)
  }

  @Test func `keeps a place as long as one has it, and none once one has left`() throws {
    let path = "/tmp/audispatch-line-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    defer { unsafe unlink(path) }
    let later = try Waiter(path, 2_000)
    var first: Waiter? = try Waiter(path, 1_000)
    let given = Waiter(sharing: try #require(first))
    first = nil
    #expect(given.isFirst && !later.isFirst)
    #expect(given.join())
    given.line.leave()
    #expect(later.isFirst)
    #expect(given.join())
    #expect(!later.isFirst)
  }

  @Test func `has each place once`() throws {
    let path = "/tmp/audispatch-line-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    defer { unsafe unlink(path) }
    let first = try Waiter(path, 0)
    #expect(throws: SystemError.self) { try Waiter(path, 0) }
    #expect(first.isFirst)
  }
}
