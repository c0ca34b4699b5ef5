import Glibc
import Linux
import Synchronization

/// Tells the dispatcher what is done, where it asks for it (`confirm = yes`): it then sends again,
/// after a crash of either side, what was not.
///
/// The dispatcher puts `AUDISPATCH_FIRST=n` into the environment and numbers the records from n on.
/// `ok N` on descriptor 0 says that everything up to number N is done. As records of different
/// events interleave, N is the last number below which nothing is still in work.
///
/// May be used from any thread. Costs nothing where the dispatcher does not ask.
public final class Confirmations: Sendable {
  fileprivate struct Pending {
    var token: DeliveryToken
    var first: UInt64
    var count: Int
    /// Instead of `first` and `count`, when the numbers are not one behind the other.
    var numbers: [UInt64] = []
  }

  private struct State {
    var window: NumberWindow
    /// What was handed out and is not done, oldest first, from `done` on.
    var pending: [Pending] = []
    var done = 0
    var told: UInt64
    /// What a full socket did not take: the rest of a line.
    var unsent: [UInt8] = []
    var isOpen = true
    var handed: HandedNumbers
  }

  /// Whether the dispatcher waits to be told.
  public let isAsked: Bool
  private let state: Mutex<State>
  private let descriptor: Int32
  private let bell: Bell

  /// - Parameter first: the number of the first record; `nil` when the dispatcher does not ask.
  init(first: UInt64?, descriptor: Int32) throws(SystemError) {
    isAsked = first != nil
    state = Mutex(
      State(
        window: NumberWindow(from: first ?? 1), told: (first ?? 1) - 1,
        handed: HandedNumbers(from: first ?? 1)))
    self.descriptor = descriptor
    bell = try Bell()
  }

  /// Says that this event or batch is done, and every one that was handed out before it.
  ///
  /// For a plugin with `doneWhen` `.told`. It is written soon, together with others.
  public func done(through token: DeliveryToken) {
    guard isAsked else { return }
    state.withLock { state in
      while state.done < state.pending.count, state.pending[state.done].token <= token {
        let pending = state.pending[state.done]
        state.done += 1
        state.window.finish(pending)
      }
      // What is done is let go of now and then, so that a step costs the same on average.
      if state.done > 1024, state.done * 2 > state.pending.count {
        state.pending.removeFirst(state.done)
        state.done = 0
      }
    }
    bell.ring()
  }

  /// The records that were handed out and not said to be done.
  public var outstanding: Int {
    state.withLock { state in
      state.pending[state.done...].reduce(0) { $0 + $1.count }
    }
  }
}

extension Confirmations {
  /// Readable when somebody said that something is done.
  var wake: Int32 { bell.number }
  /// The socket that it is told on.
  var socket: Int32 { descriptor }
  func wokeUp() { bell.clear() }

  /// The last number below and at which everything is done; `nil` without confirming.
  var confirmed: UInt64? { isAsked ? state.withLock { $0.window.next - 1 } : nil }

  /// Notes what is handed out, to be done later.
  func expect(_ token: DeliveryToken, _ records: [EventRecord]) {
    guard isAsked else { return }
    let pending = Pending(token, records)
    state.withLock { state in
      state.handed.note(last: pending?.last ?? 0, count: pending?.count ?? 0)
      if let pending { state.pending.append(pending) }
    }
  }

  /// Notes what was handed out and is done.
  func finish(_ records: [EventRecord]) {
    guard isAsked, let pending = Pending(DeliveryToken(), records) else { return }
    state.withLock { $0.window.finish(pending) }
  }

  /// Notes numbers of what is in no event: lines that are no record, an EOE that ends nothing.
  func skip(_ first: UInt64, count: Int) {
    guard isAsked else { return }
    state.withLock { state in
      state.window.finish(first, count: count)
      state.handed.skip(first, count: count)
    }
  }

  /// Whether no record from before the last one that was handed out is still to come, as of an event
  /// that is incomplete: if all that was handed out is done, all of it can be confirmed.
  ///
  /// - Parameter latest: whether what was handed out last counts.
  func isGapless(withLatest latest: Bool) -> Bool {
    guard isAsked else { return true }
    return state.withLock { $0.handed.isGapless(withLatest: latest) }
  }

  /// Writes what is new; never waits. Returns whether the socket took all of it.
  func flush() -> Bool {
    guard isAsked else { return true }
    return state.withLock { state in
      guard state.isOpen else { return true }
      let last = state.window.next - 1
      if state.unsent.isEmpty {
        guard last > state.told else { return true }
        state.unsent = Array("ok \(last)\n".utf8)
        state.told = last
      }
      let result = unsafe state.unsent.withUnsafeBytes { unsafe UnixSocket.send(descriptor, $0) }
      switch result {
      case .bytes(let count): state.unsent.removeFirst(count)
      case .wouldBlock: return false
      // The dispatcher is gone; what was not told it sends again.
      case .failed(.brokenPipe), .failed(Errno(ECONNRESET)):
        state.unsent = []
        state.isOpen = false
        return true
      // It waits for that to be said.
      case .failed: return false
      }
      return state.unsent.isEmpty && state.told == last
    }
  }
}

extension Confirmations.Pending {
  fileprivate init?(_ token: DeliveryToken, _ records: [EventRecord]) {
    var first: UInt64 = 0
    var last: UInt64 = 0
    var count = 0
    for record in records where record.number > 0 {
      if count == 0 { first = record.number }
      last = record.number
      count += 1
    }
    guard count > 0 else { return nil }
    self.token = token
    self.first = first
    self.count = count
    if last - first + 1 != UInt64(count) {
      numbers = records.lazy.map(\.number).filter { $0 > 0 }
    }
  }
}

extension Confirmations.Pending {
  fileprivate var last: UInt64 { numbers.last ?? first + UInt64(count) - 1 }
}

extension NumberWindow {
  fileprivate mutating func finish(_ pending: Confirmations.Pending) {
    guard !pending.numbers.isEmpty else { return finish(pending.first, count: pending.count) }
    for number in pending.numbers { finish(number, count: 1) }
  }
}
