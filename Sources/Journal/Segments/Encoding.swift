import AuditRecord

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

extension Encoding {
  /// Puts binary records into `scratch`, some 64 KiB of them.
  ///
  /// - Returns: how many.
  func encode(_ run: Run, into scratch: inout [UInt8]) -> Int {
    scratch.removeAll(keepingCapacity: true)
    var index = run.start
    while index < run.end, scratch.count < 64 << 10 {
      let entry = run.segment[index]
      let payload = run.segment.binaryPayload(entry)
      let header = SIMD4<UInt32>(entry.isBare ? 0 : 1, 16, entry.type, UInt32(payload.count))
      unsafe withUnsafeBytes(of: header) { unsafe scratch.append(contentsOf: $0) }
      unsafe run.segment.withBytes(payload) { unsafe scratch.append(contentsOf: $0) }
      if case .fixed = self {
        scratch.append(contentsOf: repeatElement(0, count: 8970 - min(payload.count, 8970)))
      }
      index += 1
    }
    return index - run.start
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
