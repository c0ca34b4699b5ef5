import Glibc
import Linux

/// The worker's children: their keeper has both ends of each one's socket, so that what lies in it
/// survives the worker.
///
/// After the worker's death a child has the end of its input. One that does not end of itself is made
/// to. When it has ended the next worker is told, once, and gets both ends of its socket.
struct KeptChildren {
  /// A child of the present worker or of a dead one.
  final class Child {
    let pid: Int32
    let ourEnd: Descriptor
    let childEnd: Descriptor
    /// Readable when it has ended; `nil`: it had before it was kept.
    private let process: Descriptor?
    /// Its worker is dead.
    fileprivate var end: OrphanEnd?
    /// The present worker knows that it has ended.
    fileprivate var isTold = false

    fileprivate init(pid: Int32, ourEnd: consuming Descriptor, childEnd: consuming Descriptor) {
      self.pid = pid
      self.ourEnd = ourEnd
      self.childEnd = childEnd
      process = Descriptor.process(pid)
    }

    fileprivate var number: Int32? {
      switch process {
      case .some(let process): process.number
      case nil: nil
      }
    }

    fileprivate var hasEnded: Bool { number.map { DescriptorKind.isReadable($0) } ?? true }
  }

  private var children: [UInt64: Child] = [:]

  /// Their processes, by the children's numbers.
  var processes: [UInt64: Int32] { children.mapValues(\.pid) }

  /// Whether a dead worker's child may end, or its end is to be told, at any moment.
  var awaitEnd: Bool { children.values.contains { $0.end != nil && !$0.isTold } }

  mutating func keep(
    _ id: UInt64, _ pid: Int32, ourEnd: consuming Descriptor, childEnd: consuming Descriptor
  ) {
    children[id] = Child(pid: pid, ourEnd: ourEnd, childEnd: childEnd)
  }

  mutating func forget(_ id: UInt64) { children[id] = nil }

  /// Another worker is started: it is told of all that have ended.
  func tellAgain() { for child in children.values { child.isTold = false } }

  /// Their worker is dead.
  ///
  /// - Parameter token: what the poller is to wake up with when one ends.
  func orphan(_ now: Moment, _ poller: borrowing Poller, _ token: UInt64) {
    for child in children.values where child.end == nil {
      child.end = OrphanEnd(since: now)
      shutdown(child.ourEnd.number, Int32(SHUT_WR))
      if let number = child.number { _ = poller.add(number, token, .read) }
    }
  }

  /// Tells the worker which have ended, and has the others end as their time has come.
  ///
  /// - Parameter tell: `false`: the worker could not be told now.
  func tend(_ now: Moment, _ poller: borrowing Poller, tell: (UInt64, Child) -> Bool) {
    for (id, child) in children where child.end != nil && !child.isTold {
      if child.hasEnded {
        if let number = child.number { poller.remove(number) }
        child.isTold = tell(id, child)
      } else if let signal = child.end?.signal(now) {
        kill(child.pid, signal)
      }
    }
  }
}
