import Glibc

/// Finds the records in a stream of text lines or of binary records, in any number of pieces.
///
/// The reader holds no bytes. Its caller keeps what was not consumed and calls again with more
/// behind it; the result is the same however the stream was cut. The caller's buffer must be able
/// to hold `RecordReader.lookahead` bytes.
///
/// Text or binary, and compact (16 + size) or fixed (8,986 bytes) framing, are found out from the
/// stream. The framing shows behind the first record: there is either the next header or padding.
/// The first record is not held back for it.
public struct RecordReader: Sendable {
  /// The longest line that is a record, in bytes without its newline.
  public static let maximumLine = 16 << 10
  /// A buffer that holds this much never makes the reader wait in vain.
  public static let lookahead = maximumLine + 64

  public enum Framing: UInt8, Sendable {
    case undecided = 0
    case compact = 1
    case fixed = 2
  }

  public enum Step: Equatable, Sendable {
    case record(RecordFrame)
    /// Something was skipped, or will be: what it was, and a sample's place in the bytes given.
    case malformed(MalformedInput, sample: Range<Int>)
    /// Nothing more to be had from these bytes.
    case needsMore
  }

  @usableFromInline
  enum State: UInt8, Sendable {
    /// Nothing seen yet: text or binary?
    case fresh = 0
    case text = 1
    case binary = 2
    /// Looking for the next thing that is certainly a record.
    case lost = 3
  }

  @usableFromInline var state = State.fresh
  /// Bytes of padding, or of a line that is too long, that are still to be passed over.
  @usableFromInline var padding = 0
  public internal(set) var skipsLine = false
  /// Where padding would end, seen from behind the first record's payload.
  @usableFromInline var framingProbe: Int?
  public internal(set) var framing: Framing
  var seemsFixed = false
  var previousWasNewline = true

  public init(framing: Framing = .undecided) { self.framing = framing }

  /// Whether the input was found to be binary; `nil` before its first byte.
  public var isBinary: Bool? {
    switch state {
    case .fresh: nil
    case .text: false
    case .binary, .lost: true
    }
  }

  /// The framing as far as it can be told: what follows the first record is no header, so it is
  /// padding most likely.
  public var likelyFraming: Framing { framing == .undecided && seemsFixed ? .fixed : framing }

  /// The next step from `position` on, which moves behind what was consumed.
  ///
  /// - Parameter ended: nothing will follow these bytes.
  public mutating func next(_ bytes: Span<UInt8>, _ position: inout Int, ended: Bool) -> Step {
    var header: RecordHeader?
    return next(bytes, &position, ended: ended, &header)
  }

  /// As `next`; gives the frame of a line too, with its places in that line, if it was looked for.
  public mutating func next(
    _ bytes: Span<UInt8>, _ position: inout Int, ended: Bool, _ header: inout RecordHeader?
  ) -> Step {
    header = nil
    if let frame = nextWhole(bytes, &position) { return .record(frame) }
    if padding > 0 { return .needsMore }
    return slowNext(bytes, &position, ended: ended, &header)
  }

  /// A binary record that is there whole, as nearly all are; `nil` is for `next` to explain.
  @inlinable @inline(__always)
  public mutating func nextWhole(_ bytes: Span<UInt8>, _ position: inout Int) -> RecordFrame? {
    if padding > 0 {
      let passed = min(padding, bytes.count - position)
      position += passed
      padding -= passed
      if padding > 0 { return nil }
    }
    if case .binary = state, framingProbe == nil, bytes.count - position >= BinaryHeader.size,
      let header = BinaryHeader(bytes, at: position), header.isKnownVersion
    {
      let start = position + BinaryHeader.size
      let end = start + Int(header.payloadSize)
      if end <= bytes.count { return record(header, start..<end, &position) }
    }
    return nil
  }

  /// Takes a whole binary record.
  @inlinable @inline(__always)
  mutating func record(
    _ header: BinaryHeader, _ payload: Range<Int>, _ position: inout Int
  ) -> RecordFrame {
    position = payload.upperBound
    let rest = BinaryHeader.maximumPayload - payload.count
    switch framing {
    case .fixed: padding = rest
    case .compact: break
    case .undecided: framingProbe = rest
    }
    return RecordFrame(
      form: header.version == 0 ? .bare : .finished, type: header.type, payload: payload)
  }

