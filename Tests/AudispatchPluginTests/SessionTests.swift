import AuditRecord
import Glibc
import Linux
import Synchronization
import Testing

@testable import AudispatchPlugin

/// Notes the serials of what it is given.
private struct Noting: AuditPlugin {
  let notes: SessionRun.Notes
  var waits = false
  var doneWhen = DoneWhen.handled

  mutating func handle(_ event: AuditEvent) {
    if waits { notes.waitUntilOpen() }
    notes.note("\(event.stamp.serial)")
    notes.tokens.withLock { $0.append(event.token) }
  }

  mutating func finish() { notes.note("end") }
}

/// Takes one event at a time, and says by a bell and a deadline when it takes another.
private struct Slow: AuditPlugin, ~Copyable {
  let notes: SessionRun.Notes
  let bell: Bell
  let byDeadline: Bool
  private(set) var wantsMore = true
  private(set) var deadline: Duration?
  var watched: Int32? { bell.number }

  init(_ notes: SessionRun.Notes, byDeadline: Bool) throws {
    self.notes = notes
    self.byDeadline = byDeadline
    bell = try Bell()
  }

  mutating func handle(_ event: AuditEvent) {
    notes.note("\(event.stamp.serial)")
    wantsMore = false
    if byDeadline {
      deadline = MonotonicTime.now + .milliseconds(1)
    } else {
      bell.ring()
    }
  }

  mutating func wake() {
    notes.note("wake")
    bell.clear()
    deadline = nil
    wantsMore = true
  }
}

private struct Collecting: RecordPlugin {
  let notes: SessionRun.Notes
  mutating func handle(_ records: RecordBatch) {
    notes.note(String(decoding: records.bytes, as: UTF8.self))
  }
}

private struct Refusal: Error {}

private struct Refusing: AuditPlugin {
  mutating func handle(_ event: AuditEvent) throws { throw Refusal() }
}

@Suite("A plugin's session")
struct SessionTests {
  static func users(_ serials: ClosedRange<Int>, fill: Int = 0) -> [UInt8] {
    let filling = String(repeating: "x", count: fill)
    return serials.flatMap { Array("type=USER msg=audit(1.000:\($0)): x=\(filling)\n".utf8) }
  }

  @Test func `hands events out in order, and then the end`() throws {
    let run = try SessionRun { session, notes in
      var plugin = Noting(notes: notes)
      try session.run(&plugin)
    }
    try run.write(Self.users(1...100))
    run.endInput()
    try run.end()
    #expect(run.notes.all == (1...100).map { "\($0)" } + ["end"])
  }

  @Test func `reads on while the plugin works`() throws {
    let run = try SessionRun { session, notes in
      var plugin = Noting(notes: notes, waits: true)
      try session.run(&plugin)
    }
    // More than a socket holds; it is taken though the first event is not handled yet.
    let bytes = Self.users(1...200, fill: 5000)
    #expect(run.writeWhatIsTaken(bytes) == bytes.count)
    #expect(run.notes.all == [])
    run.notes.open()
    run.endInput()
    try run.end()
    #expect(run.notes.all.count == 201)
  }

  @Test func `reads no more than its bound while the plugin stands still`() throws {
    let run = try SessionRun { session, notes in
      var plugin = Noting(notes: notes, waits: true)
      try session.run(&plugin)
    }
    let bytes = Self.users(1...20_000, fill: 1000)
    let taken = run.writeWhatIsTaken(bytes, patience: 1500)
    #expect(taken > 1 << 20 && taken < 4 << 20)
    run.notes.open()
    #expect(taken + run.writeWhatIsTaken(Array(bytes[taken...])) == bytes.count)
    run.endInput()
    try run.end()
    #expect(run.notes.all == (1...20_000).map { "\($0)" } + ["end"])
  }

  @Test(arguments: [true, false])
  func `hands out nothing to a plugin that wants no more, and wakes it`(_ byDeadline: Bool) throws {
    let run = try SessionRun { session, notes in
      var plugin = try Slow(notes, byDeadline: byDeadline)
      try session.run(&plugin)
    }
    try run.write(Self.users(1...50))
    run.endInput()
    try run.end()
    #expect(run.notes.all.filter { $0 != "wake" } == (1...50).map { "\($0)" })
    // Two wakes in a row would be one for nothing.
    #expect(run.notes.all.starts(with: ["1", "wake", "2", "wake", "3", "wake"]))
  }

  @Test func `gives records as they came, each with its newline`() throws {
    let run = try SessionRun { session, notes in
      var plugin = Collecting(notes: notes)
      try session.run(records: &plugin)
    }
    try run.write(Corpus.bytes)
    run.endInput()
    try run.end()
    #expect(run.notes.all.joined() == String(decoding: Corpus.bytes, as: UTF8.self))
    #expect(run.notes.all.allSatisfy { $0.utf8.count <= 64 << 10 })
  }

  @Test func `gives a record without waiting for more`() throws {
    let run = try SessionRun { session, notes in
      var plugin = Collecting(notes: notes)
      try session.run(records: &plugin)
    }
    try run.write(Self.users(1...1))
    run.await("the record") { $0.all.count == 1 }
  }

  @Test func `ends with the plugin's error`() throws {
    let run = try SessionRun { session, _ in
      var plugin = Refusing()
      try session.run(&plugin)
    }
    try run.write(Self.users(1...10))
    #expect(throws: Refusal.self) { try run.end() }
  }

  @Test func `ends with an error when the input cannot be read`() throws {
    let folder = try Descriptor.open("/", O_RDONLY)
    let run = try SessionRun(input: folder.number) { session, notes in
      var plugin = Noting(notes: notes)
      try session.run(&plugin)
    }
    #expect(throws: SystemError("read", "the input", Errno(EISDIR))) { try run.end() }
    #expect(run.notes.all == ["end"])
  }

  @Test func `confirms what another thread says is done, while nothing else happens`() throws {
    let run = try SessionRun(first: 7) { session, notes in
      var plugin = Noting(notes: notes, doneWhen: .told)
      try session.run(&plugin)
    }
    try run.write(Self.users(1...5))
    run.await("five events") { $0.all.count == 5 }
    #expect(run.said() == [])
    let tokens = run.notes.tokens.withLock { $0 }
    let confirmations = try #require(run.notes.confirmations.withLock { $0 })
    #expect(confirmations.outstanding == 5)
    confirmations.done(through: tokens[2])
    var said: [UInt64] = []
    run.await("a word") { _ in
      said += run.said()
      return said.last == 9
    }
    #expect(confirmations.outstanding == 2)
  }

  /// Repeated, late, cut and interleaved as may be: in the end everything is confirmed, and never
  /// anything before it was handled.
  @Test(arguments: UInt64(1)...4)
  func `confirms every record in the end`(_ seed: UInt64) throws {
    var generator = GeneratedEvents(seed: seed)
    let lines = generator.lines(500, Set(GeneratedEvents.Change.allCases))
    let run = try SessionRun(first: 1) { session, notes in
      var plugin = Noting(notes: notes, doneWhen: seed % 2 == 0 ? .told : .handled)
      try session.run(&plugin)
      if let last = notes.tokens.withLock({ $0.last }) {
        session.confirmations.done(through: last)
        #expect(session.confirmations.outstanding == 0)
        _ = session.confirmations.flush()
      }
    }
    try run.write(lines.flatMap { $0 + [0x0a] })
    run.endInput()
    try run.end()
    let said = run.said()
    #expect(said.last == UInt64(lines.count))
    #expect(said == Array(Set(said)).sorted())
  }
}
