import AudispatchPlugin
import EventDocument
import Glibc
import HTTPShipping
import Linux
import Shipping

/// `test`: sends one record to each server.
struct TestRecord {
  let options: OtlpOptions

  func run() throws {
    for server in options.servers.indices { try send(to: server) }
  }

  private func send(to server: Int) throws {
    let exchange = try Exchange([options.servers[server]], options.http)
    defer { exchange.stop() }
    let now = WallClock.milliseconds
    let id = "audispatch-otlp-test:\(now):\(getpid())"
    let node = options.document.node ?? (try? NodeName.resolve(.hostname, name: nil)) ?? ""
    let time = UInt64(clamping: now) * 1_000_000
    let record = LogRecord(
      time: time, observed: time, severity: .info,
      body: .text(Array("a test by audispatch-otlp".utf8)),
      attributes: [("event.id", .text(id))])
    let group = ResourceGroup(node: node, records: [options.encoding.record(record)])
    let answer = try exchange.ask { _ in options.request(options.encoding, [group], on: server) }
    let url = options.servers[server].text
    switch ExportFate(status: answer.status, body: answer.body, retryAfter: nil) {
    case .taken(0, let message):
      try Spoken.line("\(url) has taken \(id)\(message.isEmpty ? "" : ": \(message)")")
    case .taken(_, let reason), .later(let reason, _, _), .split(let reason, _):
      throw CommandFailure(description: "\(url) does not take it: \(reason)")
    }
  }
}
