import Shipping

/// `test`: stores one message and reads it back.
struct TestMessage {
  let options: NatsOptions

  func run() throws {
    let client = try StreamClient.connected(options)
    defer { client.close() }
    let message = options.testMessage(by: "audispatch-nats")
    let (published, numbers) = client.publish([message])
    switch published.fates[0] {
    case .stored: try Spoken.line("stored in \(options.stream) as \(message.subject)")
    case .refused(let reason): throw failure(message, reason)
    default: throw failure(message, published.why)
    }
    let id = String(decoding: message.id, as: UTF8.self)
    do throws(StreamFailure) {
      try client.has(id, at: numbers[0])
    } catch { throw CommandFailure(description: "cannot read the message back: \(error)") }
    try Spoken.line("read back: \(id)")
  }

  private func failure(_ message: OutgoingMessage, _ reason: String) -> CommandFailure {
    CommandFailure(
      description: "\(options.stream) does not store \(message.subject): \(reason)")
  }
}
