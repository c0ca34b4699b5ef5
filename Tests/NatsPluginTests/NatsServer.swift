import Foundation
import Glibc
import Linux
import PluginHarness

@testable import audispatch_nats

/// Debian's nats-server on a port of the loopback, with streams in a folder of its own; it can be
/// killed and started again.
final class NatsServer {
  static let program = "/usr/sbin/nats-server"
  static let isHere = unsafe access(program, X_OK) == 0
  static let why = "needs nats-server (Debian: nats-server)"

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  let folder: String
  private(set) var port = 0
  private var child: Killed?

  /// A process that ends with whoever has it.
  private struct Killed: ~Copyable {
    let process: ChildProcess
    deinit {
      process.signal(SIGKILL)
      _ = Poll.readable([process.pidfd], within: .seconds(20))
      _ = process.reap()
    }
  }

  /// - Parameter configuration: lines of its file; `DIR` is its folder.
  init(_ configuration: String = "") throws {
    folder = try PluginRun.makeFolder()
    let file = try Descriptor.open("\(folder)/conf", O_WRONLY | O_CREAT, mode: 0o600)
    try Transfer.writeAll(
      file.number, Array(configuration.replacing("DIR", with: folder).utf8))
    try start()
  }

  /// Starts it at the port that it had.
  func start() throws {
    let log = "\(folder)/log"
    unsafe unlink(log)
    let output = try Descriptor.open(log, O_WRONLY | O_CREAT | O_APPEND)
    let nothing = try Descriptor.open("/dev/null", O_RDONLY)
    let process = try ChildProcess(
      path: Self.program,
      arguments: [
        "-c", "\(folder)/conf", "-js", "-sd", "\(folder)/data", "-a", "127.0.0.1", "-p",
        port == 0 ? "-1" : "\(port)",
      ],
      environment: ["PATH=/usr/bin:/bin"], input: nothing.number, output: output.number,
      error: output.number)
    child = Killed(process: process)
    for _ in 0..<3000 {
      let text = String(decoding: try Transfer.contents(of: log, limit: 1 << 20), as: UTF8.self)
      if text.contains("Server is ready"),
        let found = text.firstMatch(of: #/client connections on 127\.0\.0\.1:(\d+)/#)
      {
        port = Int(found.1) ?? 0
        return
      }
      Pause.nanoseconds(10_000_000)
    }
    throw Failure(
      description: String(decoding: try Transfer.contents(of: log, limit: 1 << 20), as: UTF8.self))
  }

  /// As a loss of power would, but for the disk's own memory.
  func kill() { child = nil }

  var url: String { "nats://127.0.0.1:\(port)" }

  deinit {
    child = nil
    PluginRun.remove(folder)
  }

  /// The options by which tests talk to it.
  func options(_ lines: [String] = []) throws -> NatsOptions {
    let (options, said) = settled(NatsOptions.self, ["server = \(url)"] + lines)
    guard said.allSatisfy({ $0.contains("warning") }) else { throw Failure(description: "\(said)") }
    return options
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

  /// The answer of JetStream's API, of a server without passwords.
  @discardableResult
  func ask(_ what: String, _ request: [String: Any]) throws -> [String: Any] {
    let program = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Programs/ask.py").path
    let text = String(
      decoding: try JSONSerialization.data(withJSONObject: request), as: UTF8.self)
    let run = try CommandRun(["/usr/bin/python3", program, "\(port)", "$JS.API.\(what)", text])
    guard
      let object = try? JSONSerialization.jsonObject(with: Data(run.output.utf8))
        as? [String: Any], object["error"] == nil
    else { throw Failure(description: "\(run.output) \(run.error)") }
    return object
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

/// The ids of the events with those serials, in their order.
func inOrder(_ serials: ClosedRange<Int>) -> [String] {
  serials.map { "host:1700000000.000:\($0)" }
}