  private mutating func slowNext(
    _ bytes: Span<UInt8>, _ position: inout Int, ended: Bool, _ header: inout RecordHeader?
  ) -> Step {
    while true {
      let available = bytes.count - position
      if available <= 0 { return .needsMore }
      if padding > 0 {
        let passed = min(padding, available)
        position += passed
        padding -= passed
        continue
      }
      switch state {
      case .fresh:
        let first = bytes[position]
        let isText = first >= 0x20 || first == 0x0a || first == 0x0d || first == 0x09
        state = isText ? .text : .binary
      case .text:
        if skipsLine {
          guard let newline = bytes.firstNewline(from: position) else {
            position = bytes.count
            return .needsMore
          }
          position = newline + 1
          skipsLine = false
          continue
        }
        guard let step = nextLine(bytes, &position, ended: ended, &header) else { continue }
        return step
      case .binary:
        guard let step = nextBinary(bytes, &position, ended: ended) else { continue }
        return step
      case .lost:
        if !recover(bytes, &position, ended: ended) { return .needsMore }
      }
    }
  }

  // MARK: Text

  /// `nil`: something was passed over that is neither a record nor malformed.
  private mutating func nextLine(
    _ bytes: Span<UInt8>, _ position: inout Int, ended: Bool, _ header: inout RecordHeader?
  ) -> Step? {
    let start = position
    var end: Int
    if let newline = bytes.firstNewline(from: start, limit: Self.maximumLine + 1) {
      end = newline
      position = newline + 1
    } else if bytes.count - start > Self.maximumLine {
      if bytes.hasZero(start..<start + Self.maximumLine) {
        return lose(.badHeader, bytes, at: start)
      }
      position = start + Self.maximumLine
      skipsLine = true
      return .malformed(.lineTooLong, sample: start..<start + 64)
    } else if ended {
      end = bytes.count
      position = end
    } else {
      return .needsMore
    }
    if end > start, bytes[end - 1] == 0x0d { end -= 1 }
    if end == start { return nil }
    let line = bytes.extracting(start..<end)
    header = RecordHeader(line)
    if header != nil { return .record(RecordFrame(form: .line, type: 0, payload: start..<end)) }
    if let prefix = LogPrefix.end(line) {
      return .record(RecordFrame(form: .line, type: 0, payload: start + prefix..<end))
    }
    if bytes.hasZero(start..<end) {
      position = start
      return lose(.badHeader, bytes, at: start)
    }
    return .malformed(.notARecord, sample: start..<min(end, start + 64))
  }

  // MARK: Binary

  private mutating func nextBinary(
    _ bytes: Span<UInt8>, _ position: inout Int, ended: Bool
  ) -> Step? {
    let available = bytes.count - position
    if framingProbe != nil {
      guard decideFraming(bytes, position, ended: ended) else { return .needsMore }
      return nil
    }
    guard available >= BinaryHeader.size else {
      return ended ? truncated(bytes, &position) : .needsMore
    }
    guard let header = BinaryHeader(bytes, at: position) else {
      return lose(.badHeader, bytes, at: position)
    }
    let start = position + BinaryHeader.size
    let end = start + Int(header.payloadSize)
    guard header.isKnownVersion else {
      let step = framing == .fixed ? position + BinaryHeader.fixedRecord : end
      guard bytes.count >= step + BinaryHeader.size || ended else { return .needsMore }
      if bytes.count == step || BinaryHeader(bytes, at: step) != nil {
        let sample = position..<min(end, position + 64)
        position = step
        return .malformed(.unknownVersion, sample: sample)
      }
      return lose(.unknownVersion, bytes, at: position)
    }
    if end > bytes.count { return ended ? truncated(bytes, &position) : .needsMore }
    return .record(record(header, start..<end, &position))
  }

  /// Decides behind the first record; `false` when that takes more bytes.
  ///
  /// Either the next header stands there, or padding; or else something broken, which is told from
  /// padding by what stands where the next fixed record would.
  private mutating func decideFraming(_ bytes: Span<UInt8>, _ position: Int, ended: Bool) -> Bool {
    guard let rest = framingProbe else { return true }
    let available = bytes.count - position
    if rest > 0 {
      guard available >= BinaryHeader.size || ended else { return false }
      if BinaryHeader(bytes, at: position) == nil {
        seemsFixed = true
        guard available >= rest + BinaryHeader.size || ended else { return false }
        if available == rest || BinaryHeader(bytes, at: position + rest) != nil {
          framing = .fixed
          padding = rest
        }
      }
      if framing == .undecided { framing = .compact }
    }
    framingProbe = nil
    return true
  }

  private func truncated(_ bytes: Span<UInt8>, _ position: inout Int) -> Step {
    let sample = position..<min(bytes.count, position + 64)
    position = bytes.count
    return .malformed(.truncated, sample: sample)
  }
}
