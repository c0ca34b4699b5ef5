/// The frame of a record's line, `[node=N ]type=T msg=audit(SECONDS.MILLISECONDS:SERIAL): …`.
public struct RecordHeader: Equatable, Sendable {
  /// Where the node's name stands, if the line names one.
  public var node: Range<Int>?
  /// Where the type's name stands.
  public var typeName: Range<Int>
  public var stamp: RecordStamp
  /// Where `audit(…)` stands.
  public var stampPlace: Range<Int>
  /// Where the fields begin: behind `): ` or `):`.
  public var body: Int

  /// Finds the frame of a line; `nil` when the line is not a record.
  ///
  /// Allocates nothing; costs a few nanoseconds and does not look at the fields.
  public init?(_ line: Span<UInt8>) {
    var at = 0
    node = nil
    if line.has("node=", at: 0) {
      guard let end = line.firstIndex(of: UInt8(ascii: " "), from: 5), end > 5 else { return nil }
      node = 5..<end
      at = end + 1
    }
    guard line.has("type=", at: at),
      let end = line.firstIndex(of: UInt8(ascii: " "), from: at + 5), end > at + 5,
      line.has("msg=", at: end + 1)
    else { return nil }
    typeName = at + 5..<end
    at = end + 5
    let stampStart = at
    guard let stamp = RecordStamp(line, at: &at), at < line.count, line[at] == UInt8(ascii: ":")
    else { return nil }
    self.stamp = stamp
    stampPlace = stampStart..<at
    at += 1
    if at < line.count, line[at] == UInt8(ascii: " ") { at += 1 }
    body = at
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
}
