import Foundation
import Glibc
import Linux

/// Debian's nats-server on a port of the loopback, with streams in a folder of its own; it can be
/// killed and started again.
public final class NatsServer {
  public static let program = "/usr/sbin/nats-server"
  public static let isHere = unsafe access(program, X_OK) == 0
  public static let why = "needs nats-server (Debian: nats-server)"

  public struct Failure: Error, CustomStringConvertible {
    public let description: String
    public init(description: String) { self.description = description }
  }

  private let folder: String
  public private(set) var port = 0
  private var child: KilledProcess?

  /// - Parameter configuration: lines of its file; `DIR` is its folder.
  public init(_ configuration: String = "") throws {
    folder = try PluginRun.makeFolder()
    let file = try Descriptor.open("\(folder)/conf", O_WRONLY | O_CREAT, mode: 0o600)
    try Transfer.writeAll(
      file.number, Array(configuration.replacing("DIR", with: folder).utf8))
    try start()
  }

  /// Starts it at the port that it had.
  public func start() throws {
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
    child = KilledProcess(process)
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
  public func kill() { child = nil }

  /// Has it stand still, or go on: its connections stay, and nobody reads them.
  public func stand(still: Bool) { child?.signal(still ? SIGSTOP : SIGCONT) }

  public var url: String { "nats://127.0.0.1:\(port)" }

  deinit {
    child = nil
    PluginRun.remove(folder)
  }

  /// The answer of JetStream's API, of a server without passwords.
  @discardableResult
  public func ask(_ what: String, _ request: [String: Any]) throws -> [String: Any] {
    let program = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Programs/nats-ask.py").path
    let text = String(
      decoding: try JSONSerialization.data(withJSONObject: request), as: UTF8.self)
    let run = try CommandRun(["/usr/bin/python3", program, "\(port)", "$JS.API.\(what)", text])
    guard
      let object = try? JSONSerialization.jsonObject(with: Data(run.output.utf8))
        as? [String: Any], object["error"] == nil
    else { throw Failure(description: "\(run.output) \(run.error)") }
    return object
  }
}
