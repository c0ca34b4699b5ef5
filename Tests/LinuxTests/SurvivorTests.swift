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

  /// The loop looks at its input at times of its own: a read must come back with nothing.
  @Test(arguments: [true, false], [true, false])
  func `never waits for input`(isHeld: Bool, isSocket: Bool) throws {
    let file = try Descriptor.anonymousFile("test")
    let survivor = try Survivor(held: isHeld ? Descriptor(owning: dup(file.number)) : nil)
    let (near, far) = try isSocket ? UnixSocket.pair() : Pipe.open()
    let reading = Descriptor(owning: near)
    let writing = Descriptor(owning: far)
    func read(at end: UInt64) -> ReadResult {
      survivor.receive(reading.number, isSocket: isSocket, at: end, limit: 4096)
    }
    #expect(read(at: 0) == .wouldBlock)
    try Transfer.writeAll(writing.number, Array("abc".utf8))
    #expect(read(at: 0) == .bytes(3))
    #expect(read(at: 3) == .wouldBlock)
    _ = consume writing
    #expect(read(at: 3) == .end)
  }
}
