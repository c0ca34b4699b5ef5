import AuditRecord
import Linux

/// The end of the journal where records are appended: a value, so that a whole batch is one access.
@safe
struct JournalWriter {
  private let pool: SegmentPool
  private var current: Segment
  private var gaps: Segment?
  private(set) var scanner: EventScanner
  private(set) var batch = Journal.Batch()
  private var lastType: UInt32 = 0
  /// The type of the record that `take` took last; 0: there was none.
  private(set) var lastTaken: UInt32 = 0
  /// Where the next record goes; the segment learns of what was appended with the slice.
  private var end: Segment.End
  /// Where in the current segment the batch's open slice begins, and the bytes in it that are not
  /// text.
  private var sliceStart = 0
  private var sliceOffset = 0
  private var payloadBytes = 0
  /// `node=NAME ` for records that come without a node, or empty.
  private var nodePrefix: [UInt8]

  init(node: String?, pool: SegmentPool, firstRecord: RecordNumber, firstEvent: EventNumber) {
    self.pool = pool
    nodePrefix = node.map { Array("node=\($0) ".utf8) } ?? []
    current = Segment(first: firstRecord, pool: pool)
    scanner = EventScanner(firstEvent: firstEvent.value)
    unsafe end = current.end
  }

  mutating func change(node: String) { nodePrefix = Array("node=\(node) ".utf8) }

  mutating func begin(sender: [UInt8]) { scanner.begin(sender: sender) }

  var nextRecord: RecordNumber { current.first + current.count }

  mutating func beginBatch() {
    batch.slices.removeAll(keepingCapacity: true)
    batch.records = 0
    batch.bytes = 0
    batch.oldestEvent = .max
    batch.firstNewEvent = EventNumber(scanner.next)
    batch.nextEvent = EventNumber(scanner.next)
  }

  mutating func take(
    _ bytes: Span<UInt8>, _ reader: inout RecordReader, _ position: inout Int, ended: Bool,
    limit: Int
  ) -> (end: Journal.TakeEnd, records: Int) {
    openSlice()
    var taken = 0
    defer {
      closeSlice()
      if taken > 0 { lastTaken = lastType }
    }
    while taken < limit {
      if let frame = reader.nextWhole(bytes, &position) {
        appendOne(frame, of: bytes)
        taken += 1
        continue
      }
      switch reader.next(bytes, &position, ended: ended) {
      case .record(let frame):
        appendOne(frame, of: bytes)
        taken += 1
      case .malformed(let kind, let sample): return (.malformed(kind, sample: sample), taken)
      case .needsMore: return (.needsMore, taken)
      }
    }
    return (.limit, taken)
  }

  mutating func append(_ frame: RecordFrame, of input: Span<UInt8>) {
    openSlice()
    appendOne(frame, of: input)
    closeSlice()
  }

  @inline(__always)
  private mutating func appendOne(_ frame: RecordFrame, of input: Span<UInt8>) {
    let payload = unsafe input.extracting(unchecked: frame.payload)
    var type = frame.type
    let mark = scanner.note(payload, form: frame.form, type: &type)
    lastType = type
    let event = EventNumber(mark.event)
    if event < batch.oldestEvent { batch.oldestEvent = event }
    if frame.form == .bare { return writeBare(payload, mark, type: type) }
    let length = payload.count
    if unsafe !end.fits(2 &* length &+ 3) { turnOver() }
    guard length > 0, unsafe Bytes.copyIsPlain(payload, to: end.text) else {
      return writeUnplain(payload, mark, type: type, offset: 0, flags: 0)
    }
    unsafe end.text.storeBytes(of: 0x0a, toByteOffset: length, as: UInt8.self)
    unsafe end.commit(
      textLength: length &+ 1, bareOffset: 0, event: EventNumber(mark.event), type: type,
      flags: mark.isFirst ? Segment.Entry.first : 0, bytes: length &+ 1)
  }

