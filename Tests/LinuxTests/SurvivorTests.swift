import Glibc
import TestSupport
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
    let (near, far) = try isSocket ? UnixSocket.pair().release() : Pipe().release()
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

/// A stream by the sizes of its things, beside a plain account of it.
@Suite("Where a stream has come, for a successor")
struct StreamPlaceTests {
  private struct Thing {
    let bytes: Int
    let isRecord: Bool
  }

  private static func note(_ things: [Thing], from number: UInt64, on survivor: Survivor) {
    for (index, thing) in things.enumerated() {
      let place = Int((number + UInt64(index)) % UInt64(Survivor.tapeThings))
      unsafe survivor.tape(0)[place] = UInt16(thing.bytes << 1 | (thing.isRecord ? 1 : 0))
    }
  }

  /// What is whole of so many bytes.
  private static func place(_ things: [Thing], bytes: Int, from number: UInt64 = 0)
    -> Survivor.StreamPlace
  {
    var place = Survivor.StreamPlace(bytes: UInt64(bytes), things: number, rest: bytes)
    for thing in things {
      if thing.bytes > place.rest { break }
      place.rest -= thing.bytes
      place.records += thing.isRecord ? 1 : 0
      place.things += 1
    }
    return place
  }

  /// Records that end in what was written, and behind what was read.
  private static func unread(_ things: [Thing], written: Int, unread: Int) -> UInt64 {
    var end = 0
    var records: UInt64 = 0
    for thing in things {
      end += thing.bytes
      if thing.isRecord, end <= written, end > written - unread { records += 1 }
    }
    return records
  }

  /// Every way to be somewhere in a short stream, at the end of the ring and at its beginning.
  @Test(arguments: [0, UInt64(Survivor.tapeThings) - 2, 3 * UInt64(Survivor.tapeThings)])
  func `tells what is unread, wherever the stream and its reader are`(from number: UInt64) throws {
    let file = try Descriptor.anonymousFile("test")
    let survivor = try Survivor(held: Descriptor(owning: dup(file.number)))
    let sizes = [3, 1, 4, 1, 5]
    let total = sizes.reduce(0, +)
    for kinds in 0..<1 << sizes.count {
      let things = sizes.indices.map { Thing(bytes: sizes[$0], isRecord: kinds >> $0 & 1 == 1) }
      Self.note(things, from: number, on: survivor)
      for written in 0...total {
        let place = Self.place(things, bytes: written, from: number)
        survivor.written(0, place)
        #expect(survivor.sent(0) == place)
        for unread in 0...written {
          #expect(
            survivor.unreadRecords(0, bytes: UInt64(unread))
              == Self.unread(things, written: written, unread: unread),
            "\(kinds): \(unread) of \(written) unread")
        }
      }
    }
  }

  /// As a dispatcher writes: what the kernel took in part is offered again from there on; it may have
  /// died before it noted what was taken.
  @Test func `tells what a socket took, though it took a part`() throws {
    let file = try Descriptor.anonymousFile("test")
    let survivor = try Survivor(held: Descriptor(owning: dup(file.number)))
    let ends = try UnixSocket.pair()
    let ours = ends.ours
    let theirs = ends.theirs
    theirs.setNonblocking(true)
    var random = Seeded(of: "stream places")
    survivor.beginChild(0, "p", 1)
    var things: [Thing] = []
    var written = 0
    var parts = 0
    for _ in 0..<400 {
      let before = Self.place(things, bytes: written)
      // What is in the socket in part comes first.
      var offered = Array(things[Int(before.things)...].prefix(1))
      things.removeLast(offered.count)
      while offered.count < 1000 {
        offered.append(
          Thing(
            bytes: Int.random(in: 1...600, using: &random), isRecord: Bool.random(using: &random)))
      }
      Self.note(offered, from: before.things, on: survivor)
      let bytes = [UInt8](
        repeating: 7, count: offered.reduce(0) { $0 + $1.bytes } - before.rest)
      let result = unsafe bytes.withUnsafeBytes {
        unsafe survivor.send(0, ours.number, $0, before: before)
      }
      if case .bytes(let count) = result {
        parts += count < bytes.count ? 1 : 0
        written += count
      }
      things += offered
      var after = Self.place(things, bytes: written)
      try #require(survivor.sent(0) == after)
      things.removeLast(things.count - Int(after.things) - (after.rest > 0 ? 1 : 0))
      if Bool.random(using: &random) { survivor.written(0, after) }
      after = survivor.sent(0)
      var chunk = [UInt8](repeating: 0, count: Int.random(in: 1...100_000, using: &random))
      _ = unsafe chunk.withUnsafeMutableBytes { unsafe Transfer.read(theirs.number, into: $0) }
      let unread = try #require(UnixSocket.unread(theirs.number))
      try #require(
        survivor.unreadRecords(0, bytes: UInt64(unread))
          == Self.unread(things, written: written, unread: unread))
    }
    #expect(parts > 10)
  }
}
