import Foundation
import Linux
import Testing

/// Our daemon behind a parent that does to it what auditd 4.2.1 and its unit do; see `auditd42.c`.
final class AuditdFour: Sendable {
  let files: DispatcherFiles
  let child: Child
  private let input: Descriptor
  private let output: String

  /// - Parameters:
  ///   - program: our daemon's executable.
  ///   - name: of several in one folder.
  ///   - isReady: it is when it answers over its control socket.
  init(
    _ plugins: [PluginFile], settings: [String] = [], scratch: Scratch,
    program: String = Programs.product("audispatchd"), name: String = "auditd",
    awaitsControl: Bool = true
  ) async throws {
    let files = try DispatcherFiles(scratch, plugins, settings: settings)
    self.files = files
    output = name + ".out"
    let (ours, theirs) = try UnixSocket.pair().release()
    input = Descriptor(owning: ours)
    child = try Child(
      try await Programs.auditd42(),
      [
        program, "--source", "stdin", "--config", files.configuration,
        "--plugin-dir", files.pluginFolder, "--runtime-dir", files.runtimeFolder,
      ], input: theirs, output: scratch(output), error: scratch("daemon.err"))
    close(theirs)
    guard awaitsControl else { return }
    try await eventually("control socket", detail: { messages }) {
      (try? files.request("status")) != nil
    }
  }

  var messages: String { files.scratch.text("daemon.err") }

  func send(_ events: [TestEvent]) throws {
    try send(events.records.map { $0 + "\n" }.joined())
  }

  func send(_ text: String) throws { try Transfer.writeAll(input.number, Array(text.utf8)) }

  private func numbers(_ word: String) -> [[Int]] {
    files.scratch.lines(output).filter { $0.hasPrefix(word + " ") }
      .map { $0.split(separator: " ").dropFirst().compactMap { Int($0) } }
  }

  /// The process that auditd has started last.
  var front: pid_t? { numbers("started").last?.first.map { pid_t($0) } }
  /// Those that it has started before are left behind.
  var keeper: pid_t? {
    pid_t(
      files.scratch.text("run/keeper").trimmingCharacters(in: .whitespacesAndNewlines))
  }
  func worker() throws -> pid_t { try files.state().daemon.pid }

  func beginReload() { child.signal(SIGHUP) }

  /// How long auditd waited for our end, in milliseconds.
  @discardableResult
  func reload(within limit: Duration = .seconds(30)) async throws -> Int {
    let before = numbers("reloaded").count
    beginReload()
    return try await reloaded(times: before + 1, within: limit)
  }

  var reloads: Int { numbers("reloaded").count }

  func reloaded(times: Int, within limit: Duration = .seconds(30)) async throws -> Int {
    try await eventually("auditd is back", within: limit, detail: { messages }) {
      numbers("reloaded").count >= times
    }
    return try #require(numbers("reloaded")[times - 1].last)
  }

  /// As `systemctl stop auditd` does: when this returns, nothing of it is left.
  func stop() async throws {
    child.signal(SIGTERM)
    #expect(try await child.end() == .exited(0))
  }

  /// The same, with a unit that leaves alone what auditd had started: that has to end by itself.
  func stopAlone(within limit: Duration = .seconds(60)) async throws {
    child.signal(SIGINT)
    #expect(try await child.end(within: limit) == .exited(0))
  }
}
