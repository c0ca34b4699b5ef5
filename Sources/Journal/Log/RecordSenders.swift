/// Who sent the records that are put into the log next, where that is another host; a value.
///
/// Contract: records are noted in order, before they are appended, and forgotten when they were. Those
/// that come while the log is being opened are appended long after.
struct RecordSenders {
  private var runs: [(records: Range<RecordNumber>, sender: [UInt8])] = []

  var isEmpty: Bool { runs.isEmpty }

  mutating func note(_ sender: [UInt8], of record: RecordNumber) {
    let (last, end) = (runs.count - 1, record.advanced(by: 1))
    if last >= 0, runs[last].records.upperBound == record, runs[last].sender == sender {
      runs[last].records = runs[last].records.lowerBound..<end
    } else {
      runs.append((record..<end, sender))
    }
  }

  /// - Parameter place: where the last one was found; records are asked for in order.
  func sender(of record: RecordNumber, from place: inout Int) -> [UInt8]? {
    while place < runs.count, runs[place].records.upperBound <= record { place += 1 }
    guard place < runs.count, runs[place].records.contains(record) else { return nil }
    return runs[place].sender
  }

  /// Everything below that number was appended, or never will be.
  mutating func forget(below end: RecordNumber) {
    guard !runs.isEmpty else { return }
    runs.removeAll { $0.records.upperBound <= end }
  }
}
