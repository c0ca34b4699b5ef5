import BulkIndexing
import HTTPClient
import Linux

/// Why a command could not do its work.
struct CommandFailure: Error, CustomStringConvertible {
  let description: String
}

/// Requests of a command, one after another, to the first server that answers.
struct Exchange {
  let requests: Requests
  private let client: HTTPClient
  private let servers: [ServerURL]

  init(_ options: ElasticOptions) throws(SystemError) {
    requests = Requests(options: options)
    client = try HTTPClient(options.http)
    servers = options.servers
  }

  struct Answer {
    let status: Int
    let body: [UInt8]
    var isGood: Bool { (200..<300).contains(status) }
    /// The server's reason.
    var reason: String {
      guard let error = BulkAnswer.error(of: body) else { return "status \(status)" }
      return "status \(status): "
        + [error.type, error.reason].filter { !$0.isEmpty }.joined(separator: ": ")
    }
  }

  func ask(_ make: (Int) -> HTTPRequest) throws(CommandFailure) -> Answer {
    var reasons: [String] = []
    for server in servers.indices {
      switch ask(make(server)) {
      case .status(let status, let body, _): return Answer(status: status, body: body)
      case .failed(let reason, _): reasons.append("\(servers[server].text): \(reason)")
      }
    }
    throw CommandFailure(description: reasons.joined(separator: "; "))
  }

  /// The answer to a request that has to succeed.
  func demand(
    _ what: String, _ make: (Int) -> HTTPRequest
  ) throws(CommandFailure) -> Answer {
    let answer = try ask(make)
    guard answer.isGood else {
      throw CommandFailure(description: "cannot \(what): \(answer.reason)")
    }
    return answer
  }

  private func ask(_ request: HTTPRequest) -> HTTPAnswer {
    client.send(request, number: 0)
    while true {
      if let answer = client.takeAnswers().first?.answer { return answer }
      _ = Poll.wait(client.number, for: .read, milliseconds: -1)
    }
  }

  func stop() { client.stop() }
}

/// What a command says.
enum Spoken {
  static func line(_ text: String) throws(Errno) {
    try Transfer.writeAll(1, Array("\(text)\n".utf8))
  }
}
