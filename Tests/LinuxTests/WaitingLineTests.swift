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
    var isFirst: Bool { line.isFirst }
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

  @Test func `has each place once`() throws {
    let path = "/tmp/audispatch-line-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    defer { unsafe unlink(path) }
    let first = try Waiter(path, 0)
    #expect(throws: SystemError.self) { try Waiter(path, 0) }
    #expect(first.isFirst)
  }
}
