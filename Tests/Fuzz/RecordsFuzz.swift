import AuditRecord

/// One step of the reader, with the bytes themselves in place of their positions.
private enum Read: Equatable {
  case record(RecordFrame.Form, type: UInt32, payload: [UInt8])
  case malformed(MalformedInput)
}

/// Feeds the pieces to a reader as the daemon does: what was not consumed comes again.
private func read(_ pieces: [ArraySlice<UInt8>], framing: RecordReader.Framing) -> [Read] {
  var reader = RecordReader(framing: framing)
  var result: [Read] = []
  var buffer: [UInt8] = []
  for index in 0...pieces.count {
    let ended = index == pieces.count
    if !ended { buffer += pieces[index] }
    var position = 0
    var steps = 0
    reading: while true {
      steps += 1
      require(steps < buffer.count * 2 + 16, "the reader does not get on")
      let before = position
      let step = reader.next(buffer.span, &position, ended: ended)
      require((before...buffer.count).contains(position), "position out of range")
      switch step {
      case .record(let frame):
        require(
          before <= frame.payload.lowerBound && frame.payload.upperBound <= position,
          "payload out of range")
        checkHeader(buffer[frame.payload])
        result.append(
          .record(frame.form, type: frame.type, payload: Array(buffer[frame.payload])))
      case .malformed(let kind, let sample):
        require(
          0 <= sample.lowerBound && sample.upperBound <= buffer.count, "sample out of range")
        result.append(.malformed(kind))
      case .needsMore:
        break reading
      }
    }
    if ended { require(position == buffer.count, "bytes left at the end") }
    if buffer.count - position >= RecordReader.lookahead {
      require(ended, "the reader waits although it has its lookahead")
    }
    buffer.removeFirst(position)
  }
  return result
}

/// Costly to make, and to be the same whatever it was asked before.
private nonisolated(unsafe) var names = TypeNames()

/// What the scanner finds lies within the record.
private func checkHeader(_ record: ArraySlice<UInt8>) {
  let line = Array(record)
  guard let header = RecordHeader(line.span) else { return }
  require(header.body <= line.count, "body out of range")
  require(header.typeName.upperBound < header.body, "type out of range")
  if let node = header.node {
    require(node.upperBound < header.typeName.lowerBound, "node out of range")
  }
  let number = names.number(of: line.span.extracting(header.typeName))
  require(number == names.number(of: line.span.extracting(header.typeName)), "two types")
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRecords(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = unsafe Input(data, count)
  let framing = [RecordReader.Framing.undecided, .undecided, .compact, .fixed][
    input.choice(below: 4)]
  let whole = read([input.bytes], framing: framing)
  let split = read(input.pieces(), framing: framing)
  require(whole == split, "whole: \(whole)\nsplit: \(split)")
  checkHeader(input.bytes)
  return 0
}
