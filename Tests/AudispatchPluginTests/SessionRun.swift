import Glibc
import Linux
import Synchronization
import Testing

@testable import AudispatchPlugin

/// A session in this process, on a thread of its own: what is written to `input` is its input.
final class SessionRun: Sendable {
  /// What a plugin saw and did, and what it waits for: shared with the test.
  final class Notes: Sendable {
    let lines = Mutex<[String]>([])
    let gate = Mutex(false)
    let tokens = Mutex<[DeliveryToken]>([])
    let confirmations = Mutex<Confirmations?>(nil)
    let outcome = Mutex<Result<Void, any Error>?>(nil)

    func note(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
    func open() { gate.withLock { $0 = true } }
    var isOpen: Bool { gate.withLock { $0 } }
    func waitUntilOpen() { while !isOpen { Pause.nanoseconds(1_000_000) } }
  }

  let notes = Notes()
  let input: Int32
  private let theirs: Int32

  private final class Work: ThreadWork {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    func run() { body() }
  }

  /// - Parameter input: instead of a socket, a descriptor to read from.
  init(
    first: UInt64? = nil, input given: Int32? = nil,
    _ body: @escaping @Sendable (inout PluginSession<NoOptions>, Notes) throws -> Void
  ) throws {
    let (ours, theirs) = try UnixSocket.pair().release()
    input = ours
    self.theirs = theirs
    let line = try CommandLineSettings([], NoOptions.keywords)
    let source = OptionSource<NoOptions>(line, usually: "/nowhere", user: 0)
    let work = Work { [notes] in
      let result = Result {
        var session = try PluginSession(
          NoOptions(), from: source, log: PluginLog(name: "test"), input: given ?? theirs,
          environment: PluginEnvironment(first: first, plugin: "test"), takesSignals: false)
        notes.confirmations.withLock { [confirmations = session.confirmations] in
          $0 = confirmations
        }
        try body(&session, notes)
      }
      notes.outcome.withLock { $0 = result }
    }
    // Never joined by a test that gave up on it.
    _ = try WorkThread(work)
  }

  deinit {
    notes.open()
    close(input)
    while notes.outcome.withLock({ $0 == nil }) { Pause.nanoseconds(1_000_000) }
    close(theirs)
  }

  func write(_ bytes: [UInt8]) throws { try Transfer.writeAll(input, bytes) }

  /// Writes until nothing was taken for so many milliseconds; returns how many bytes were.
  func writeWhatIsTaken(_ bytes: [UInt8], patience: Int32 = 20_000) -> Int {
    var done = 0
    while done < bytes.count {
      let result = unsafe bytes.withUnsafeBytes {
        unsafe UnixSocket.send(input, UnsafeRawBufferPointer(rebasing: $0[done...]))
      }
      if case .bytes(let count) = result {
        done += count
      } else if !Poll.wait(input, for: .write, milliseconds: patience) {
        break
      }
    }
    return done
  }

  func endInput() { _ = shutdown(input, Int32(SHUT_WR)) }

  /// What the session's end was; waits for it.
  func end() throws {
    for _ in 0..<3000 {
      if let result = notes.outcome.withLock({ $0 }) { return try result.get() }
      Pause.nanoseconds(10_000_000)
    }
    Issue.record("the session does not end")
  }

  /// Waits until that holds.
  func await(_ what: String, _ condition: (Notes) -> Bool) {
    for _ in 0..<3000 {
      if condition(notes) { return }
      Pause.nanoseconds(10_000_000)
    }
    Issue.record("in vain: \(what)")
  }

  /// What was said on the input, to its last `ok`.
  func said() -> [UInt64] {
    var text = ""
    var bytes = [UInt8](repeating: 0, count: 65536)
    while Poll.readable([input], within: .zero)[0] {
      let result = unsafe bytes.withUnsafeMutableBytes { unsafe Transfer.read(input, into: $0) }
      guard case .bytes(let count) = result else { break }
      text += String(decoding: bytes[..<count], as: UTF8.self)
    }
    return text.split(separator: "\n").compactMap { UInt64($0.dropFirst(3)) }
  }
}
