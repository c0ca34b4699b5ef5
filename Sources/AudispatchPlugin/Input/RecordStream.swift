public import AuditRecord
public import Linux

/// The records of a descriptor's bytes, text or binary, however the bytes are cut into reads.
///
/// Holds 256 KiB. A record is given as one line without newline or NUL, so that it can be kept as
/// text whatever way it came.
public struct RecordStream: Sendable {
  private static let capacity = 256 << 10
  /// Less room than this is not worth a read.
  private static let leastRoom = 64 << 10

  private var buffer = [UInt8](repeating: 0, count: capacity)
  private var start = 0
  private var filled = 0
  private var reader = RecordReader()
  private var types = TypeNames()
  private var scratch: [UInt8] = []

  /// What the dispatcher put in as records, up to the last one given out: lines, and binary records
  /// with a header, also such as turned out to be no record. Counts as long as `isInStep`.
  public private(set) var frames = 0
  /// Whether every frame was recognised; not after something that is neither text nor binary.
  public private(set) var isInStep = true
  /// Records given out.
  public private(set) var records = 0
  /// Bytes read.
  public private(set) var bytes = 0
  /// What had to be skipped.
  public private(set) var malformed: [MalformedInput: Int] = [:]
  /// The beginning of what was skipped last.
  public private(set) var malformedSample: [UInt8] = []

  public init() {}

  public var malformedTotal: Int { malformed.values.reduce(0, +) }

  /// Reads once.
  public mutating func fill(from descriptor: Int32) -> ReadResult {
    makeRoom()
    let free = filled
    let result = unsafe buffer.withUnsafeMutableBytes { all in
      unsafe Transfer.read(descriptor, into: UnsafeMutableRawBufferPointer(rebasing: all[free...]))
    }
    if case .bytes(let count) = result {
      filled += count
      bytes += count
    }
    return result
  }

  /// Adds bytes from elsewhere; returns how many there was room for.
  public mutating func fill(with more: some Collection<UInt8>) -> Int {
    makeRoom()
    let count = min(more.count, buffer.count - filled)
    buffer.replaceSubrange(filled..<filled + count, with: more.prefix(count))
    filled += count
    bytes += count
    return count
  }

  /// Gives the next record to `body`; `false` when there is none before the next `fill`.
  ///
  /// - Parameter ended: nothing will follow; a last line without newline is a record too.
  public mutating func next(
    ended: Bool, _ body: (Span<UInt8>, RecordHeader, RecordType) -> Void
  ) -> Bool {
    nextFrame(ended: ended) { line, header, type, _ in body(line, header, type) }
  }

  /// As `next`, with the count of frames up to this record; `nil` when it is not certain.
  @inline(__always)
  mutating func nextFrame(
    ended: Bool, _ body: (Span<UInt8>, RecordHeader, RecordType, _ frames: Int?) -> Void
  ) -> Bool {
    // Not a copy: a second hold on the bytes while the reader's own state changes.
    nextFrame(of: buffer, ended: ended, body)
  }

  /// Gives all records that there are before the next `fill`.
  @inline(__always)
  mutating func eachFrame(
    ended: Bool, _ body: (Span<UInt8>, RecordHeader, RecordType, _ frames: Int?) -> Void
  ) {
    let buffer = self.buffer
    while nextFrame(of: buffer, ended: ended, body) {}
  }

  @inline(__always)
  private mutating func nextFrame(
    of buffer: [UInt8], ended: Bool,
    _ body: (Span<UInt8>, RecordHeader, RecordType, _ frames: Int?) -> Void
  ) -> Bool {
    let all = buffer.span.extracting(0..<filled)
    var known: RecordHeader?
    while true {
      passBlankLines(all)
      switch reader.next(all, &start, ended: ended, &known) {
      case .needsMore: return false
      case .malformed(let kind, let sample):
        switch kind {
        case .notARecord, .lineTooLong: frames += 1
        case .badHeader, .unknownVersion, .truncated: isInStep = false
        }
        note(kind, buffer[sample])
      case .record(let frame):
        frames += 1
        let line = all.extracting(frame.payload)
        if frame.form == .line, line.firstZero == nil {
          guard let header = known ?? RecordHeader(line) else {
            note(.notARecord, buffer[frame.payload].prefix(64))
            continue
          }
          records += 1
          body(line, header, type(line, header), isInStep ? frames : nil)
          return true
        }
        makeLine(frame)
        let made = scratch
        guard let header = RecordHeader(made.span) else {
          note(.notARecord, made.prefix(64))
          continue
        }
        records += 1
        body(made.span, header, type(made.span, header), isInStep ? frames : nil)
        return true
      }
    }
  }

  /// Passes over a line that has no end, which the input's end has cut off.
  mutating func noteCut() {
    guard reader.isBinary != true, start < filled else { return }
    note(.truncated, buffer[start..<min(filled, start + 64)])
    isInStep = false
    start = filled
  }

  /// A record without any text is an empty line, which the reader passes over.
  @inline(__always)
  private mutating func passBlankLines(_ bytes: Span<UInt8>) {
    guard reader.isBinary != true, !reader.skipsLine else { return }
    while start < bytes.count {
      if bytes[start] == 0x0d, start + 1 < bytes.count, bytes[start + 1] == 0x0a { start += 1 }
      guard bytes[start] == 0x0a else { return }
      start += 1
      frames += 1
    }
  }

  /// A payload as auditd's string format has it: one line that ends at a NUL.
  private mutating func makeLine(_ frame: RecordFrame) {
    scratch.removeAll(keepingCapacity: true)
    if frame.form == .bare { scratch += types.prefix(of: frame.type) }
    for at in frame.payload {
      let byte = buffer[at]
      if byte == 0 { break }
      scratch.append(byte == 0x0a ? 0x20 : byte)
    }
  }

  private mutating func type(_ line: Span<UInt8>, _ header: RecordHeader) -> RecordType {
    let number = types.number(of: line.extracting(header.typeName))
    guard number == TypeNames.unknown, line.has("UNKNOWN[", at: header.typeName.lowerBound) else {
      return RecordType(rawValue: number)
    }
    let digits = header.typeName.dropFirst(8).dropLast().map { line[$0] }
    return RecordType(rawValue: Digits.value(digits).map(UInt32.init) ?? number)
  }

  private mutating func note(_ kind: MalformedInput, _ sample: ArraySlice<UInt8>) {
    malformed[kind, default: 0] += 1
    malformedSample = Array(sample)
  }

  /// Makes room behind what is there by moving it to the front.
  private mutating func makeRoom() {
    let rest = filled - start
    if buffer.count - filled >= Self.leastRoom, rest > 0 {
      return
    } else if rest > 0 {
      unsafe buffer.withUnsafeMutableBytes { all in
        unsafe all.baseAddress!.copyMemory(from: all.baseAddress! + start, byteCount: rest)
      }
    }
    start = 0
    filled = rest
  }
}
