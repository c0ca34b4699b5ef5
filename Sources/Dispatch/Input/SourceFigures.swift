import AuditRecord

/// What is counted of a source: over the deaths of processes, and of what other hosts sent, too.
///
/// Contract: what is the source's own is never below 0. `made` never goes down; what is the source's
/// own does, after a death, when it becomes known how much was other hosts'.
struct SourceFigures: Equatable {
  private(set) var records: UInt64 = 0
  private(set) var bytes: UInt64 = 0
  /// By kind, in the order of `MalformedInput.allCases`.
  private(set) var malformed = [UInt64](repeating: 0, count: MalformedInput.allCases.count)
  /// Records that this process has made of this source's bytes; a successor begins with 0.
  private(set) var made: UInt64 = 0

  private var foreignRecords: UInt64 = 0
  private var foreignBytes: UInt64 = 0
  private var foreignMalformed: UInt64 = 0

  init() {}

  /// Goes on with what a predecessor had counted.
  init(of predecessor: Predecessor) {
    records = predecessor.records
    bytes = predecessor.bytes
    malformed = Array(predecessor.malformed.prefix(malformed.count))
  }

  var malformedTotal: UInt64 { malformed.reduce(0, +) }

  var ownRecords: UInt64 { records - foreignRecords }
  var ownBytes: UInt64 { bytes - foreignBytes }
  var ownMalformed: UInt64 { malformedTotal - foreignMalformed }

  mutating func noteRead(bytes count: Int) { bytes += UInt64(count) }

  mutating func noteMade(records count: Int) {
    records += UInt64(count)
    made += UInt64(count)
  }

  mutating func noteSkipped(_ kind: MalformedInput) { malformed[kind] += 1 }

  /// A record that another host sent.
  mutating func noteForeign(bytes count: Int) {
    records += 1
    foreignRecords += 1
    bytes += UInt64(count)
    foreignBytes += UInt64(count)
  }

  mutating func noteForeignSkipped(_ kind: MalformedInput) {
    malformed[kind] += 1
    foreignMalformed += 1
  }

  /// So much of what a predecessor counted was other hosts', or all of it: it may have died before it
  /// published the last.
  mutating func adoptForeign(records: UInt64, bytes: UInt64, malformed: UInt64) {
    foreignRecords = min(records, self.records)
    foreignBytes = min(bytes, self.bytes)
    foreignMalformed = min(malformed, malformedTotal)
  }
}

/// Counts by kind of malformed input.
extension [UInt64] {
  subscript(kind: MalformedInput) -> UInt64 {
    get { self[MalformedInput.allCases.firstIndex(of: kind) ?? 0] }
    set { self[MalformedInput.allCases.firstIndex(of: kind) ?? 0] = newValue }
  }
}
