import AuditRecord
import Foundation
import Glibc
import Linux

/// A folder of a test's own, removed with it.
struct Scratch: ~Copyable {
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
  static func start(_ script: String, in folder: String) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", script]
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    var environment = ProcessInfo.processInfo.environment
    environment["KERNEL"] = path
    environment["CORPUS"] = Corpus.folder
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Runs a shell script to its end; its exit status.
  @discardableResult
  static func run(_ script: String, in folder: String = "/") async throws -> Int32 {
    await end(of: try start(script, in: folder))
  }

  /// Waits for a process, without holding up other tests; its exit status.
  static func end(of process: Process) async -> Int32 {
    while process.isRunning { try? await Task.sleep(for: .milliseconds(5)) }
    return process.terminationStatus
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
