import Foundation
import Linux
import PluginHarness

@testable import audispatch_nats

extension NatsServer {
  /// The options by which tests talk to it.
  func options(_ lines: [String] = []) throws -> NatsOptions {
    let (options, said) = settled(NatsOptions.self, ["server = \(url)"] + lines)
    guard said.allSatisfy({ $0.contains("warning") }) else { throw Failure(description: "\(said)") }
    return options
  }

  /// A server whose only user may publish on all subjects but those, and the settings of that user,
  /// whose password is put into the folder.
  static func denying(
    _ subjects: [String], _ folder: String
  ) throws -> (server: NatsServer, user: [String]) {
    let server = try NatsServer(
      "authorization { users = [ { user: me, password: s3cret, permissions: { publish: { deny: "
        + "\(subjects) } } } ] }\n")
    try TestFolder.write("s3cret\n", to: "\(folder)/secret", mode: 0o400)
    return (server, ["user = me", "password_file = \(folder)/secret"])
  }

  /// Makes the stream, for `audit.*.*`.
  func makeStream(_ state: StreamState = StreamState(window: .seconds(7200))) throws {
    let client = try StreamClient(try options())
    defer { client.close() }
    try client.open()
    try client.make(state, for: "audit.*.*")
  }

  /// The ids of all messages of a subject, in their order.
  func ids(of subject: String = ">") throws -> [String] {
    let client = try StreamClient(try options())
    defer { client.close() }
    try client.open()
    return try client.ids(of: subject, since: 1).map { String(decoding: $0, as: UTF8.self) }
  }

  /// A message with its headers.
  func message(
    _ sequence: Int
  ) throws -> (subject: String, headers: String, body: [String: Any]) {
    let answer = try ask("STREAM.MSG.GET.AUDIT", ["seq": sequence])
    guard let message = answer["message"] as? [String: Any],
      let body = Data(base64Encoded: message["data"] as? String ?? ""),
      let headers = Data(base64Encoded: message["hdrs"] as? String ?? ""),
      let object = try JSONSerialization.jsonObject(with: body) as? [String: Any]
    else { throw Failure(description: "\(answer)") }
    return (
      message["subject"] as? String ?? "", String(decoding: headers, as: UTF8.self), object
    )
  }

  /// Gives the stream another bound.
  func bound(bytes: Int) throws {
    let answer = try ask("STREAM.INFO.AUDIT", [:])
    var configuration = answer["config"] as? [String: Any] ?? [:]
    configuration["max_bytes"] = bytes
    try ask("STREAM.UPDATE.AUDIT", configuration)
  }
}

/// A plugin that publishes to it; what waits is short, so that tests are.
///
/// - Parameter settings: lines as its file has them; `DIR` is the run's folder.
func nats(
  _ server: NatsServer, _ settings: [String] = [], first: Int? = 1,
  environment: [String] = ["AUDISPATCH_PLUGIN=test"]
) throws -> PluginRun {
  let usual = [
    "server = \(server.url)", "node = host", "names = lines", "flush_interval = 0.02",
    "retry_time = 0.05", "retry_time_max = 0.2", "answer_time = 3",
    "refused_file = DIR/refused",
  ]
  return try PluginRun(
    "audispatch-nats", PluginHarness.options(usual + settings), first: first,
    environment: environment)
}
