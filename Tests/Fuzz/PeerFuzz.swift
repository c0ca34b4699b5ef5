import RemoteProtocol

/// Every message that came out, in order, and what ended them.
private func read(_ pieces: [ArraySlice<UInt8>]) -> ([PeerMessage], PeerFault?) {
  var reader = PeerReader()
  var messages: [PeerMessage] = []
  for piece in pieces {
    reader.append(piece)
    do throws(PeerFault) {
      while let message = try reader.next() { messages.append(message) }
    } catch { return (messages, error) }
    require(
      reader.heldBytes < 16 + PeerReader.longestRecord, "\(reader.heldBytes) bytes of one message")
  }
  return (messages, nil)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPeer(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = unsafe Input(data, count)
  let whole = read([input.bytes])
  let split = read(input.pieces())
  require(whole.0 == split.0, "messages differ: \(whole.0.count), \(split.0.count)")
  // A fault's kind is told by the bytes that are there: of three there are fewer than of thirty.
  require((whole.1 == nil) == (split.1 == nil), "\(whole.1 as Any), \(split.1 as Any)")
  for message in whole.0 {
    let line = PeerText.line(message.payload)
    require(line.count <= max(PeerText.limit, message.payload.count), "a line of \(line.count)")
    require(line.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x1d }, "control characters")
    _ = PeerText.node(of: line)
    if let opening = Opening(payload: message.payload) {
      require(Opening(payload: opening.payload) == opening, "\(opening)")
    }
  }
  _ = ReceiverItem.all(in: input.bytes)
  _ = ReceiverOrder.all(in: input.bytes)
  return 0
}
