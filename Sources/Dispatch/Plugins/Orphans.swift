import Glibc
import Keeper
import Linux

/// The plugins of a dispatcher that was killed, as its successor finds them in its `ChildrenList`.
///
/// Each holds up the plugin of its own name, and no other.
struct Orphans {
  private let since: Moment
  private var end: OrphanEnd
  private(set) var children: [ChildrenList.Child]

  init(_ list: ChildrenList.Content, now: Moment) {
    since = now
    end = OrphanEnd(since: now)
    children = list.children
  }

  /// Whether one of that name may still run.
  func includes(_ name: String) -> Bool { children.contains { $0.name == name } }

  var isEmpty: Bool { children.isEmpty }
  var names: Set<String> { Set(children.map(\.name)) }

  /// Looks which still run, and asks or makes them to end as their time has come.
  mutating func tend(_ now: Moment) {
    children.removeAll { ProcessFacts.hasEnded($0.pid, startedAt: $0.start) }
    guard let signal = end.signal(now) else { return }
    for child in children { kill(child.pid, signal) }
  }

  /// When to look again: most have ended within moments.
  func nextLook(_ now: Moment) -> Moment {
    now + (now - since < .milliseconds(200) ? .milliseconds(4) : .milliseconds(50))
  }
}
