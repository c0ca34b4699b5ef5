/// The frame of a record's line, `[node=N ]type=T msg=audit(SECONDS.MILLISECONDS:SERIAL): …`.
///
/// What ausearch takes for a record is one here, too: auditd up to 2.4 wrote no colon behind the
/// stamp of its own records, others wrote ` : `; blanks may stand in front and be doubled, `node=`
/// may name nothing, and the kernel's own log has `type=1400 audit(…): …` without `msg=`.
public struct RecordHeader: Equatable, Sendable {
  /// Where the node's name stands, if the line names one.
  public var node: Range<Int>?
  /// Where the type's name stands.
  public var typeName: Range<Int>
  public var stamp: RecordStamp
  /// Where `audit(…)` stands.
  public var stampPlace: Range<Int>
  /// Where the fields begin: behind `): ` or what stands for it.
  public var body: Int

  /// Finds the frame of a line; `nil` when the line is not a record.
  ///
  /// Allocates nothing; costs a few nanoseconds and does not look at the fields.
  public init?(_ line: Span<UInt8>) { self.init(line, at: 0) }

  /// Finds the frame of a record that begins at `start`.
  init?(_ line: Span<UInt8>, at start: Int) {
    if let plain = Self.plain(line, at: start) {
      self = plain
      return
    }
    var at = line.behindBlanks(start)
    node = nil
    if line.has("node=", at: at) {
      guard let end = line.firstIndex(of: 0x20, from: at + 5) else { return nil }
      if end > at + 5 { node = at + 5..<end }
      at = line.behindBlanks(end)
    }
    guard line.has("type=", at: at),
      let end = line.firstIndex(of: 0x20, from: at + 5), end > at + 5
    else { return nil }
    typeName = at + 5..<end
    at = line.behindBlanks(end)
    if line.has("msg=", at: at) { at += 4 }
    let stampStart = at
    guard let stamp = RecordStamp(line, at: &at) else { return nil }
    self.stamp = stamp
    stampPlace = stampStart..<at
    body = line.behindColon(at)
  }

  private init(_ typeName: Range<Int>, _ stamp: RecordStamp, _ stampPlace: Range<Int>) {
    self.typeName = typeName
    self.stamp = stamp
    self.stampPlace = stampPlace
    body = stampPlace.upperBound + 2
  }

  /// The frame as nearly all lines have it: `type=T msg=audit(…): `; anything else is for the general
  /// way.
  @inline(__always)
  private static func plain(_ line: Span<UInt8>, at start: Int) -> RecordHeader? {
    guard let end = line.plainTypeEnd(from: start) else { return nil }
    var at = end + 5
    guard let stamp = RecordStamp(line, at: &at), at + 1 < line.count,
      line[at] == UInt8(ascii: ":"), line[at + 1] == 0x20
    else { return nil }
    return RecordHeader(start + 5..<end, stamp, end + 5..<at)
  }
}

extension Span<UInt8> {
  /// The first place of a byte at or behind `start`.
  @inline(__always)
  package func firstIndex(of byte: UInt8, from start: Int) -> Int? {
    var at = start
    while at < count {
      if self[at] == byte { return at }
      at += 1
    }
    return nil
  }

  /// The first place at or behind `start` where no blank stands.
  @inline(__always)
  func behindBlanks(_ start: Int) -> Int {
    var at = start
    while at < count, self[at] == 0x20 { at += 1 }
    return at
  }

  /// Where the type's name ends in a line that begins `type=NAME msg=`; without a node, that is.
  @inlinable @inline(__always)
  func plainTypeEnd(from start: Int) -> Int? {
    guard start >= 0, count - start >= 48 else { return nil }
    return unsafe withUnsafeBytes { raw in
      // "type", and behind the name "msg=".
      guard unsafe raw.loadUnaligned(fromByteOffset: start, as: UInt32.self) == 0x6570_7974,
        unsafe raw[start &+ 4] == 0x3d
      else { return nil }
      var end = start &+ 5
      let limit = start &+ 32
      while end < limit {
        let word = unsafe raw.loadUnaligned(fromByteOffset: end, as: UInt64.self)
        let spaces = ByteSearch.zeros(word ^ (0x20 &* ByteSearch.ones))
        if spaces != 0 {
          end &+= spaces.trailingZeroBitCount &>> 3
          break
        }
        end &+= 8
      }
      guard end > start &+ 5, end <= limit,
        unsafe raw.loadUnaligned(fromByteOffset: end, as: UInt64.self) & 0xff_ffff_ffff
          == 0x3d_6773_6d20
      else { return nil }
      return end
    }
  }

  /// Behind a stamp: past the colon, with blanks before it, and one blank; without a colon past the
  /// blanks.
  @inline(__always)
  fileprivate func behindColon(_ stampEnd: Int) -> Int {
    var at = behindBlanks(stampEnd)
    guard at < count, self[at] == UInt8(ascii: ":") else { return at }
    at += 1
    if at < count, self[at] == 0x20 { at += 1 }
    return at
  }
}
