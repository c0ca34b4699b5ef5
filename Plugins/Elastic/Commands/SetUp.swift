import BulkIndexing
import HTTPClient
import HTTPShipping
import Linux
import Shipping

/// `setup`: makes what documents are stored in, as far as it is not there.
struct SetUp {
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
    let version = try ServerVersion(
      try exchange.demand("ask the server what it is") { requests.plain(.get, "/", on: $0) }.body)
    try Spoken.line("the server is \(version.description)")
    if version.flatType == nil {
      try Spoken.line("it has no type for auditd.data: its values are kept, and not searched")
    }
    if let pipeline = options.pipeline { try makePipeline(pipeline) }
    switch options.target {
    case .dataStream: try makeDataStream(version)
    case .index:
      try makeIndex(
        options.name,
        "{\"settings\":\(IndexMapping.settings),\"mappings\":\(IndexMapping.mappings(for: version))}"
      )
    }
    if let index = options.refusedIndex { try makeIndex(index, IndexMapping.refused) }
  }

  /// One that is there stays as it is: it may be somebody's own.
  private func makePipeline(_ name: String) throws {
    let path = "/_ingest/pipeline/\(name)"
    if try exchange.ask({ requests.plain(.get, path, on: $0) }).isGood {
      return try Spoken.line("the pipeline \(name) is there, and stays as it is")
    }
    _ = try exchange.demand("put the pipeline \(name)") {
      requests.plain(.put, path, IndexMapping.pipeline, on: $0)
    }
    try Spoken.line("the pipeline \(name) is made")
  }

  private func makeDataStream(_ version: ServerVersion) throws {
    guard version.hasDataStreams else {
      throw CommandFailure(description: "\(version.description) has no data streams; set index")
    }
    let name = options.name
    _ = try exchange.demand("put the index template \(name)") {
      requests.plain(
        .put, "/_index_template/\(name)",
        IndexMapping.template(for: name, version, pipeline: nil), on: $0)
    }
    try Spoken.line("the index template \(name) is put")
    if try exchange.ask({ requests.generations(on: $0) }).isGood {
      return try Spoken.line(
        "the data stream \(name) is there; the template counts from its next index on")
    }
    _ = try exchange.demand("make the data stream \(name)") {
      requests.plain(.put, "/_data_stream/\(name)", on: $0)
    }
    try Spoken.line("the data stream \(name) is made")
  }

  private func makeIndex(_ name: String, _ body: String) throws {
    if try exchange.ask({ requests.plain(.head, "/\(name)", on: $0) }).isGood {
      return try Spoken.line("the index \(name) is there, and stays as it is")
    }
    _ = try exchange.demand("make the index \(name)") {
      requests.plain(.put, "/\(name)", body, on: $0)
    }
    try Spoken.line("the index \(name) is made")
  }
}
