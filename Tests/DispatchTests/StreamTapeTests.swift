import AuditRecord
import Linux
import TestSupport
import Testing

@testable import AuditDispatch
@testable import Journal

/// A queue that is written to a socket as a dispatcher does it, beside what a successor would make of
/// the tape.
private struct TapedStream: ~Copyable {
  /// Soon the places of the tape begin again.
  private static let before = UInt64(Survivor.tapeThings) - 60

  var queue: Subscription
  let journal = Journal()
  let survivor: Survivor
  private let ours: Descriptor
  private let theirs: Descriptor
  private var random: Seeded
  private var scratch: [UInt8] = []
  private var serial = 0
  /// Times that the socket took a part of what it was offered.
  private(set) var parts = 0

  init(_ encoding: Encoding, _ random: Seeded) throws {
    let survivor = try Survivor(held: nil)
    let ends = try UnixSocket.pair()
    self.random = random
    self.survivor = survivor
    ours = ends.ours
    theirs = ends.theirs
    theirs.setNonblocking(true)
    queue = Subscription(
      name: "p", limits: .init(records: 40, bytes: .max, whenFull: .dropNewest),
      encoding: encoding, announcesGaps: true, node: nil, journal: journal)
  }

  /// Records as they come: lines, long ones, with a newline in them, and the kernel's bare text.
  private mutating func append() {
    serial += 1
    let text = "audit(1.000:\(serial)): " + String(repeating: "x", count: random.number(below: 300))
    let (form, line): (RecordFrame.Form, String) =
      switch random.number(below: 20) {
      case 0: (.finished, "type=A msg=" + text + "\ny")
      case 1: (.bare, text)
      case 2: (.finished, "type=A msg=" + text + String(repeating: "z", count: 9000))
      default: (.line, "type=A msg=" + text)
      }
    let bytes = Array(line.utf8)
    journal.append(
      RecordFrame(form: form, type: form == .line ? 0 : 1300, payload: 0..<bytes.count),
      of: bytes.span)
  }

  mutating func admit(_ count: Int) {
    journal.beginBatch()
    for _ in 0..<count { append() }
    queue.admit(journal.batch, journal: journal, now: 1)
  }

  /// A place in the stream, which had so many things before.
  func place(_ position: StreamPosition) -> Survivor.StreamPlace {
    var place = Survivor.StreamPlace(position)
    place.things += Self.before
    return place
  }

  /// Writes until the socket takes no more, or a part only.
  mutating func write() {
    let (slot, fd, survivor) = (0, ours.number, survivor)
    var cut = random
    let shift = Self.before
    _ = unsafe queue.write(journal: journal, now: 1, scratch: &scratch) { bytes, offer, before in
      var place = Survivor.StreamPlace(before)
      place.things += shift
      unsafe offer.note(
        on: survivor.tape(slot), of: Survivor.tapeThings, from: ThingNumber(place.things))
      // A socket with less room would take that much.
      let room = cut.number(below: 3) > 0 ? bytes.count : 1 + cut.number(below: bytes.count)
      let result = unsafe survivor.send(
        slot, fd, UnsafeRawBufferPointer(rebasing: bytes[..<room]), before: place)
      return if case .bytes(let count) = result { .bytes(count) } else { .nothing }
    }
    random = cut
    parts += queue.streamPosition.rest > 0 ? 1 : 0
  }

  mutating func read() throws {
    let count = 1 + random.number(below: 1 + queue.outstanding)
    var chunk = [UInt8](repeating: 0, count: count)
    _ = unsafe chunk.withUnsafeMutableBytes { unsafe Transfer.read(theirs.number, into: $0) }
    queue.setUnread(try #require(UnixSocket.unread(theirs.number)))
  }

  mutating func number(below bound: Int) -> Int { random.number(below: bound) }
}

@Suite("What is noted of a stream before it is sent")
struct StreamTapeTests {
  @Test func `has a place for all that may be unread`() {
    #expect(Subscription.mostUnread <= Survivor.tapeThings)
    #expect(Survivor.tapeThings & (Survivor.tapeThings - 1) == 0)
  }

  @Test(arguments: [Encoding.string, .compact, .fixed])
  func `tells a successor how far it has come, also where the places begin again`(
    encoding: Encoding
  ) throws {
    var stream = try TapedStream(encoding, Seeded(of: "the tape of a stream, \(encoding)"))
    // Padding takes its time without optimisation.
    let end: UInt64 = encoding == .fixed ? 150 : 700
    while stream.queue.streamPosition.things.value < end {
      stream.admit(1 + stream.number(below: 50))
      stream.write()
      let place = stream.place(stream.queue.streamPosition)
      try #require(stream.survivor.sent(0) == place)
      try stream.read()
      let unread = stream.survivor.unreadRecords(0, bytes: UInt64(stream.queue.outstanding))
      let known = stream.queue.stream.records
      try #require(unread == UInt64(known))
    }
    #expect(stream.parts > 3)
    // Announcements of what was dropped are in it, too.
    let position = stream.queue.streamPosition
    #expect(position.things.value > position.records)
  }
}
