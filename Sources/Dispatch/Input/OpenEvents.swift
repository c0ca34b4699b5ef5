import AuditRecord
import Journal

/// Which events have begun in what waits to be written, and have not ended in it: of the last 16 that
/// began. Those before are not waited for.
struct OpenEvents {
  private var events = SIMD16<UInt32>()
  private var areOpen = SIMDMask<SIMD16<Int32>>()
  private var next = 0

  var isEmpty: Bool { !any(areOpen) }

  /// What waited was written.
  mutating func forget() { areOpen = SIMDMask() }

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
    case .end: areOpen .&= .!(events .== event)
    case .member, .proctitle:
      guard !any((events .== event) .& areOpen) else { return }
      events[next] = event
      areOpen[next] = true
      next = (next + 1) % events.scalarCount
    }
  }
}
