import AuditRecord

/// Which event each record belongs to, found the slow way: everything parsed, nothing remembered
/// but the events themselves.
private struct PlainScanner {
  private struct Key: Hashable {
    var stamp: [UInt64]
    var node: [UInt8]?
  }

  private var events: [Key: UInt64] = [:]
  private var next: UInt64 = 0

  mutating func note(_ record: [UInt8], form: RecordFrame.Form) -> (event: UInt64, isFirst: Bool) {
    var key: Key?
    if form == .bare {
      var position = 0
      if let stamp = RecordStamp(record.span, at: &position) {
        key = Key(stamp: [stamp.milliseconds, stamp.serial], node: nil)
      }
    } else if let header = RecordHeader(record.span) {
      key = Key(
        stamp: [header.stamp.milliseconds, header.stamp.serial],
        node: header.node.map { Array(record[$0]) })
    }
    if let key, let event = events[key] { return (event, false) }
    if let key { events[key] = next }
    next += 1
    return (next - 1, true)
  }
}

/// Calls `body` with the bytes at the very end of an allocation, so that a read past them is seen.
private func withExactSpan<Result>(
  _ bytes: [UInt8], _ body: (Span<UInt8>) -> Result
) -> Result {
  let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
  defer { unsafe memory.deallocate() }
  _ = unsafe memory.initialize(from: bytes)
  return unsafe body(UnsafeBufferPointer(memory).span)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzEvents(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = unsafe Input(data, count)
  var scanner = EventScanner()
  var plain = PlainScanner()
  // Fewer events than the scanner remembers.
  for line in input.bytes.split(separator: 0x0a).prefix(4000) {
    let record = Array(line)
    let form: RecordFrame.Form =
      record.starts(with: "audit(".utf8) ? .bare : input.choice(below: 2) == 0 ? .line : .finished
    let expected = plain.note(record, form: form)
    var type: UInt32 = 1300
    let mark = withExactSpan(record) { scanner.note($0, form: form, type: &type) }
    require(
      mark.event == expected.event && mark.isFirst == expected.isFirst,
      "\(mark), not \(expected): \(String(decoding: line, as: UTF8.self))")
  }
  return 0
}
