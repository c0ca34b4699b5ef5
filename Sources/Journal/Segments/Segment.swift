import AuditRecord
import Glibc

/// A fixed piece of the journal's memory: records from its start, their index from its end.
///
///     0                        used          capacity − 16 × count          capacity
///     | text\n | text\n | …    |      free   | … | entry 1 | entry 0 |
///
/// A record's text lies as it is written to a plugin, newline included, so that a run of records
/// goes to a socket in one piece. Where a payload is not what its text is (a newline or a NUL in
/// it), the payload follows the text: two bytes of length, then the bytes.
///
/// Bytes never move. A segment lives for as long as anything refers to it; then its memory goes
/// back to the pool.
@safe
public final class Segment {
  /// 512 KiB: some 2,500 records; fewer and larger writes are worth the memory.
  public static let capacity = 512 << 10

  /// What is known of one record; 16 bytes.
  public struct Entry {
    /// Bits 0–23: where the text begins. Bits 24–31: flags.
    fileprivate var place: UInt32
    /// The text's bytes, newline included.
    public var textLength: UInt16
    /// Where in the text the kernel's bare text begins; meaningful for version 0.
    public var bareOffset: UInt16
    /// The low bits of the event's number.
    public var event: UInt32
    public var type: UInt32

    public init(
      offset: Int, textLength: Int, bareOffset: Int, event: UInt32, type: UInt32, flags: UInt8
    ) {
      place = UInt32(truncatingIfNeeded: offset) | UInt32(flags) &<< 24
      // A line has 16 KiB at the most, and what is put before it less than 300 bytes.
      self.textLength = UInt16(truncatingIfNeeded: textLength)
      self.bareOffset = UInt16(truncatingIfNeeded: bareOffset)
      self.event = event
      self.type = type
    }

    @inline(__always) public var offset: Int { Int(place & 0xff_ffff) }
    @inline(__always) public var end: Int { offset + Int(textLength) }
    var flags: UInt8 { UInt8(place >> 24) }
    /// The first record of its event.
    @inline(__always) public var isFirst: Bool { place & UInt32(Self.first) << 24 != 0 }
    /// To be given to a binary plugin as version 0.
    @inline(__always) public var isBare: Bool { place & UInt32(Self.bare) << 24 != 0 }
    /// The payload follows the text.
    @inline(__always) public var hasPayload: Bool { place & UInt32(Self.payload) << 24 != 0 }

    public static let first: UInt8 = 1
    public static let bare: UInt8 = 2
    public static let payload: UInt8 = 4
    public static let gap: UInt8 = 8
  }

  /// What changes as records are appended. Behind a pointer: the exclusivity checks on a class's
  /// properties would cost more than the appending.
  private struct State {
    var count = 0
    var used = 0
    var hasPayloads = false
    var hasBare = false
    var hasLong = false
  }

  /// The number of its first record, counted over the journal's life.
  public let first: RecordNumber
  private let state: UnsafeMutablePointer<State>
  private let memory: UnsafeMutableRawPointer
  private let pool: SegmentPool

