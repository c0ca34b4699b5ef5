import AudispatchPlugin
import AuditRecord

/// Whether nothing in it would move a terminal.
private func isPlain(_ text: String) -> Bool {
  text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f..<0xa0).contains($0.value) }
}

/// Everything that can be made of a record's fields.
private func decode(_ event: AuditEvent) {
  for record in event.records {
    var scanner = FieldScanner(body: record.body, end: record.line.upperBound)
    var at = record.body
    while let field = scanner.next(event.bytes.span) {
      require(
        field.name.lowerBound >= at && field.value.lowerBound >= field.name.upperBound
          && field.value.upperBound <= record.line.upperBound, "\(field) behind \(at)")
      at = field.value.upperBound
      let raw = event.bytes[field.value]
      let decoded = event.decoded(field, of: record)
      require(decoded.count == raw.count || decoded.count * 2 == raw.count, "\(field)")
      if let bytes = Hex.decode(raw) {
        require(bytes.count * 2 == raw.count, "\(bytes)")
        if let address = SocketAddress(bytes) { require(isPlain(address.text), address.text) }
      }
      require(isPlain(SafeText.word(raw)) && isPlain(SafeText.line(raw)), "\(Array(raw))")
    }
  }
  let arguments = event.arguments() ?? []
  require(arguments.count <= 100_000, "\(arguments.count) arguments")
  require(arguments.reduce(0) { $0 + $1.count } <= event.bytes.count, "more than there is")
  _ = event.processTitle()
  require(event.ruleKeys().allSatisfy { !$0.contains(1) }, "a key with its separator")
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDecoders(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = unsafe Input(data, count)
  let isWhole = input.choice(below: 2) == 0
  var stream = RecordStream()
  var assembler = EventAssembler()
  let summary = EventSummary(zone: .utc)
  for line in input.bytes.split(separator: 0x0a).prefix(200) {
    // A line as it is, or as the fields of a record whose header is right.
    let head = Array("type=SYSCALL msg=audit(1700000000.123:7): ".utf8)
    _ = stream.fill(with: (isWhole ? [] : head) + line.prefix(16_000) + [0x0a])
    while stream.next(ended: false, { assembler.append($0, $1, type: $2, at: .zero) }) {}
  }
  assembler.finish()
  while let event = assembler.next() {
    decode(event)
    var summary = summary
    require(isPlain(summary.line(for: event)), "a line for a terminal")
  }
  return 0
}
