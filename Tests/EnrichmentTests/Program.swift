import AuditRecord
import Foundation
import Glibc
import Linux

/// A folder of a test's own, removed with it.
final class Scratch {
  let path: String

  init() throws {
    let base = FileManager.default.temporaryDirectory
    let url = base.appendingPathComponent("audispatch-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  func bytes(_ name: String) throws -> [UInt8] {
    try Transfer.contents(of: file(name), limit: 1 << 28)
  }

  func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

  func write(_ name: String, _ bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
  }

  func isPublished(_ name: String) -> Bool { ((try? counters(name)) ?? nil) != nil }

  /// The counters that a program has published in a file.
  func counters(_ name: String) throws -> KernelCounters? {
    let page = try bytes(name)
    return KernelCounters(page.span)
  }
}

/// `audispatch-kernel` as it was built beside the tests.
enum Program {
  static let path: String = {
    let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    return tests.deletingLastPathComponent().appendingPathComponent("audispatch-kernel").path
  }()

  /// Starts a shell script in which `$KERNEL` is the program and `$CORPUS` the recordings' folder.
  static func start(_ script: String, in folder: String = "/") throws -> RunningScript {
    try RunningScript(script, in: folder)
  }

  /// Runs a shell script to its end; its exit status.
  @discardableResult
  static func run(_ script: String, in folder: String = "/") async throws -> Int32 {
    try await start(script, in: folder).end()
  }
}

/// A shell script at work, with all signals at their defaults.
final class RunningScript {
  private let child: ChildProcess
  private let endsByItself: Bool
  private var status: Int32?

  /// - Parameter endsByItself: It is not to be killed when its owner lets go of it.
  init(
    _ script: String, in folder: String, input: Int32? = nil, output: Int32? = nil,
    endsByItself: Bool = false
  ) throws {
    self.endsByItself = endsByItself
    let null = try Descriptor.open("/dev/null", O_RDWR)
    child = try ChildProcess(
      path: "/bin/bash", arguments: ["-c", "cd \"$0\" && " + script, folder],
      environment: [
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "KERNEL=\(Program.path)", "CORPUS=\(Corpus.folder)",
      ], input: input ?? null.number, output: output ?? null.number, error: null.number)
  }

  deinit { if !endsByItself, isRunning { child.signal(SIGKILL) } }

  var pid: Int32 { child.pid }

  /// The exit status, 128 and more for a signal; `nil` while it runs.
  var terminationStatus: Int32? {
    if status == nil {
      switch child.reap() {
      case .exit(let code): status = code
      case .signal(let number): status = 128 + number
      case nil: break
      }
    }
    return status
  }

  var isRunning: Bool { terminationStatus == nil }

  func terminate() { child.signal(SIGTERM) }

  /// Waits for its end, without holding up other tests.
  func end() async throws -> Int32 {
    while isRunning { try await Task.sleep(for: .milliseconds(5)) }
    return terminationStatus ?? -1
  }
}

/// Asks again and again, at most `limit` long, until the answer is yes. Never blocks a thread: what
/// is waited for may be another test's.
func eventually(
  within limit: Duration = .seconds(60), _ condition: () throws -> Bool
) async throws -> Bool {
  let end = ContinuousClock.now + limit
  while ContinuousClock.now < end {
    if try condition() { return true }
    try await Task.sleep(for: .milliseconds(20))
  }
  return try condition()
}
