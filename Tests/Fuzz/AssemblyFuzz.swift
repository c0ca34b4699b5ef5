import AudispatchPlugin
import AuditRecord

/// Puts whatever comes together, in small bounds, and holds it to what an assembler promises: each
/// record is in one event, with its own kind, as it came.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAssembly(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = unsafe Input(data, count)
  var limits = EventAssembler.Limits()
  limits.events = 1 + input.choice(below: 20)
  limits.bytes = 100 + input.choice(below: 20_000)
  limits.eventBytes = 100 + input.choice(below: 5_000)
  var stream = RecordStream()
  var assembler = EventAssembler(limits: limits)
  var bytesIn = 0
  var recordsOut = 0
  var bytesOut = 0
  var now = Duration.zero

  func takeEvents() {
    while let event = assembler.next() {
      require(!event.records.isEmpty, "an event without records")
      bytesOut += event.bytes.count
      recordsOut += event.records.count
      var end = 0
      for record in event.records {
        require(record.line.lowerBound == end, "a gap before \(record)")
        end = record.line.upperBound
        require(record.stamp == event.stamp, "\(record.stamp) in \(event.stamp)")
        require(record.body >= record.line.lowerBound && record.body <= end, "\(record)")
        require(record.line.contains(record.typeName.lowerBound), "\(record)")
        require(!event.bytes[record.line].contains { $0 == 0 || $0 == 0x0a }, "no line")
      }
      require(end == event.bytes.count, "bytes behind the last record")
    }
    require(assembler.openEvents <= limits.events, "too many open events")
  }
  func takeRecords(ended: Bool) {
    while stream.next(
      ended: ended,
      { line, header, type in
        if type != .endOfEvent { bytesIn += line.count }
        let isIn = assembler.append(line, header, type: type, at: now)
        if type == .endOfEvent, isIn { bytesIn += line.count }
      })
    {
      takeEvents()
    }
  }

  for piece in input.pieces() {
    var rest = piece
    while !rest.isEmpty {
      rest = rest.dropFirst(stream.fill(with: rest))
      takeRecords(ended: false)
    }
    now += .milliseconds(input.choice(below: 400))
    _ = assembler.expire(at: now)
    takeEvents()
  }
  takeRecords(ended: true)
  assembler.finish()
  takeEvents()
  require(assembler.openEvents == 0, "left open")
  require(recordsOut + assembler.strayEnds == stream.records, "\(recordsOut) of \(stream.records)")
  require(bytesOut == bytesIn, "\(bytesOut) bytes of \(bytesIn)")
  return 0
}
