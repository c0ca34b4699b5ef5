import AuditRecord
import Linux
import Synchronization

/// What was read and not handled yet: bounded, between the reading and the handling thread.
///
/// What is being handled counts until it is handed back. One thing more than the bound may be in
/// it, so that anything passes.
final class Handoff<Item: Delivered>: Sendable {
  struct Chunk: Sendable {
    var items: [Item]
    var cost: Int
  }

  /// What the reader found, beside what it handed over.
  struct Findings: Sendable {
    var counters = PluginCounters()
    var malformed = MalformedInputs()
    var failure: SystemError?
    var hasEnded = false
    /// Something stood in the input that cannot be counted: no record behind it has a number.
    var isOutOfStep = false
  }

  private struct State {
    var chunks: [Chunk] = []
    var taken = 0
    var cost = 0
    var findings = Findings()
    var readerWaits = false
    var handlerWaits = false
  }

  private let bound: Int
  private let state = Mutex(State())
  /// Rings for the handling thread.
  let filled: Bell
  /// Rings for the reading thread.
  let commands: Bell

  init(bound: Int) throws(SystemError) {
    self.bound = bound
    filled = try Bell()
    commands = try Bell()
  }

  // MARK: The reading thread

  /// Adds things and what was found with them. Returns whether there is room for more; when there
  /// is none, `commands` rings as soon as there is.
  func put(_ items: [Item], _ findings: Findings) -> Bool {
    var cost = 0
    for index in items.indices { cost += items[index].cost }
    let (hasRoom, wake) = state.withLock { state in
      if !items.isEmpty { state.chunks.append(Chunk(items: items, cost: cost)) }
      state.cost += cost
      state.findings = findings
      state.readerWaits = state.cost >= bound
      let wake = state.handlerWaits && (!items.isEmpty || findings.hasEnded)
      if wake { state.handlerWaits = false }
      return (!state.readerWaits, wake)
    }
    if wake { filled.ring() }
    return hasRoom
  }

  var hasRoom: Bool { state.withLock { $0.cost < bound } }

  // MARK: The handling thread

  /// The oldest things, and what was found so far. When there are none, `filled` rings as soon as
  /// there are.
  func take() -> (Chunk?, Findings) {
    state.withLock { state in
      guard state.taken < state.chunks.count else {
        state.handlerWaits = true
        return (nil, state.findings)
      }
      let chunk = state.chunks[state.taken]
      state.chunks[state.taken].items = []
      state.taken += 1
      if state.taken == state.chunks.count {
        state.chunks.removeAll(keepingCapacity: true)
        state.taken = 0
      }
      return (chunk, state.findings)
    }
  }

  /// Says that a chunk's things are handled.
  func giveBack(_ cost: Int) {
    let wake = state.withLock { state in
      state.cost -= cost
      guard state.readerWaits, state.cost < bound else { return false }
      state.readerWaits = false
      return true
    }
    if wake { commands.ring() }
  }
}

/// How much input had to be skipped, and a sample of it.
struct MalformedInputs: Sendable {
  var counts: [MalformedInput: Int] = [:]
  var sample: [UInt8] = []
}
