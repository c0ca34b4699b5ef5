import AuditRecord
import Journal

/// Which events have begun in what waits to be written, and have not ended in it.
struct OpenEvents {
  /// Of more events the first ones are not waited for.
  private static let most = 16

  private var events: [UInt32] = []

  var isEmpty: Bool { events.isEmpty }

  /// What waited was written.
  mutating func forget() { events.removeAll(keepingCapacity: true) }

  mutating func note(_ batch: Journal.Batch) {
    for slice in batch.slices {
      for index in slice.start..<slice.end {
        let entry = slice.segment[index]
        note(entry.event, EventRole(RecordType(rawValue: entry.type)))
      }
    }
  }

  /// - Parameter event: the low bits of its number.
  mutating func note(_ event: UInt32, _ role: EventRole) {
    switch role {
    case .single: break
    case .end: events.removeAll { $0 == event }
    case .member, .proctitle:
      guard !events.contains(event) else { return }
      if events.count == Self.most { events.removeFirst() }
      events.append(event)
    }
  }
}
