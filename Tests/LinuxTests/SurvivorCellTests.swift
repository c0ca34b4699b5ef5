import CAudispatch
import Glibc
import TestSupport
import Testing

@testable import Linux

/// Cells of plugins beside a plain account of what was published of them.
@Suite("What is published for a successor")
struct SurvivorCellTests {
  private static let slots = 3

  /// A process that dispatches, with the memory that its predecessor left.
  private static func process(_ file: borrowing Descriptor) throws -> Survivor {
    try Survivor(held: Descriptor(owning: dup(file.number)))
  }

  private static func found(_ survivor: Survivor) -> [UInt64] {
    [unsafe survivor.last.pointee.records]
      + (0..<slots).map { unsafe survivor.last($0).pointee.received }
  }

  /// Whatever was written, in whatever order, and wherever a process died.
  @Test func `is all of it or nothing, and stays where nothing was written`() throws {
    let file = try Descriptor.anonymousFile("test")
    var random = Seeded(of: "cells")
    var survivor = try Self.process(file)
    var published = [UInt64](repeating: 0, count: 1 + Self.slots)
    var written = published
    var deaths = 0
    for step in UInt64(1)...4000 {
      switch random.number(below: 10) {
      case 0..<5:
        let cell = random.number(below: 1 + Self.slots)
        written[cell] = step
        if cell == 0 {
          unsafe survivor.next().pointee.records = step
        } else {
          unsafe survivor.next(cell - 1).pointee.received = step
        }
      case 5..<8:
        survivor.publish()
        published = written
      default:
        survivor = try Self.process(file)
        written = published
        deaths += 1
      }
      try #require(Self.found(survivor) == published)
    }
    #expect(deaths > 100)
  }

  @Test func `is as it was published last when a process dies before it publishes at all`() throws {
    let file = try Descriptor.anonymousFile("test")
    let first = try Self.process(file)
    unsafe first.next(1).pointee.received = 7
    let second = try Self.process(file)
    unsafe second.next(0).pointee.received = 3
    second.publish()
    #expect(Self.found(second) == [0, 3, 0, 0])
  }
}
