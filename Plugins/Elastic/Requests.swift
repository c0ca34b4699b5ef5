import BulkIndexing
import HTTPClient
import Shipping

/// The requests that are made, as far as they do not depend on the host.
struct Requests {
  let options: ElasticOptions

  private func request(
    _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8]? = nil, on server: Int,
    type: String = "application/json", time: Duration? = nil
  ) -> HTTPRequest {
    var headers = ["Accept: application/json"]
    if body != nil { headers.append("Content-Type: \(type)") }
    return HTTPRequest(
      method, options.servers[server].text + path, headers: headers, body: body,
      time: time ?? options.patience.answerTime)
  }

  /// Only what is read of a bulk answer.
  private static let filter =
    "filter_path=items.*._index,items.*.status,items.*.error.type,items.*.error.reason"

  func bulk(
    _ documents: [QueuedDocument<some Comparable & Sendable>], on server: Int,
    time: Duration? = nil,
    refresh: Bool = false
  ) -> HTTPRequest {
    var body: [UInt8] = []
    body.reserveCapacity(documents.reduce(0) { $0 + $1.body.count + $1.id.count + 32 })
    for document in documents { BulkBody.append(document, options.operation, to: &body) }
    var path = "/\(options.name)/_bulk?\(Self.filter)"
    if let pipeline = options.pipeline { path += "&pipeline=\(pipeline)" }
    if refresh { path += "&refresh=true" }
    return bulk(path, body, on: server, time: time)
  }

  private func bulk(
    _ path: String, _ body: [UInt8], on server: Int, time: Duration? = nil
  ) -> HTTPRequest {
    var request = request(
      .post, path, body, on: server, type: "application/x-ndjson", time: time)
    request.compression = options.compression
    return request
  }

  /// Documents that no index takes, into the one for them.
  func refused(
    _ documents: [QueuedDocument<some Comparable & Sendable>], in index: String, on server: Int
  ) -> HTTPRequest {
    var body: [UInt8] = []
    for document in documents {
      BulkBody.appendRefused(document, wanted: options.name, to: &body)
    }
    return bulk("/\(index)/_bulk?\(Self.filter)", body, on: server)
  }

  func generations(on server: Int) -> HTTPRequest {
    request(
      .get,
      options.target == .dataStream ? "/_data_stream/\(options.name)" : "/_alias/\(options.name)",
      on: server)
  }

  func lookUp(_ ids: [[UInt8]], in indices: [[UInt8]], on server: Int) -> HTTPRequest {
    request(
      .post, "/_mget?_source=false&filter_path=docs.found,docs._id,docs.error.type",
      BulkBody.lookUp(ids, in: indices), on: server)
  }

  func plain(
    _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, on server: Int
  ) -> HTTPRequest {
    request(method, path, body.map { Array($0.utf8) }, on: server)
  }
}
