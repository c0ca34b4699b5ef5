import AuditRecord
import CAudispatch

/// The end of the journal where records are appended: a value, so that a whole batch is one access.
struct JournalWriter {
  private let pool: SegmentPool
  private var current: Segment
  private(set) var scanner = EventScanner()
  private(set) var batch = Journal.Batch()
  /// Where in the current segment the batch's open slice begins, and the bytes of its texts.
  private var sliceStart = 0
  private var sliceBytes = 0
  /// `node=NAME ` for records that come without a node, or empty.
  private let nodePrefix: [UInt8]

  init(node: String?, pool: SegmentPool) {
    self.pool = pool
    nodePrefix = node.map { Array("node=\($0) ".utf8) } ?? []
    current = Segment(firstSequence: 0, pool: pool)
  }

  mutating func beginBatch() {
    batch.slices.removeAll(keepingCapacity: true)
    batch.records = 0
    batch.bytes = 0
    batch.oldestEvent = .max
    batch.firstNewEvent = scanner.next
    batch.nextEvent = scanner.next
  }

  mutating func take(
    _ bytes: Span<UInt8>, _ reader: inout RecordReader, _ position: inout Int, ended: Bool,
    limit: Int
  ) -> (end: Journal.TakeEnd, records: Int) {
    openSlice()
    defer { closeSlice() }
    var taken = 0
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

  private mutating func appendOne(_ frame: RecordFrame, of input: Span<UInt8>) {
    let payload = input.extracting(frame.payload)
    var type = frame.type
    let mark = scanner.note(payload, form: frame.form, type: &type)
    if mark.event < batch.oldestEvent { batch.oldestEvent = mark.event }
    if frame.form == .bare {
      let prefix = scanner.prefix(of: type)
      let before = nodePrefix.isEmpty ? prefix : nodePrefix + prefix
      sliceBytes += write(before, payload, mark, type: type, bare: nodePrefix.isEmpty)
    } else {
      sliceBytes += write(payload, mark, type: type)
    }
  }

  /// Appends a finished line.
  @inline(__always)
  private mutating func write(
    _ payload: Span<UInt8>, _ mark: EventTracker.Mark, type: UInt32
  ) -> Int {
    if !current.fits(2 * payload.count + 3) { turnOver() }
    let text = unsafe current.free
    let length = payload.count
    guard length > 0, unsafe copyIsPlain(payload, to: text) else {
      return writeUnplain(payload, mark, type: type, offset: 0, bare: false)
    }
    unsafe text.storeBytes(of: 0x0a, toByteOffset: length, as: UInt8.self)
    let entry = Segment.Entry(
      offset: current.used, textLength: length + 1, bareOffset: 0,
      event: UInt32(truncatingIfNeeded: mark.event), type: type,
      flags: mark.isFirst ? Segment.Entry.first : 0)
    current.commit(entry, bytes: length + 1)
    return length + 1
  }

  /// Appends the kernel's bare text behind what makes it a line.
  private mutating func write(
    _ prefix: [UInt8], _ payload: Span<UInt8>, _ mark: EventTracker.Mark, type: UInt32, bare: Bool
  ) -> Int {
    if !current.fits(prefix.count + 2 * payload.count + 3) { turnOver() }
    let text = unsafe current.free
    unsafe prefix.withUnsafeBytes {
      unsafe text.copyMemory(from: $0.baseAddress!, byteCount: $0.count)
    }
    guard payload.count > 0, unsafe copyIsPlain(payload, to: text + prefix.count) else {
      return writeUnplain(payload, mark, type: type, offset: prefix.count, bare: bare)
    }
    let length = prefix.count + payload.count
    unsafe text.storeBytes(of: 0x0a, toByteOffset: length, as: UInt8.self)
    let flags = (mark.isFirst ? Segment.Entry.first : 0) | (bare ? Segment.Entry.bare : 0)
    let entry = Segment.Entry(
      offset: current.used, textLength: length + 1, bareOffset: prefix.count,
      event: UInt32(truncatingIfNeeded: mark.event), type: type, flags: flags)
    current.commit(entry, bytes: length + 1)
    return length + 1
  }

  /// Appends a record whose text differs from its payload: a NUL ends the text and its newlines
  /// become spaces, as auditd has it; a binary plugin gets the payload as it came.
  private mutating func writeUnplain(
    _ payload: Span<UInt8>, _ mark: EventTracker.Mark, type: UInt32, offset: Int, bare: Bool
  ) -> Int {
    let text = unsafe current.free + offset
    var length = 0
    while length < payload.count, payload[length] != 0 {
      let byte = payload[length]
      unsafe text.storeBytes(of: byte == 0x0a ? 0x20 : byte, toByteOffset: length, as: UInt8.self)
      length += 1
    }
    unsafe text.storeBytes(of: 0x0a, toByteOffset: length, as: UInt8.self)
    let end = length + 1
    unsafe (text + end).storeBytes(of: UInt16(payload.count), as: UInt16.self)
    for i in 0..<payload.count {
      unsafe text.storeBytes(of: payload[i], toByteOffset: end + 2 + i, as: UInt8.self)
    }
    let flags =
      (mark.isFirst ? Segment.Entry.first : 0) | (bare ? Segment.Entry.bare : 0)
      | Segment.Entry.payload
    let entry = Segment.Entry(
      offset: current.used, textLength: offset + end, bareOffset: offset,
      event: UInt32(truncatingIfNeeded: mark.event), type: type, flags: flags)
    current.commit(entry, bytes: offset + end + 2 + payload.count)
    return offset + end
  }

  /// Copies a payload and tells whether it is free of newlines and NULs.
  @inline(__always)
  private func copyIsPlain(_ payload: Span<UInt8>, to text: UnsafeMutableRawPointer) -> Bool {
    unsafe payload.withUnsafeBytes { raw in
      unsafe ad_copy_is_plain(text, raw.baseAddress!, raw.count)
    }
  }

  mutating func appendGap(_ text: String, type: RecordType) -> (Segment, Int) {
    let bytes = Array(text.utf8)
    if !current.fits(bytes.count + 1) { turnOver() }
    unsafe bytes.withUnsafeBytes {
      unsafe current.free.copyMemory(from: $0.baseAddress!, byteCount: $0.count)
    }
    unsafe current.free.storeBytes(of: 0x0a, toByteOffset: bytes.count, as: UInt8.self)
    let entry = Segment.Entry(
      offset: current.used, textLength: bytes.count + 1, bareOffset: 0,
      event: UInt32(truncatingIfNeeded: scanner.next), type: type.rawValue,
      flags: Segment.Entry.gap)
    current.commit(entry, bytes: bytes.count + 1)
    openSlice()
    return (current, current.count - 1)
  }

  private mutating func turnOver() {
    closeSlice()
    current = Segment(firstSequence: current.firstSequence + UInt64(current.count), pool: pool)
    openSlice()
  }

  // MARK: The batch

  private mutating func openSlice() {
    sliceStart = current.count
    sliceBytes = 0
  }

  private mutating func closeSlice() {
    let count = current.count - sliceStart
    batch.nextEvent = scanner.next
    guard count > 0 else { return }
    batch.records += count
    batch.bytes += sliceBytes
    let last = batch.slices.count - 1
    if last >= 0, batch.slices[last].segment === current, batch.slices[last].end == sliceStart {
      batch.slices[last].end = current.count
      batch.slices[last].bytes += sliceBytes
    } else {
      batch.slices.append(
        Journal.Slice(
          segment: current, start: sliceStart, end: current.count, bytes: sliceBytes))
    }
    openSlice()
  }
}
