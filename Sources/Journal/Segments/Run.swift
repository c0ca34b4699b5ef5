/// Neighbouring records of one segment.
struct Run {
  let segment: Segment
  var start: Int
  var end: Int

  @inline(__always)
  var count: Int { end - start }

  /// The journal's numbers of the records. Announcements have none.
  @inline(__always)
  var numbers: Range<RecordNumber> { segment.first + start..<segment.first + end }

  /// Bytes of the texts.
  @inline(__always)
  var textBytes: Int {
    if !segment.hasPayloads { return segment.offset(end) - segment.offset(start) }
    return (start..<end).reduce(0) { $0 + Int(segment[$1].textLength) }
  }

  /// Those of its records whose numbers are in a range; `nil` when there are none.
  @inline(__always)
  func clamped(to range: Range<RecordNumber>) -> Run? {
    let own = numbers.clamped(to: range)
    guard !own.isEmpty else { return nil }
    return Run(
      segment: segment, start: own.lowerBound - segment.first,
      end: own.upperBound - segment.first)
  }
}
