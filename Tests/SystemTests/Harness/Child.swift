import CAudispatch
import Foundation
import Linux
import Synchronization

/// A program that a test started, with its output in files; killed when its owner lets go.
final class Child: Sendable {
  enum End: Equatable, Sendable {
    case exited(Int32)
    case signalled(Int32)
  }

  let pid: pid_t
  private let pidfd: Int32
  private let end = Mutex<End?>(nil)

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
    let argv = CStrings([path] + arguments)
    let envp = CStrings(environment.map { "\($0)=\($1)" })
    var child = ad_child()
    let result = unsafe ad_spawn(
      path, argv.pointers, envp.pointers, input ?? null.number, out.number, err.number, -1,
      &child)
    guard result == 0 else { throw SystemError("start", path, Errno(child.error)) }
    pid = child.pid
    pidfd = child.pidfd
  }

  deinit {
    if ended == nil {
      _ = ad_pidfd_signal(pidfd, SIGKILL)
      var status: Int32 = 0
      _ = unsafe waitpid(pid, &status, 0)
    }
    close(pidfd)
  }

  /// How it ended; nil while it runs.
  var ended: End? {
    end.withLock { end in
      if end != nil { return end }
      var status: Int32 = 0
      guard unsafe ad_reap(pid, &status) == 1 else { return nil }
      let code = ad_exit_code(status)
      end = code >= 0 ? .exited(code) : .signalled(ad_exit_signal(status))
      return end
    }
  }

  func signal(_ number: Int32) { _ = ad_pidfd_signal(pidfd, number) }

  func end(within limit: Duration = .seconds(90)) async throws -> End {
    try await eventually("process \(pid) ends", within: limit) { ended != nil }
    return ended ?? .exited(-1)
  }
}

/// An argument list as execve wants it.
@safe private struct CStrings: ~Copyable {
  let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let count: Int

  init(_ strings: [String]) {
    count = strings.count
    unsafe pointers = .allocate(capacity: count + 1)
    for (index, string) in strings.enumerated() { unsafe pointers[index] = strdup(string) }
    unsafe pointers[count] = nil
  }

  deinit {
    for index in 0..<count { unsafe free(pointers[index]) }
    unsafe pointers.deallocate()
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
