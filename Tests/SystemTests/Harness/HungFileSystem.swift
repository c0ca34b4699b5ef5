import Foundation
import Glibc
import Testing

/// A file system that answers nothing, mounted over a folder; gone when its owner lets go. See
/// `hung.py`.
final class HungFileSystem: Sendable {
  enum Manner: String, Sendable, CaseIterable { case deaf, mute }

  static let isPossible =
    Host.has("/usr/bin/python3") && FileManager.default.isReadableFile(atPath: "/dev/fuse")

  private let server: Child

  init(_ folder: String, _ manner: Manner, _ scratch: Scratch) async throws {
    let output = scratch("hung.out")
    try? FileManager.default.removeItem(atPath: output)
    server = try Child(
      "/usr/bin/python3", [Programs.source("hung.py"), folder, manner.rawValue], output: output,
      error: output)
    try await eventually("it is mounted", detail: { scratch.text("hung.out") }) {
      scratch.text("hung.out") == "mounted\n"
    }
  }

  /// From now on it answers, also what was asked before.
  func answer() { server.signal(SIGUSR1) }

  /// It is gone, and whoever waits for it is told.
  func end() async throws {
    server.signal(SIGTERM)
    _ = try await server.end()
  }
}
