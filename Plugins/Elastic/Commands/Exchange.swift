import BulkIndexing
import HTTPClient
import HTTPShipping
import Linux
import Shipping

extension Exchange {
  init(_ options: ElasticOptions) throws(SystemError) {
    try self.init(options.servers, options.http)
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
}

extension Exchange.Answer {
  /// The server's reason.
  var reason: String {
    guard let error = BulkAnswer.error(of: body) else { return "status \(status)" }
    return "status \(status): "
      + [error.type, error.reason].filter { !$0.isEmpty }.joined(separator: ": ")
  }
}
