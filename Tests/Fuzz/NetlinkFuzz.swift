import AuditRecord

private struct Message: Equatable {
  var type: UInt16
  var text: [UInt8]
}

/// Everything that came out, in order, and the bytes that were skipped.
private func read(_ pieces: [ArraySlice<UInt8>]) -> ([Message], [NetlinkReader.Malformed]) {
  var reader = NetlinkReader()
  var messages: [Message] = []
  var malformed: [NetlinkReader.Malformed] = []
  for piece in pieces {
    reader.read(
      Array(piece).span, record: { messages.append(Message(type: $0, text: copy($1))) },
      malformed: { malformed.append($0) })
  }
  reader.finish(
    record: { messages.append(Message(type: $0, text: copy($1))) },
    malformed: { malformed.append($0) })
  return (messages, malformed)
}

private func copy(_ span: Span<UInt8>) -> [UInt8] {
  span.indices.map { span[$0] }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzNetlink(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = unsafe Input(data, count)
  let whole = read([input.bytes])
  let split = read(input.pieces())
  require(whole.0 == split.0, "records differ: \(whole.0.count), \(split.0.count)")
  require(whole.1 == split.1, "faults differ:\nwhole: \(whole.1)\nsplit: \(split.1)")
  let skipped = whole.1.reduce(0) { $0 + $1.byteCount }
  let taken = whole.0.reduce(0) { $0 + 16 + $1.text.count }
  require(skipped + taken <= input.bytes.count, "more came out than went in")
  return 0
}