  init(first: RecordNumber, pool: SegmentPool) {
    self.first = first
    self.pool = pool
    unsafe memory = pool.take()
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State())
  }

  deinit {
    unsafe state.deallocate()
    unsafe pool.give(memory)
  }

  @inline(__always) public var count: Int { unsafe state.pointee.count }
  @inline(__always) public var used: Int { unsafe state.pointee.used }
  /// Whether some text is followed by its payload, so that texts are not all adjacent.
  @inline(__always) public var hasPayloads: Bool { unsafe state.pointee.hasPayloads }
  /// Whether some record is to be given to a binary plugin as version 0.
  @inline(__always) public var hasBare: Bool { unsafe state.pointee.hasBare }
  /// Whether some text is longer than a binary record's payload can be.
  @inline(__always) var hasLong: Bool { unsafe state.pointee.hasLong }

  @inline(__always)
  public subscript(index: Int) -> Entry {
    precondition(index >= 0 && index < count, "no such record in this segment")
    return unsafe entry(index).pointee
  }

  /// The lengths of those records' texts, newlines included, in order: checked once for all.
  @inline(__always)
  func eachTextLength(_ records: Range<Int>, _ body: (UInt16) -> Void) {
    precondition(
      records.lowerBound >= 0 && records.upperBound <= count, "no such records in this segment")
    var place = unsafe entry(records.lowerBound)
    for _ in records {
      unsafe body(place.pointee.textLength)
      unsafe place -= 1
    }
  }

  @inline(__always)
  private func entry(_ index: Int) -> UnsafeMutablePointer<Entry> {
    unsafe (memory + (Self.capacity - (index + 1) * MemoryLayout<Entry>.stride))
      .assumingMemoryBound(to: Entry.self)
  }

  /// Where the text of record `index` begins; for `count`, where the next one's will.
  @inline(__always)
  public func offset(_ index: Int) -> Int { index == count ? used : self[index].offset }

  /// The bytes of a range, for a write or a look.
  @inline(__always)
  public func withBytes<Result>(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    precondition(range.lowerBound >= 0 && range.upperBound <= used, "outside of the segment")
    return unsafe body(
      UnsafeRawBufferPointer(start: memory + range.lowerBound, count: range.count))
  }

  /// Where the payload of a record with `hasPayload` is.
  public func payload(_ entry: Entry) -> Range<Int> {
    let length = unsafe (memory + entry.end).loadUnaligned(as: UInt16.self)
    return entry.end + 2..<entry.end + 2 + Int(length)
  }

  // MARK: Appending

  /// Where the next record goes, for the one who appends.
  var end: End {
    unsafe End(
      text: memory + used, entry: entry(count), base: memory, hasPayloads: hasPayloads,
      hasBare: hasBare, hasLong: hasLong)
  }

  /// The number that a record at that place will have.
  func number(behind end: End) -> RecordNumber { unsafe first + (entry(0) - end.entry) }

  /// Makes what was appended at the end part of the segment.
  func advance(to end: End) {
    unsafe state.pointee.used = end.text - memory
    unsafe state.pointee.count = entry(0) - end.entry
    unsafe state.pointee.hasPayloads = end.hasPayloads
    unsafe state.pointee.hasBare = end.hasBare
    unsafe state.pointee.hasLong = end.hasLong
  }

  /// The place behind a segment's last record: texts grow up to it, entries down.
  @unsafe
  struct End {
    var text: UnsafeMutableRawPointer
    /// The next record's entry.
    var entry: UnsafeMutablePointer<Entry>
    let base: UnsafeMutableRawPointer
    var hasPayloads: Bool
    var hasBare: Bool
    var hasLong: Bool

    /// Whether so many bytes and an entry fit.
    @inline(__always)
    func fits(_ length: Int) -> Bool {
      unsafe UnsafeMutableRawPointer(entry) - text >= length
    }

    /// Makes `bytes` bytes that were written at `text` a record.
    @inline(__always)
    mutating func commit(
      textLength: Int, bareOffset: Int, event: EventNumber, type: UInt32, flags: UInt8, bytes: Int
    ) {
      unsafe entry.initialize(
        to: Entry(
          offset: text - base, textLength: textLength, bareOffset: bareOffset,
          event: UInt32(truncatingIfNeeded: event.value), type: type, flags: flags))
      unsafe entry -= 1
      unsafe text += bytes
      if textLength > BinaryHeader.maximumPayload &+ 1 { unsafe hasLong = true }
    }
  }
}

/// Segment memory that waits to be used again, so that a busy journal does not fault in new pages.
@safe
final class SegmentPool {
  /// Kept for the next segment at the most.
  private static let kept = 8

  private var spare: [UnsafeMutableRawPointer] = unsafe []
  /// Bytes of all segments alive.
  private(set) var liveBytes = 0

  func take() -> UnsafeMutableRawPointer {
    liveBytes += Segment.capacity
    if let memory = unsafe spare.popLast() { return unsafe memory }
    let memory = unsafe mmap(
      nil, Segment.capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory = unsafe memory, unsafe memory != MAP_FAILED else {
      fatalError("out of memory for a journal segment")
    }
    return unsafe memory
  }

  func give(_ memory: UnsafeMutableRawPointer) {
    liveBytes -= Segment.capacity
    if unsafe spare.count < Self.kept {
      unsafe spare.append(memory)
    } else {
      unsafe munmap(memory, Segment.capacity)
    }
  }

  /// Gives the spare memory back.
  func trim() {
    while let memory = unsafe spare.popLast() { unsafe munmap(memory, Segment.capacity) }
  }

  deinit { trim() }
}