  /// Appends the kernel's bare text behind what makes it a line.
  private mutating func writeBare(
    _ payload: Span<UInt8>, _ mark: EventTracker.Mark, type: UInt32
  ) {
    let kernelPrefix = scanner.prefix(of: type)
    let prefix = nodePrefix.isEmpty ? kernelPrefix : nodePrefix + kernelPrefix
    let bare = nodePrefix.isEmpty ? Segment.Entry.bare : 0
    if unsafe !end.fits(prefix.count + 2 * payload.count + 3) { turnOver() }
    unsafe prefix.withUnsafeBytes {
      unsafe end.text.copyMemory(from: $0.baseAddress!, byteCount: $0.count)
    }
    guard payload.count > 0, unsafe Bytes.copyIsPlain(payload, to: end.text + prefix.count) else {
      return writeUnplain(payload, mark, type: type, offset: prefix.count, flags: bare)
    }
    let length = prefix.count + payload.count
    unsafe end.text.storeBytes(of: 0x0a, toByteOffset: length, as: UInt8.self)
    if bare != 0 { unsafe end.hasBare = true }
    unsafe end.commit(
      textLength: length + 1, bareOffset: prefix.count, event: EventNumber(mark.event), type: type,
      flags: (mark.isFirst ? Segment.Entry.first : 0) | bare, bytes: length + 1)
  }

  /// Appends a record whose text differs from its payload: a NUL ends the text and its newlines
  /// become spaces, as auditd has it; a binary plugin gets the payload as it came.
  private mutating func writeUnplain(
    _ payload: Span<UInt8>, _ mark: EventTracker.Mark, type: UInt32, offset: Int, flags: UInt8
  ) {
    let text = unsafe end.text + offset
    var length = 0
    while length < payload.count, payload[length] != 0 {
      let byte = payload[length]
      unsafe text.storeBytes(of: byte == 0x0a ? 0x20 : byte, toByteOffset: length, as: UInt8.self)
      length += 1
    }
    unsafe text.storeBytes(of: 0x0a, toByteOffset: length, as: UInt8.self)
    let behind = length + 1
    unsafe (text + behind).storeBytes(of: UInt16(payload.count), as: UInt16.self)
    for i in 0..<payload.count {
      unsafe text.storeBytes(of: payload[i], toByteOffset: behind + 2 + i, as: UInt8.self)
    }
    unsafe end.hasPayloads = true
    if flags & Segment.Entry.bare != 0 { unsafe end.hasBare = true }
    payloadBytes += 2 + payload.count
    unsafe end.commit(
      textLength: offset + behind, bareOffset: offset, event: EventNumber(mark.event), type: type,
      flags: (mark.isFirst ? Segment.Entry.first : 0) | flags | Segment.Entry.payload,
      bytes: offset + behind + 2 + payload.count)
  }

  /// Gap records have a segment of their own, so that the numbers of all others have no holes.
  mutating func appendGap(_ text: String, type: RecordType) -> Run {
    let bytes = Array(text.utf8)
    var segment = gaps ?? Segment(first: RecordNumber(0), pool: pool)
    var end = unsafe segment.end
    if unsafe !end.fits(bytes.count + 1) {
      segment = Segment(first: RecordNumber(0), pool: pool)
      unsafe end = segment.end
    }
    unsafe bytes.withUnsafeBytes {
      unsafe end.text.copyMemory(from: $0.baseAddress!, byteCount: $0.count)
    }
    unsafe end.text.storeBytes(of: 0x0a, toByteOffset: bytes.count, as: UInt8.self)
    unsafe end.commit(
      textLength: bytes.count + 1, bareOffset: 0, event: EventNumber(scanner.next),
      type: type.rawValue,
      flags: Segment.Entry.gap, bytes: bytes.count + 1)
    unsafe segment.advance(to: end)
    gaps = segment
    return Run(segment: segment, start: segment.count - 1, end: segment.count)
  }

  /// Lets go of the gap records' segment when no queue refers to it.
  mutating func forgetGaps() {
    if gaps != nil, isKnownUniquelyReferenced(&gaps) { gaps = nil }
  }

  private mutating func turnOver() {
    closeSlice()
    current = Segment(first: nextRecord, pool: pool)
    unsafe end = current.end
    openSlice()
  }

  // MARK: The batch

  /// What was appended before belongs to the segment, and a slice begins behind it.
  private mutating func openSlice() {
    unsafe current.advance(to: end)
    sliceStart = current.count
    sliceOffset = current.used
    payloadBytes = 0
  }

  private mutating func closeSlice() {
    unsafe current.advance(to: end)
    let count = current.count - sliceStart
    batch.nextEvent = EventNumber(scanner.next)
    guard count > 0 else { return }
    let bytes = current.used - sliceOffset - payloadBytes
    batch.records += count
    batch.bytes += bytes
    let last = batch.slices.count - 1
    if last >= 0, batch.slices[last].segment === current, batch.slices[last].end == sliceStart {
      batch.slices[last].end = current.count
      batch.slices[last].bytes += bytes
    } else {
      batch.slices.append(
        Journal.Slice(segment: current, start: sliceStart, end: current.count, bytes: bytes))
    }
    openSlice()
  }
}
