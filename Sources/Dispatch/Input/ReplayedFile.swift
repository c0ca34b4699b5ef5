import AuditRecord

/// What came of a file that was read to its end.
struct ReplayedFile: Equatable {
  let name: String
  /// What a source had counted when the file was opened, and then of this file alone.
  var records: UInt64
  var malformed: [UInt64]
  /// Why what stands between it and us gave not all of it.
  var failure: String?
  /// The program that would unpack it.
  var unpacker: String?

  /// Takes the counts at its end; those at its beginning go off them.
  mutating func end(records: UInt64, malformed: [UInt64], failure: String?) {
    self.records = records - self.records
    self.malformed = zip(malformed, self.malformed).map { $0 - $1 }
    self.failure = failure
  }

  /// Whether something is not given that it had, or should have had.
  var isIncomplete: Bool {
    records == 0 || failure != nil
      || [.badHeader, .unknownVersion, .truncated, .lineTooLong].contains { malformed[$0] > 0 }
  }

  /// What there is to say; `nil` when every line was a record.
  var message: String? {
    let lines = malformed[.notARecord]
    var parts: [String] = []
    if records == 0 {
      parts.append("no record is in it")
      if malformed.allSatisfy({ $0 == 0 }), failure == nil { parts.append("it is empty") }
    }
    if let failure { parts.append("not all of it could be read: \(failure)") }
    if lines > 0 {
      let all = records > 0 ? " of \(lines + records)" : ""
      parts.append(
        lines == 1 ? "1\(all) lines is no record" : "\(lines)\(all) lines are no records")
    }
    for kind in MalformedInput.allCases where kind != .notARecord && malformed[kind] > 0 {
      let times = malformed[kind]
      parts.append("\(kind.rawValue): \(times == 1 ? "once" : "\(times) times")")
    }
    guard !parts.isEmpty else { return nil }
    if let unpacker, records == 0 { parts.append("unpack it with '\(unpacker)' first") }
    return "\(name): \(parts.joined(separator: "; "))"
  }
}
