import AudispatchPlugin
import AuditRecord

/// The arguments of an exec with a NUL between them.
enum ExecArguments {
  static func kept(of event: AuditEvent) -> KeptArguments {
    plain(event) ?? KeptArguments(event.arguments() ?? [])
  }

  /// Nearly always each is one field, one behind another, with quotes; `nil` for any others.
  private static func plain(_ event: AuditEvent) -> KeptArguments? {
    let most = KnownProcess.mostArguments
    var all: [UInt8] = []
    all.reserveCapacity(128)
    var size = 0
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
        size += field.value.count + (next > 0 ? 1 : 0)
        next += 1
        guard all.count < most else { continue }
        if next > 1 { all.append(0) }
        unsafe bytes.extracting(field.value.prefix(most - all.count)).withUnsafeBufferPointer {
          unsafe all.append(contentsOf: $0)
        }
      }
    }
    return KeptArguments(kept: all, cut: size - all.count)
  }

  /// The number of an argument that is whole.
  private static func number(_ name: Range<Int>, _ bytes: borrowing Span<UInt8>) -> Int? {
    guard bytes[name.lowerBound] == 0x61 else { return nil }
    return ProcessEvent.number(bytes, name.lowerBound + 1..<name.upperBound)
  }
}
