import Foundation
import Glibc
import Linux
import Synchronization
import Testing

/// A dispatcher under test: ours or auditd's own.
protocol Dispatcher: AnyObject, Sendable {
  var files: DispatcherFiles { get }
  var child: Child { get }
  /// Gives it finished records, as auditd would.
  func send(_ records: [String]) async throws
  /// Ends its input.
  func finishInput()
}

extension Dispatcher {
  func reload() { child.signal(SIGHUP) }
  func resume() { child.signal(SIGUSR2) }
  func send(_ events: [TestEvent]) async throws { try await send(events.records) }
}

/// Our daemon, with its input from the test.
final class Audispatchd: Dispatcher {
  let files: DispatcherFiles
  let child: Child
  private let input: Mutex<Int32?>
  private let sent = Mutex(0)
  private let isPiped: Bool

  /// Starts the daemon. With `source` nil its input is a socket that `send` writes to.
  ///
  /// - Parameters:
  ///   - prefix: A program with its arguments that executes the daemon.
  ///   - awaitsControl: Whether it is ready when it answers over its control socket.
  init(
    _ plugins: [PluginFile], settings: [String] = [], arguments: [String] = [],
    source: String? = nil, scratch: Scratch? = nil, prefix: [String] = [],
    nonblockingInput: Bool = false, pipedInput: Bool = false,
    awaitsControl: Bool = true,
    environment: [String: String] = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
  ) async throws {
    let scratch = try scratch ?? Scratch()
    let files = try DispatcherFiles(scratch, plugins, settings: settings)
    self.files = files
    var near: Int32 = -1
    var far: Int32 = -1
    if source == nil {
      if pipedInput {
        (far, near) = try Pipe().release()
      } else {
        (near, far) = try UnixSocket.pair().release()
      }
    }
    isPiped = pipedInput
    if nonblockingInput { DescriptorKind.setNonblocking(far, true) }
    let command =
      prefix + [
        Programs.product("audispatchd"), "--source", source ?? "stdin", "--config",
        files.configuration, "--plugin-dir", files.pluginFolder, "--runtime-dir",
        files.runtimeFolder,
      ] + arguments
    child = try Child(
      command[0], Array(command.dropFirst()),
      environment: environment,
      input: far >= 0 ? far : nil, output: scratch("daemon.out"),
      error: scratch("daemon.err"))
    if far >= 0 { close(far) }
    if near >= 0 { DescriptorKind.setNonblocking(near, true) }
    input = Mutex(near >= 0 ? near : nil)
    if awaitsControl, source?.hasPrefix("file:") != true {
      try await eventually("control socket", detail: { messages }) {
        child.ended != nil || (try? files.request("status")) != nil
      }
      try await pluginsHaveStarted()
    }
  }

  /// Waits a moment for children that are on their way to their programs.
  private func pluginsHaveStarted() async throws {
    let end = ContinuousClock.now + .seconds(2)
    while child.ended == nil, ContinuousClock.now < end,
      try state().plugins.contains(where: { $0.state == "starting" })
    { try await Task.sleep(for: .milliseconds(5)) }
  }

  deinit { finishInput() }

