import AuditRecord

/// Takes secrets out of events: of the arguments of programs, where EXECVE, PROCTITLE and USER_CMD
/// have them. Everything else stays byte for byte as it was.
public struct EventRedactor {
  private typealias Change = (range: Range<Int>, text: [UInt8])

  private let finder: SecretFinder
  /// Events of which something was taken out.
  public private(set) var count = 0

  public init(_ finder: SecretFinder) { self.finder = finder }

  public mutating func redact(_ event: AuditEvent) -> AuditEvent {
    let changes = (arguments(event) + titles(event) + commands(event)).sorted {
      $0.range.lowerBound < $1.range.lowerBound
    }
    guard !changes.isEmpty else { return event }
    count += 1
    return apply(changes, to: event)
  }

  private func apply(_ changes: [Change], to event: AuditEvent) -> AuditEvent {
    var result = event
    var bytes: [UInt8] = []
    bytes.reserveCapacity(event.bytes.count)
    var records: [EventRecord] = []
    var rest = changes[...]
    for record in event.records {
      let base = bytes.count
      var at = record.line.lowerBound
      while let change = rest.first, change.range.upperBound <= record.line.upperBound {
        bytes += event.bytes[at..<change.range.lowerBound]
        bytes += change.text
        at = change.range.upperBound
        rest = rest.dropFirst()
      }
      bytes += event.bytes[at..<record.line.upperBound]
      records.append(record.moved(to: base, count: bytes.count - base))
    }
    result.bytes = bytes
    result.records = records
    return result
  }

  private func arguments(_ event: AuditEvent) -> [Change] {
    guard let arguments = event.arguments(), let redacted = finder.redacted(arguments) else {
      return []
    }
    var changes: [Change] = []
    var written: Set<Int> = []
    for record in event.records where record.type == .execve {
      for field in event.fields(of: record) where field.section == .record {
        guard let number = Self.number(event.bytes[field.name]), number < arguments.count,
          arguments[number] != redacted[number]
        else { continue }
        // The first part of an argument in parts has all of it.
        let text = written.insert(number).inserted ? Self.encoded(redacted[number]) : [0x22, 0x22]
        changes.append((Self.whole(field), text))
      }
    }
    return changes
  }

  private func titles(_ event: AuditEvent) -> [Change] {
    var changes: [Change] = []
    for record in event.records where record.type == .proctitle {
      guard let field = event.field("proctitle", of: record) else { continue }
      let title = event.decoded(field, of: record)
      let words = title.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
      guard let redacted = finder.redacted(words) else { continue }
      changes.append((Self.whole(field), Self.encoded(Array(redacted.joined(separator: [0])))))
    }
    return changes
  }

  /// The command line of sudo and of logins, which is one text.
  private func commands(_ event: AuditEvent) -> [Change] {
    var changes: [Change] = []
    for record in event.records where record.type != .execve && record.type != .proctitle {
      for field in event.fields(of: record)
      where field.section == .message && event.bytes[field.name].elementsEqual("cmd".utf8) {
        guard let redacted = finder.redacted([event.decoded(field, of: record)]) else { continue }
        changes.append((Self.whole(field), Self.encoded(redacted[0])))
      }
    }
    return changes
  }

  private static func number(_ name: ArraySlice<UInt8>) -> Int? {
    guard name.first == UInt8(ascii: "a") else { return nil }
    return Digits.value(name.dropFirst().prefix { $0 != UInt8(ascii: "[") })
  }

  /// A value with its quotes.
  private static func whole(_ field: Field) -> Range<Int> {
    field.quoting == .none
      ? field.value : field.value.lowerBound - 1..<field.value.upperBound + 1
  }

  /// As the kernel writes it: in quotes, or in hexadecimal where it is not plain.
  private static func encoded(_ text: [UInt8]) -> [UInt8] {
    if text.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x22 }) { return [0x22] + text + [0x22] }
    var hex: [UInt8] = []
    hex.reserveCapacity(text.count * 2)
    for byte in text {
      for digit in [byte >> 4, byte & 15] { hex.append(digit < 10 ? 0x30 + digit : 0x37 + digit) }
    }
    return hex
  }
}
