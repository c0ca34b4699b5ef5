import AudispatchPlugin
import BulkIndexing
import EventDocument
import Glibc
import HTTPClient
import HTTPShipping
import Linux
import Shipping

/// `test`: stores one document and reads it back.
struct TestDocument {
  private let options: ElasticOptions
  private let requests: Requests
  private let exchange: Exchange

  init(_ options: ElasticOptions) throws(SystemError) {
    self.options = options
    requests = Requests(options: options)
    exchange = try Exchange(options)
  }

  func run() throws {
    defer { exchange.stop() }
    let now = WallClock.milliseconds
    let id = Array("audispatch-elastic-test:\(now):\(getpid())".utf8)
    var queue = BulkQueue<Int>(delay: options.patience.delay)
    queue.append(
      1, id: id, body: document(id, now), milliseconds: UInt64(max(now, 0)), at: .zero)
    let sent = [queue[0]]
    let answer = try exchange.demand("store a document in \(options.name)") {
      requests.bulk(sent, on: $0, refresh: true)
    }
    guard let item = (try? BulkAnswer(answer.body))?.items.first else {
      throw CommandFailure(description: "the answer is none to a bulk request")
    }
    guard item.status < 300 else {
      throw CommandFailure(
        description: "the document is refused: status \(item.status): \(item.errorType): "
          + item.reason)
    }
    let index = item.index.isEmpty ? options.name : String(decoding: item.index, as: UTF8.self)
    try Spoken.line("stored in \(index)")
    let text = String(decoding: id, as: UTF8.self)
    let read = try exchange.demand("read the document back") {
      requests.plain(.get, "/\(index)/_doc/\(text)", on: $0)
    }
    guard try isFound(read.body) else {
      throw CommandFailure(description: "the document is not there when it is read back")
    }
    try Spoken.line("read back: \(text)")
  }

  private func document(_ id: [UInt8], _ now: Int64) -> [UInt8] {
    let host = (try? NodeName.resolve(.hostname, name: nil)) ?? ""
    var body = Array("{\"@timestamp\":\(now),\"event\":{\"id\":\"".utf8)
    body += id
    body += "\",\"kind\":\"event\",\"module\":\"auditd\"},\"host\":{\"name\":".utf8
    JSONString.append(host, to: &body)
    body += "},\"message\":\"a test by audispatch-elastic\"}".utf8
    return body
  }

  private func isFound(_ body: [UInt8]) throws -> Bool {
    var isFound = false
    var reader = JSONReader(body)
    try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
      if name.elementsEqual("found".utf8) {
        isFound = try reader.boolean()
      } else {
        try reader.skip()
      }
    }
    return isFound
  }
}
