import Foundation
import Linux
import Synchronization

/// A program that a test started, with its output in files; killed when its owner lets go.
final class Child: Sendable {
  enum End: Equatable, Sendable {
    case exited(Int32)
    case signalled(Int32)
  }

  private let process: ChildProcess
  private let end = Mutex<End?>(nil)
  var pid: pid_t { process.pid }

  /// Starts a program with nothing but these descriptors open; blocks until exec has happened.
  init(
    _ path: String, _ arguments: [String] = [],
    environment: [String: String] = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"],
    input: Int32? = nil, output: String = "/dev/null", error: String = "/dev/null"
  ) throws {
    let flags = O_WRONLY | O_CREAT | O_APPEND
    let null = try Descriptor.open("/dev/null", O_RDONLY)
    let out = try Descriptor.open(output, flags)
    let err = try Descriptor.open(error, flags)
    process = try ChildProcess(
      path: path, arguments: arguments, environment: environment.map { "\($0)=\($1)" },
      input: input ?? null.number, output: out.number, error: err.number)
  }

  deinit {
    if ended == nil {
      process.signal(SIGKILL)
      var status: Int32 = 0
      _ = unsafe waitpid(pid, &status, 0)
    }
  }

  /// How it ended; nil while it runs.
  var ended: End? {
    end.withLock { end in
      if end == nil {
        switch process.reap() {
        case .exit(let code): end = .exited(code)
        case .signal(let number): end = .signalled(number)
        case nil: break
        }
      }
      return end
    }
  }

  func signal(_ number: Int32) { process.signal(number) }

  func end(within limit: Duration = .seconds(90)) async throws -> End {
    try await eventually("process \(pid) ends", within: limit) { ended != nil }
    return ended ?? .exited(-1)
  }
}

/// What a command wrote and how it ended.
struct Outcome: Sendable {
  let end: Child.End
  let output: String
  let error: String
}

/// Runs a command to its end.
func run(
  _ path: String, _ arguments: [String] = [], input: Int32? = nil,
  environment: [String: String] = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"],
  within limit: Duration = .seconds(90)
) async throws -> Outcome {
  let scratch = try Scratch()
  let child = try Child(
    path, arguments, environment: environment, input: input, output: scratch("out"),
    error: scratch("err"))
  let end = try await child.end(within: limit)
  return Outcome(end: end, output: scratch.text("out"), error: scratch.text("err"))
}

/// User and system time of a process, in hundredths of a second.
func cpuTicks(of pid: pid_t) throws -> Int {
  let stat = String(decoding: contents("/proc/\(pid)/stat"), as: UTF8.self)
  let fields = stat.drop { $0 != ")" }.split(separator: " ")
  guard fields.count > 13, let user = Int(fields[12]), let system = Int(fields[13]) else {
    throw Timeout(description: "no process \(pid)")
  }
  return user + system
}
