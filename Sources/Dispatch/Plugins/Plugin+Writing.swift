import Journal
import Linux

/// What a plugin's child is given of its queue.
extension Plugin {
  enum Written {
    /// All that waits, or what the socket has room for.
    case some
    /// What is unread is as much as may be, though the socket has room: it is looked at again later.
    case full
    /// Nobody reads it any more.
    case nothing
  }

  /// Writes what the child's socket takes.
  func write(
    to child: PluginChild, journal: Journal, now: Int64, scratch: inout [UInt8],
    survivor: Survivor, _ permit: borrowing WritingPermit
  ) -> Written {
    var outcome = offer(
      to: child, journal: journal, now: now, scratch: &scratch, survivor: survivor)
    // It may have read since it was asked last. Once: one that reads on and on holds up nobody.
    if case .full = outcome, hasReadMore() {
      outcome = offer(
        to: child, journal: journal, now: now, scratch: &scratch, survivor: survivor)
    }
    switch outcome {
    case .all: return .some
    case .refused: return .nothing
    case .full: return .full
    case .blocked(let isMidway):
      child.block()
      // The plugin may not read for long: until it does, this is what a successor goes by.
      if isMidway, let slot {
        survivor.written(slot, .init(subscription.streamPosition))
      }
      return .some
    }
  }

  private func hasReadMore() -> Bool {
    let before = subscription.outstanding
    refresh()
    return subscription.outstanding < before
  }

  @inline(__always)
  private func offer(
    to child: PluginChild, journal: Journal, now: Int64, scratch: inout [UInt8],
    survivor: Survivor
  ) -> Subscription.Outcome {
    let fd = child.inputNumber
    let slot = slot
    return unsafe subscription.write(journal: journal, now: now, scratch: &scratch) {
      bytes, offer, before in
      let result: WriteResult
      if let slot {
        // A successor has to tell by its bytes what the socket took of it, and what was read.
        unsafe offer.note(
          on: survivor.tape(slot), of: Survivor.tapeThings, from: before.things)
        result = unsafe survivor.send(slot, fd, bytes, before: .init(before))
      } else {
        result = unsafe UnixSocket.send(fd, bytes)
      }
      return switch result {
      case .bytes(let count): .bytes(count)
      case .wouldBlock: .nothing
      case .failed: .refused
      }
    }
  }
}

extension Survivor.StreamPlace {
  @inline(__always)
  init(_ position: StreamPosition) {
    self.init(
      bytes: position.written.value, records: position.records, things: position.things.value,
      rest: position.rest)
  }
}
