import Glibc
import Synchronization

/// Writes lines to standard error on a thread of its own: a terminal that somebody has stopped, or a
/// file on a mount that does not answer, holds up nobody else. What waits is bounded.
final class LineWriter: ThreadWork {
  /// The process's own, from its first line on.
  static let standardError = LineWriter(2)

  private struct State {
    var waiting: [UInt8] = []
    var isWriting = false
    var isStarted = false
  }

  /// Bytes that wait, at most.
  private static let bound = 256 << 10

  private let fd: Int32
  private let state = Mutex(State())
  private let failed = Atomic<Int>(0)
  private let bell: Bell?

  private init(_ fd: Int32) {
    self.fd = fd
    bell = try? Bell(waits: true)
  }

  /// Lines, or parts of some, that could not be written.
  var lost: Int { failed.load(ordering: .relaxed) }

  /// What became of a line.
  enum Fate { case taken, noRoom, noThread }

  /// Has a line written.
  func put(_ line: [UInt8]) -> Fate {
    let fate: Fate = state.withLock { state in
      if !state.isStarted {
        guard bell != nil, let thread = try? WorkThread(self) else { return .noThread }
        thread.detach()
        state.isStarted = true
      }
      guard state.waiting.count + line.count <= Self.bound else { return .noRoom }
      state.waiting += line
      return .taken
    }
    if fate == .taken { withBell { $0.ring() } }
    return fate
  }

  /// Waits until everything is written, so long at most.
  func finish(within limit: Duration) {
    let end = Moment.now + limit
    while state.withLock({ !$0.waiting.isEmpty || $0.isWriting }), Moment.now < end {
      Pause.nanoseconds(1_000_000)
    }
  }

  func run() {
    while true {
      withBell { $0.clear() }
      while true {
        let bytes = state.withLock { state in
          defer {
            state.isWriting = !state.waiting.isEmpty
            state.waiting = []
          }
          return state.waiting
        }
        if bytes.isEmpty { break }
        write(bytes)
      }
    }
  }

  private func withBell(_ body: (borrowing Bell) -> Void) {
    switch bell {
    case .some(let bell): body(bell)
    case .none: break
    }
  }

  private func write(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let result = unsafe rest.withUnsafeBytes { unsafe Transfer.write(fd, $0) }
      switch result {
      case .bytes(let count): rest = rest.dropFirst(count)
      // Its owner made it so that it does not wait.
      case .wouldBlock: _ = Poll.wait(fd, for: .write, milliseconds: 1000)
      case .failed:
        failed.add(rest.count { $0 == 0x0a }, ordering: .relaxed)
        return
      }
    }
  }
}
