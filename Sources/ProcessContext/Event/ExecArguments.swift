import AudispatchPlugin
import AuditRecord

/// The arguments of an exec with a NUL between them.
enum ExecArguments {
  /// As far as they are kept: at most so many bytes.
  static func joined(of event: AuditEvent, most: Int) -> [UInt8] {
    plain(event, most) ?? joined(event.arguments() ?? [], most)
  }

  /// Nearly always each is one field, one behind another, with quotes; `nil` for any others.
  private static func plain(_ event: AuditEvent, _ most: Int) -> [UInt8]? {
    var all: [UInt8] = []
    all.reserveCapacity(128)
    let bytes = event.bytes.span
    var next = 0
    for record in event.records where record.type == .execve {
      var scanner = FieldScanner(body: record.body, end: record.line.upperBound)
      while let field = scanner.next(bytes) {
        if field.section == .enrichment { break }
        if field.key == NameKey("argc") { continue }
        guard field.section == .record, field.quoting == .double,
          number(field.name, bytes) == next
        else { return nil }
        next += 1
        guard all.count < most else { continue }
        if !all.isEmpty { all.append(0) }
        unsafe bytes.extracting(field.value.prefix(most - all.count)).withUnsafeBufferPointer {
          unsafe all.append(contentsOf: $0)
        }
      }
    }
    return all
  }

  /// The number of an argument that is whole.
  private static func number(_ name: Range<Int>, _ bytes: borrowing Span<UInt8>) -> Int? {
    guard bytes[name.lowerBound] == 0x61 else { return nil }
    return ProcessEvent.number(bytes, name.lowerBound + 1..<name.upperBound)
  }

  private static func joined(_ arguments: [[UInt8]], _ most: Int) -> [UInt8] {
    var all: [UInt8] = []
    all.reserveCapacity(min(arguments.reduce(0) { $0 + $1.count + 1 }, most))
    for argument in arguments {
      if !all.isEmpty { all.append(0) }
      all += argument.prefix(most - all.count)
      if all.count >= most { break }
    }
    return all
  }
}
