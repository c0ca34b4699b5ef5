import Linux
import Testing

@testable import AuditDispatch

@Suite("What of the start waits for plugins")
struct StartOrderTests {
  private static func at(_ milliseconds: Int64) -> Moment {
    Moment(nanoseconds: milliseconds * 1_000_000)
  }

  @Test func `is done when they run, once`() {
    var start = StartOrder()
    #expect(start.step(ownsFolder: true, launches: true, Self.at(0)) == .wait(until: Self.at(50)))
    #expect(!start.isFinished)
    #expect(start.step(ownsFolder: true, launches: false, Self.at(4)) == .finish)
    #expect(start.isFinished)
    for launches in [true, false] {
      #expect(start.step(ownsFolder: true, launches: launches, Self.at(99)) == .nothing)
    }
  }

  @Test func `is done at once where no plugin is on its way`() {
    var start = StartOrder()
    #expect(start.step(ownsFolder: true, launches: false, Self.at(7)) == .finish)
  }

  @Test func `waits for a plugin that hangs for fifty milliseconds, from the folder on`() {
    var start = StartOrder()
    #expect(start.step(ownsFolder: false, launches: false, Self.at(0)) == .nothing)
    #expect(
      start.step(ownsFolder: true, launches: true, Self.at(900)) == .wait(until: Self.at(950)))
    #expect(
      start.step(ownsFolder: true, launches: true, Self.at(949)) == .wait(until: Self.at(950)))
    #expect(start.step(ownsFolder: true, launches: true, Self.at(950)) == .finish)
  }
}
