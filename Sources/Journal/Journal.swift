public import AuditRecord
import Glibc

/// Every record once, in the order of arrival, in segments.
///
/// The journal holds on to the segment that it is filling; all others live for as long as a
/// subscription's queue refers to them.
public final class Journal {
  /// Records of one segment that one intake appended.
  public struct Slice {
    public let segment: Segment
    public let start: Int
    public var end: Int
    /// Bytes of their texts.
    public var bytes: Int
  }

  /// What was appended since `beginBatch`.
  public struct Batch {
    public internal(set) var slices: [Slice] = []
    public internal(set) var records = 0
    public internal(set) var bytes = 0
    /// The lowest number of an event in it.
    public internal(set) var oldestEvent = UInt64.max
    /// The number that the first event begun in it has, or would have.
    public internal(set) var firstNewEvent: UInt64 = 0
    /// One above the highest number of an event so far.
    public internal(set) var nextEvent: UInt64 = 0
  }

  private let pool = SegmentPool()
  private var current: Segment
  private var tracker = EventTracker()
  private var types = TypeNames()
  private var nodes = NodeNumbers()
  /// `node=NAME ` for records that come without a node, or empty.
  private let nodePrefix: [UInt8]

  public private(set) var batch = Batch()

  /// - Parameter node: what a version 0 record is given as its node.
  public init(node: String? = nil) {
    nodePrefix = node.map { Array("node=\($0) ".utf8) } ?? []
    current = Segment(firstSequence: 0, pool: pool)
  }

  /// Memory of all segments alive.
  public var bytes: Int { pool.liveBytes }

  /// Events begun so far.
  public var events: UInt64 { tracker.next }

  /// Events below this number can get no further record.
  public var oldestEvent: UInt64 { tracker.oldest }

  public func isOpen(_ event: UInt64) -> Bool { tracker.isOpen(event) }

  /// Gives spare memory back to the allocator.
  public func trim() {
    pool.trim()
  }

  public func beginBatch() {
    batch.slices.removeAll(keepingCapacity: true)
    batch.records = 0
    batch.bytes = 0
    batch.oldestEvent = .max
    batch.firstNewEvent = tracker.next
    batch.nextEvent = tracker.next
  }

  /// Appends a record, laid out as plugins get it, and adds it to the batch.
  ///
  /// - Returns: the bytes of its text.
  @inline(__always)
  @discardableResult
  public func append(_ frame: RecordFrame, of input: Span<UInt8>) -> Int {
    let payload = input.extracting(frame.payload)
    let bare = frame.form == .bare
    var type = frame.type
    let mark: EventTracker.Mark
    if bare {
      var at = 0
      if let stamp = RecordStamp(payload, at: &at) {
        mark = tracker.note(stamp, node: 0, type: type)
      } else {
        mark = tracker.noteUnstamped()
      }
    } else if let header = RecordHeader(payload) {
      if frame.form == .line { type = types.number(of: payload.extracting(header.typeName)) }
      let node = header.node.map { nodes.number(of: payload.extracting($0)) } ?? 0
      mark = tracker.note(header.stamp, node: node, type: type)
    } else {
      mark = tracker.noteUnstamped()
    }
    let prefix = bare ? types.prefix(of: type) : []
    let node = bare ? nodePrefix : []
    // The text, its newline and, should it be needed, the payload with its length.
    let room = node.count + prefix.count + payload.count + 1
    if !current.fits(room + 2 + payload.count) { turnOver() }
    let length = write(
      node, prefix, payload, event: mark, type: type, bare: bare && node.isEmpty)
    note(mark, length)
    return length
  }

  /// Appends a line of our own, outside of every batch, for one subscription.
  ///
  /// - Returns: the segment and the index of the record.
  public func appendGap(_ text: String, type: RecordType) -> (Segment, Int) {
    let bytes = Array(text.utf8)
    if !current.fits(bytes.count + 1) { turnOver() }
    unsafe bytes.withUnsafeBytes { raw in
      unsafe current.free.copyMemory(from: raw.baseAddress!, byteCount: raw.count)
    }
    unsafe current.free.storeBytes(of: 0x0a, toByteOffset: bytes.count, as: UInt8.self)
    let entry = Segment.Entry(
      offset: current.used, textLength: bytes.count + 1, bareOffset: 0,
      event: UInt32(truncatingIfNeeded: tracker.next), type: type.rawValue, flags: Segment.Entry.gap
    )
    current.commit(entry, bytes: bytes.count + 1)
    return (current, current.count - 1)
  }

