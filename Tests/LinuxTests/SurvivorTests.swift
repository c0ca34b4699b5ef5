import Glibc
import Testing

@testable import Linux

@Suite("The memory that outlives a process")
struct SurvivorTests {
  @Test func `goes on where a predecessor was`() throws {
    let file = try Descriptor.anonymousFile("test")
    let first = try Survivor(held: Descriptor(owning: dup(file.number)))
    #expect(first.generation == 0)
    _ = first.enter(at: 0)
    first.setName(0, "p")
    let second = try Survivor(held: Descriptor(owning: dup(file.number)))
    #expect(second.generation == 1)
    #expect(second.name(0) == "p")
  }

  @Test(arguments: [UInt8(0x01), 0xff])
  func `begins anew where another program's is laid out otherwise`(_ fill: UInt8) throws {
    let file = try Descriptor.anonymousFile("test")
    try Transfer.writeAll(file.number, [UInt8](repeating: fill, count: 1 << 20))
    let survivor = try Survivor(held: Descriptor(owning: dup(file.number)))
    #expect(survivor.generation == 0)
    #expect(survivor.received == 0)
    #expect(survivor.name(0) == "")
  }
}
