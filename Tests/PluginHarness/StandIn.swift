import Foundation
import Glibc
import Linux

/// A process that stands in for a server, and fails as it is told to: one of `Programs`, which
/// listens at a port of the loopback and answers each line of its standard input, a JSON object, by
/// one.
public final class StandIn {
  private let child: KilledProcess
  private let control: Descriptor
  private let scheme: String
  public let port: Int

  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  /// - Parameter program: its name in `Programs`.
  public init(_ program: String, _ arguments: [String]) throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Programs/\(program)").path
    let ends = try UnixSocket.pair()
    control = ends.ours
    let other = ends.theirs
    child = KilledProcess(
      try ChildProcess(
        path: "/usr/bin/python3", arguments: [path] + arguments,
        environment: ["PATH=/usr/bin:/bin"], input: other.number, output: other.number, error: 2))
    scheme = arguments.contains("--certificate") ? "https" : "http"
    let first = try Self.line(of: control.number)
    guard let port = try Self.object(first)["port"] as? Int else {
      throw Failure(description: "no port in \(first)")
    }
    self.port = port
  }

  public var url: String { "\(scheme)://127.0.0.1:\(port)" }

  /// Makes it answer to a command; what it has when the command is done.
  @discardableResult
  public func ask(_ command: [String: Any]) throws -> [String: Any] {
    let line = try JSONSerialization.data(withJSONObject: command, options: [.sortedKeys])
    try Transfer.writeAll(control.number, Array(line) + [0x0a])
    let answer = try Self.object(try Self.line(of: control.number))
    if let error = answer["error"] as? String { throw Failure(description: error) }
    return answer
  }

  /// Changes how it fails.
  public func set(_ faults: [String: Any]) throws { try ask(["set": faults]) }

  private static func object(_ line: String) throws -> [String: Any] {
    guard
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    else { throw Failure(description: "no object: \(line)") }
    return object
  }

  private static func line(of descriptor: Int32) throws -> String {
    var line: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while line.last != 0x0a {
      guard Poll.wait(descriptor, for: .read, milliseconds: 60_000) else {
        throw Failure(description: "the stand-in says nothing")
      }
      let result = unsafe chunk.withUnsafeMutableBytes {
        unsafe Transfer.read(descriptor, into: $0)
      }
      guard case .bytes(let count) = result else {
        throw Failure(description: "the stand-in has ended")
      }
      line += chunk[..<count]
    }
    return String(decoding: line.dropLast(), as: UTF8.self)
  }
}
