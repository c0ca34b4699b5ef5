import Glibc
import Linux

/// A dead worker's plugins.
extension Holder {
  /// A worker's child.
  final class Kept {
    let pid: Int32
    /// Readable when it has ended; `nil` when it had before it was kept.
    let number: Int32?
    let ourEnd: Descriptor
    let childEnd: Descriptor
    /// Its worker is dead, since then.
    var orphanedAt: Moment?
    var wasAsked = false
    var wasKilled = false
    var isReported = false

    init(pid: Int32, ourEnd: consuming Descriptor, childEnd: consuming Descriptor) {
      self.pid = pid
      if let process = Descriptor.process(pid) { number = process.release() } else { number = nil }
      self.ourEnd = ourEnd
      self.childEnd = childEnd
    }

    deinit { if let number { close(number) } }

    var hasEnded: Bool { number.map { DescriptorKind.isReadable($0) } ?? true }
  }

  /// Reaps what has fallen to this process; asks and makes those to end that do not see that their
  /// input has.
  func lookAtOrphans() {
    guard kept.values.contains(where: { $0.orphanedAt != nil && !$0.isReported }) else {
      return reapStrangers()
    }
    reapStrangers()
    let now = Moment.now
    for (id, child) in kept {
      guard let since = child.orphanedAt, !child.isReported else { continue }
      if child.hasEnded {
        if let fd = child.number { poller.remove(fd) }
        guard channel?.send("ended \(id)", [child.ourEnd.number, child.childEnd.number]) ?? false
        else { continue }
        child.isReported = true
      } else if now - since > .seconds(5), !child.wasKilled {
        child.wasKilled = true
        kill(child.pid, SIGKILL)
      } else if now - since > .seconds(2), !child.wasAsked {
        child.wasAsked = true
        kill(child.pid, SIGTERM)
      }
    }
  }

  /// Children that are not the worker. The worker itself is waited for by its number only.
  private func reapStrangers() {
    while let pid = ChildProcess.endedChild, pid != worker?.pid {
      ChildProcess.forget(pid)
    }
  }
}
