import Linux
import Synchronization

/// What the kernel sent and the enricher has not taken: bounded, between two threads.
///
/// Putting never waits. The bound counts each message's text and eight bytes beside it; what is
/// refused when it is reached is decided by `EventAdmission`.
final class MessageQueue: Sendable {
  private struct State {
    var batches: [Batch] = []
    var bytes = 0
    var admission: EventAdmission
    var messages: UInt64 = 0
    var isClosed = false
    var takerSleeps = false
  }

  private let state: Mutex<State>
  private let wake: Bell

  /// A queue of at most `bound` bytes.
  init(bound: Int) throws(SystemError) {
    state = Mutex(State(admission: EventAdmission(bound: bound)))
    wake = try Bell(waits: true)
  }

  /// Puts one message at the end; false when there is no room for it.
  func put(type: UInt16, _ text: Span<UInt8>) -> Bool {
    let isAwaited: Bool? = state.withLock { state in
      let size = text.count + 8
      guard !state.isClosed, state.admission.admits(text, size: size, queued: state.bytes)
      else { return nil }
      if state.batches.isEmpty || state.batches[state.batches.count - 1].isFull(for: size) {
        state.batches.append(Batch())
      }
      state.batches[state.batches.count - 1].append(type: UInt32(type), text)
      state.bytes += size
      state.messages += 1
      defer { state.takerSleeps = false }
      return state.takerSleeps
    }
    if isAwaited == true { wake.ring() }
    return isAwaited != nil
  }

  /// Says that nothing follows.
  func close() {
    state.withLock { $0.isClosed = true }
    wake.ring()
  }

  /// Takes many messages at once; waits for the first. `nil` when the queue is closed and empty.
  func take() -> Batch? {
    while true {
      let (batch, closed): (Batch?, Bool) = state.withLock { state in
        guard !state.batches.isEmpty else {
          state.takerSleeps = true
          return (nil, state.isClosed)
        }
        let batch = state.batches.removeFirst()
        state.bytes -= batch.bytes.count
        state.messages -= batch.count
        return (batch, false)
      }
      if let batch { return batch }
      if closed { return nil }
      wake.clear()
    }
  }

  /// Messages one behind the other: type and size as 32-bit numbers, then the text.
  struct Batch {
    private static let byteBound = 128 << 10

    fileprivate var bytes: [UInt8] = []
    fileprivate(set) var count: UInt64 = 0

    fileprivate init() { bytes.reserveCapacity(Batch.byteBound) }

    fileprivate func isFull(for size: Int) -> Bool { bytes.count + size > Batch.byteBound }

    fileprivate mutating func append(type: UInt32, _ text: Span<UInt8>) {
      bytes.append(type)
      bytes.append(UInt32(text.count))
      unsafe text.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
      count += 1
    }

    func forEach(_ body: (_ type: UInt32, _ text: Span<UInt8>) -> Void) {
      var at = 0
      while at < bytes.count {
        let type = bytes.span.number(at: at)
        let size = Int(bytes.span.number(at: at + 4))
        body(type, bytes.span.extracting(at + 8..<at + 8 + size))
        at += 8 + size
      }
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ number: UInt32) {
    for shift in 0..<4 { append(UInt8(truncatingIfNeeded: number >> (shift * 8))) }
  }
}

extension Span<UInt8> {
  fileprivate func number(at position: Int) -> UInt32 {
    UInt32(self[position]) | UInt32(self[position + 1]) << 8 | UInt32(self[position + 2]) << 16
      | UInt32(self[position + 3]) << 24
  }
}
