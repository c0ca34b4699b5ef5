import BulkIndexing

/// Reads a server's answer in every way in which one is read. Whatever it is, each reader ends, and
/// a batch has as many fates as documents, or none.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBulkAnswer(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = unsafe Input(data, count)
  let body = Array(input.bytes)
  _ = BulkAnswer.error(of: body)
  let isValid = isJSON(body)
  require(isValid || !isAnswer(body), "an answer that is no JSON")
  let documents = 1 + input.choice(below: 4)
  let doubts = (0..<documents).map { _ in
    input.choice(below: 2) == 0 ? Doubt.none : .possible(since: [])
  }
  var turn = BatchTurn(
    input.choice(below: 2) == 0 ? .dataStream : .index,
    shapes: doubts.map { _ in .whole }, doubts: doubts)
  let step = RefusedStep(
    .status(200, body: body, retryAfter: nil), count: documents,
    hasFile: input.choice(below: 2) == 0)
  if case .fates(let fates) = step {
    require(fates.count == documents, "\(fates.count) fates for \(documents) refused documents")
  }
  let statuses = [200, 201, 400, 404, 413, 429, 500]
  // The same answer to each request of the batch.
  var left = documents
  for _ in 0..<4 {
    let status = statuses[input.choice(below: statuses.count)]
    switch turn.take(.status(status, body: body, retryAfter: nil)) {
    case .proceed: continue
    case .found(let isThere):
      require(isThere.count == left, "\(isThere.count) were looked for, not \(left)")
      left = isThere.count { !$0 }
      if left == 0 { return 0 }
    case .fates(let fates):
      require(fates.count == left, "\(fates.count) fates for \(left) documents")
      return 0
    case .giveBack, .split: return 0
    }
  }
  return 0
}

private func isJSON(_ body: [UInt8]) -> Bool {
  var reader = JSONReader(body)
  do throws(JSONFault) {
    try reader.skip()
    try reader.end()
    return true
  } catch { return false }
}

private func isAnswer(_ body: [UInt8]) -> Bool {
  (try? BulkAnswer(body)) != nil || (try? LookUpAnswer(body)) != nil
    || (try? IndexGenerations(dataStream: body)) != nil
    || (try? IndexGenerations(alias: body)) != nil
}
