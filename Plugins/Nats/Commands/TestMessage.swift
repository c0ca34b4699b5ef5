import AudispatchPlugin
import EventDocument
import Glibc
import Linux
import Shipping

/// `test`: stores one message and reads it back.
struct TestMessage {
  let options: NatsOptions

  func run() throws {
    let client = try StreamClient.connected(options)
    defer { client.close() }
    let id = "audispatch-nats-test:\(WallClock.milliseconds):\(getpid())"
    let host = options.document.node ?? (try? NodeName.resolve(.hostname, name: nil)) ?? ""
    let subject = options.subject.subject(
      SubjectTemplate.Values(node: Array(host.utf8), action: Array("test".utf8)))
    let message = StreamMessage(
      subject: subject, id: Array(id.utf8),
      body: Array(#"{"message":"a test by audispatch-nats"}"#.utf8))
    let (outcomes, why, _) = client.publish([message])
    guard case .stored(let sequence) = outcomes[0] else {
      let reason = outcomes[0] == .refused ? MessageOutcome.tooLarge : why
      throw CommandFailure(description: "\(options.stream) does not store \(subject): \(reason)")
    }
    try Spoken.line("stored in \(options.stream) as \(subject)")
    do throws(StreamFailure) {
      try client.has(id, at: sequence)
    } catch { throw CommandFailure(description: "cannot read the message back: \(error)") }
    try Spoken.line("read back: \(id)")
  }
}
