import AuditRecord

/// Neighbouring records of one segment, as part of a queue.
struct Run {
  enum Kind: UInt8 {
    /// Counted in the queue.
    case counted
    /// The announcement of a gap: in the stream, in no counter.
    case gap
    /// Given to a predecessor already, and given again because its event was not complete.
    case again
  }

  let segment: Segment
  var start: Int
  var end: Int
  var kind: Kind

  var count: Int { end - start }

  /// The sequence number of the first record.
  var sequence: UInt64 { segment.firstSequence + UInt64(start) }

  /// Bytes of the texts of some of its records.
  @inline(__always)
  func textBytes(_ range: Range<Int>) -> Int {
    if !segment.hasPayloads {
      return segment.offset(range.upperBound) - segment.offset(range.lowerBound)
    }
    return range.reduce(0) { $0 + Int(segment[$1].textLength) }
  }
}

/// How records look on a plugin's standard input.
public enum Encoding: Equatable, Sendable {
  /// Text and newline.
  case string
  /// 16 + size.
  case compact
  /// 8,986 bytes, padded with zeros.
  case fixed
}

extension Encoding {
  /// The bytes that some records of a segment take in the stream.
  @inline(__always)
  func size(_ segment: Segment, _ range: Range<Int>) -> Int {
    switch self {
    case .fixed: return range.count * 8986
    case .string:
      if !segment.hasPayloads {
        return segment.offset(range.upperBound) - segment.offset(range.lowerBound)
      }
    case .compact:
      if !segment.hasPayloads, !segment.hasBare, !segment.hasLong {
        // A header instead of the newline.
        return segment.offset(range.upperBound) - segment.offset(range.lowerBound)
          + 15 * range.count
      }
    }
    return range.reduce(0) { $0 + size(segment, segment[$1]) }
  }

  /// The bytes that one record takes in the stream.
  func size(_ segment: Segment, _ entry: Segment.Entry) -> Int {
    switch self {
    case .fixed: 8986
    case .string: Int(entry.textLength)
    case .compact: 16 + segment.binaryPayload(entry).count
    }
  }

  /// How many whole records, of those from `range.lowerBound` on, `bytes` bytes of the stream are,
  /// and what is left of the bytes then.
  func locate(_ segment: Segment, _ range: Range<Int>, bytes: Int) -> (index: Int, rest: Int) {
    if case .fixed = self {
      let whole = min(range.count, bytes / 8986)
      return (range.lowerBound + whole, bytes - whole * 8986)
    }
    // The first index whose end lies beyond `bytes`.
    var low = range.lowerBound
    var high = range.upperBound
    if segment.hasPayloads || segment.hasBare || segment.hasLong {
      var rest = bytes
      while low < high {
        let size = size(segment, segment[low])
        if size > rest { break }
        rest -= size
        low += 1
      }
      return (low, rest)
    }
    while low < high {
      let middle = (low + high) / 2
      if size(segment, range.lowerBound..<middle + 1) <= bytes {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return (low, bytes - size(segment, range.lowerBound..<low))
  }
}

extension Segment {
  /// What a binary plugin gets as a record's payload: as much as its protocol can carry.
  @inline(__always)
  func binaryPayload(_ entry: Entry) -> Range<Int> {
    let whole: Range<Int>
    if entry.hasPayload {
      whole = payload(entry)
    } else {
      whole = entry.offset + (entry.isBare ? Int(entry.bareOffset) : 0)..<entry.end - 1
    }
    return whole.lowerBound..<min(whole.upperBound, whole.lowerBound + BinaryHeader.maximumPayload)
  }
}