  private func turnOver() {
    current = Segment(
      firstSequence: current.firstSequence + UInt64(current.count), pool: pool)
  }

  @inline(__always)
  private func write(
    _ node: [UInt8], _ prefix: [UInt8], _ payload: Span<UInt8>, event mark: EventTracker.Mark,
    type: UInt32, bare: Bool
  ) -> Int {
    let base = unsafe current.free
    var at = 0
    if !prefix.isEmpty {
      for part in [node, prefix] {
        unsafe part.withUnsafeBytes { raw in
          if let from = raw.baseAddress {
            unsafe (base + at).copyMemory(from: from, byteCount: raw.count)
          }
        }
        at += part.count
      }
    }
    let bareOffset = at
    let text = unsafe base + at
    var length = payload.count
    var flags = (mark.isFirst ? Segment.Entry.first : 0) | (bare ? Segment.Entry.bare : 0)
    if length > 0 {
      unsafe payload.withUnsafeBytes { raw in
        unsafe text.copyMemory(from: raw.baseAddress!, byteCount: length)
      }
      if unsafe memchr(text, 0, length) != nil || memchr(text, 0x0a, length) != nil {
        length = unsafe makePlain(text, length)
        flags |= Segment.Entry.payload
      }
    }
    unsafe text.storeBytes(of: 0x0a, toByteOffset: length, as: UInt8.self)
    var used = bareOffset + length + 1
    let entry = Segment.Entry(
      offset: current.used, textLength: used, bareOffset: bareOffset,
      event: UInt32(truncatingIfNeeded: mark.event), type: type, flags: flags)
    if flags & Segment.Entry.payload != 0 {
      unsafe (base + used).storeBytes(of: UInt16(payload.count), as: UInt16.self)
      unsafe payload.withUnsafeBytes { raw in
        unsafe (base + used + 2).copyMemory(from: raw.baseAddress!, byteCount: raw.count)
      }
      used += 2 + payload.count
    }
    current.commit(entry, bytes: used)
    return Int(entry.textLength)
  }

  /// Cuts a text at its first NUL and turns its newlines into spaces, as auditd does.
  private func makePlain(_ text: UnsafeMutableRawPointer, _ count: Int) -> Int {
    var length = count
    if let zero = unsafe memchr(text, 0, count) { length = unsafe zero - text }
    for i in 0..<length where unsafe text.load(fromByteOffset: i, as: UInt8.self) == 0x0a {
      unsafe text.storeBytes(of: 0x20, toByteOffset: i, as: UInt8.self)
    }
    return length
  }

  @inline(__always)
  private func note(_ mark: EventTracker.Mark, _ length: Int) {
    batch.records += 1
    batch.bytes += length
    if mark.event < batch.oldestEvent { batch.oldestEvent = mark.event }
    batch.nextEvent = tracker.next
    let last = batch.slices.count - 1
    if last >= 0, batch.slices[last].segment === current {
      batch.slices[last].end = current.count
      batch.slices[last].bytes += length
    } else {
      batch.slices.append(
        Slice(segment: current, start: current.count - 1, end: current.count, bytes: length))
    }
  }
}

/// A small number for each node's name; 0 is for none.
struct NodeNumbers {
  private var names: [[UInt8]: UInt32] = [:]
  private var last: [UInt8] = []
  private var lastNumber: UInt32 = 0

  mutating func number(of name: Span<UInt8>) -> UInt32 {
    if name.count == last.count, lastNumber != 0 {
      var same = true
      for i in 0..<name.count where name[i] != last[i] {
        same = false
        break
      }
      if same { return lastNumber }
    }
    var key: [UInt8] = []
    key.reserveCapacity(name.count)
    for i in 0..<name.count { key.append(name[i]) }
    // A stream of invented names must not fill the memory: beyond 65,536 they start over.
    if names.count >= 65_536 { names.removeAll() }
    let number = names[key] ?? UInt32(names.count + 1)
    names[key] = number
    last = key
    lastNumber = number
    return number
  }
}