  /// The process that dispatches, while the one that was started holds the input; `nil` between two.
  var worker: pid_t? {
    let path = "/proc/\(child.pid)/task/\(child.pid)/children"
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    // A dead one's plugins may have fallen to the keeper.
    return text.split(separator: " ").compactMap { pid_t($0) }.first {
      (try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8)) == "audispatchd\n"
    }
  }

  /// Kills it whole: the process that holds the input, and the one that dispatches.
  func killAll() async throws {
    let worker = worker
    child.signal(SIGKILL)
    _ = try await child.end()
    guard let worker else { return }
    kill(worker, SIGKILL)
    try await eventually("it is gone") { kill(worker, 0) != 0 }
  }

  /// What it wrote on its standard output and error.
  var messages: String { files.scratch.text("daemon.out") + files.scratch.text("daemon.err") }

  func state() throws -> StateReport { try files.state() }

  func plugin(_ name: String) throws -> StateReport.Plugin { try state().plugin(name) }

  func send(_ records: [String]) async throws {
    try await send(bytes: Data(records.map { $0 + "\n" }.joined().utf8), records: records.count)
  }

  /// Writes bytes to the daemon's input, and counts them as so many records.
  func send(bytes: Data, records: Int) async throws {
    guard let input = input.withLock({ $0 }) else { throw Timeout(description: "no input") }
    sent.withLock { $0 += records }
    var rest = bytes[...]
    let clock = ContinuousClock()
    let end = clock.now + .seconds(60)
    while !rest.isEmpty {
      switch unsafe rest.withUnsafeBytes({ unsafe write($0, to: input) }) {
      case .bytes(let count): rest = rest.dropFirst(count)
      case .wouldBlock:
        guard clock.now < end else { throw Timeout(description: "the daemon stopped reading") }
        try await Task.sleep(for: .milliseconds(1))
      case .failed(let errno): throw errno
      }
    }
  }

  private func write(_ bytes: UnsafeRawBufferPointer, to input: Int32) -> WriteResult {
    unsafe isPiped ? Transfer.write(input, bytes) : UnixSocket.send(input, bytes)
  }

  /// Sends one urgent byte (MSG_OOB).
  func sendUrgent() {
    guard let input = input.withLock({ $0 }) else { return }
    var byte = UInt8(ascii: "!")
    _ = unsafe Glibc.send(input, &byte, 1, Int32(MSG_OOB | MSG_NOSIGNAL))
  }

  /// Writes such a record again and again until the daemon takes no more: the bytes that its input
  /// accepted.
  func sendUntilRefused(_ record: [UInt8]) async throws -> Int {
    guard let input = input.withLock({ $0 }) else { throw Timeout(description: "no input") }
    Signals.ignoreFailedWrites()
    var accepted = 0
    while true {
      let result = unsafe record.withUnsafeBytes { bytes in
        unsafe write(
          UnsafeRawBufferPointer(rebasing: bytes[(accepted % bytes.count)...]), to: input)
      }
      switch result {
      case .bytes(let count): accepted += count
      case .wouldBlock: try await Task.sleep(for: .microseconds(200))
      case .failed: return accepted
      }
    }
  }

  func finishInput() {
    let input = input.withLock { input in
      defer { input = nil }
      return input
    }
    if let input { close(input) }
  }

  /// Waits until everything that was sent has been taken in, and as much was put to every plugin.
  func takenIn(_ location: SourceLocation = #_sourceLocation) async throws {
    let sent = sent.withLock { $0 }
    try await eventually("records taken in", detail: { (try? "\(state())") ?? "" }) {
      try state().source.records >= sent
    }
  }

  /// Ends the input, expects an orderly end and exact counts.
  @discardableResult
  func finish(
    status: Int32 = 0, within limit: Duration = .seconds(90),
    _ location: SourceLocation = #_sourceLocation
  ) async throws -> StateReport {
    finishInput()
    return try await ended(status: status, within: limit, location)
  }

  /// Expects the daemon to end by itself, with exact counts in its last state.
  @discardableResult
  func ended(
    status: Int32 = 0, sent given: Int? = nil, within limit: Duration = .seconds(90),
    _ location: SourceLocation = #_sourceLocation
  ) async throws -> StateReport {
    let end = try await child.end(within: limit)
    #expect(end == .exited(status), "\(messages)", sourceLocation: location)
    let state = try files.writtenState()
    let counted = sent.withLock { $0 }
    state.expectConserved(
      sent: given ?? (state.source.kind == "stdin" ? counted : nil), location)
    return state
  }
}

extension Audispatchd {
  /// Kills the process that dispatches, and waits for the next one.
  func dieAndGoOn() async throws {
    let worker = try #require(worker)
    kill(worker, SIGKILL)
    try await eventually("there is another", detail: { self.messages }) {
      guard let next = self.worker, next != worker else { return false }
      return self.files.stateIfAny() != nil
    }
  }
}
