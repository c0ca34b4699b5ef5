/// Who sent the records that are put into the log next, where that is another host; a value.
///
/// Contract: records are noted in order, before they are appended, and forgotten when they were.
struct RecordSenders {
  /// Each from its record on, until the next.
  private var runs: [(first: RecordNumber, sender: [UInt8])] = []

  var isEmpty: Bool { runs.isEmpty }

  mutating func note(_ sender: [UInt8], of record: RecordNumber) {
    if let last = runs.last, last.sender == sender { return }
    runs.append((record, sender))
  }

  /// - Parameter place: where the last one was found; records are asked for in order.
  func sender(of record: RecordNumber, from place: inout Int) -> [UInt8]? {
    while place + 1 < runs.count, runs[place + 1].first <= record { place += 1 }
    guard place < runs.count, runs[place].first <= record else { return nil }
    return runs[place].sender
  }

  mutating func forget() { runs.removeAll(keepingCapacity: true) }
}
