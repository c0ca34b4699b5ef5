public import HTTPClient
public import Linux
public import Shipping

/// Requests of a command, one after another, to the first server that answers.
public struct Exchange: Sendable {
  private let client: HTTPClient
  private let servers: [ServerURL]

  public init(_ servers: [ServerURL], _ settings: HTTPSettings) throws(SystemError) {
    client = try HTTPClient(settings)
    self.servers = servers
  }

  public struct Answer: Sendable {
    public let status: Int
    public let body: [UInt8]
    public var isGood: Bool { (200..<300).contains(status) }
  }

  /// - Parameter make: makes the request for the server of that place among them.
  public func ask(_ make: (Int) -> HTTPRequest) throws(CommandFailure) -> Answer {
    var reasons: [String] = []
    for server in servers.indices {
      switch ask(make(server)) {
      case .status(let status, let body, _): return Answer(status: status, body: body)
      case .failed(let reason, _): reasons.append("\(servers[server].text): \(reason)")
      }
    }
    throw CommandFailure(description: reasons.joined(separator: "; "))
  }

  private func ask(_ request: HTTPRequest) -> HTTPAnswer {
    client.send(request, number: 0)
    while true {
      if let answer = client.takeAnswers().first?.answer { return answer }
      _ = Poll.wait(client.number, for: .read, milliseconds: -1)
    }
  }

  public func stop() { client.stop() }
}
