import Glibc
import Linux
import Synchronization

/// Says that something was mounted or unmounted, on a thread of its own, which waits for that alone.
final class MountWatch: ThreadWork {
  private let file: Descriptor
  private let bell: @Sendable () -> Void
  private let hasChanged = Mutex(false)

  init(bell: @escaping @Sendable () -> Void) throws(SystemError) {
    file = try Descriptor.open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)
    self.bell = bell
  }

  /// Whether there was anything since it was asked last.
  func take() -> Bool {
    hasChanged.withLock { changed in
      defer { changed = false }
      return changed
    }
  }

  func run() {
    while true {
      // A change is told as an error of the file (proc_pid_mountinfo(5)), once.
      let ready = Poll.wait([(file.number, .nothing)], milliseconds: -1)
      guard ready[0].contains(.ended) else { continue }
      hasChanged.withLock { $0 = true }
      bell()
    }
  }
}

/// What is mounted above and below the roots, and what has become of it: a value.
struct MountState: Equatable {
  /// As it was when the plugin began.
  private let start: Set<MountPoints.Mount>
  private var now: Set<MountPoints.Mount>
  /// Where something is mounted now.
  private(set) var points: Set<FilePath>
  /// Those of the start that were gone once: the kernel gives their numbers to others.
  private var lost: Set<MountPoints.Mount> = []

  init(_ mounts: [MountPoints.Mount]) {
    start = Set(mounts)
    now = start
    points = Set(mounts.map(\.path))
  }

  /// Takes what there is now; the paths whose files may be other ones than before, of those that are
  /// watched.
  mutating func take(_ mounts: [MountPoints.Mount], _ policy: Policy) -> [FilePath] {
    let new = Set(mounts)
    let changed = now.symmetricDifference(new)
    now = new
    points = Set(mounts.map(\.path))
    lost.formUnion(start.subtracting(new))
    var affected: Set<FilePath> = []
    for path in changed.map(\.path) {
      for root in policy.roots {
        if root.isWithin(path) {
          affected.insert(root)
        } else if path.isWithin(root), policy.decision(for: path).leadsOn {
          affected.insert(path)
        }
      }
    }
    return affected.filter { !$0.isBelow(affected) }.sorted()
  }

  /// What is not as it was at the start, as sentences.
  func findings(_ policy: Policy) -> [String] {
    func concerns(_ path: FilePath) -> Bool {
      policy.roots.contains { root in
        root.isWithin(path) || path.isWithin(root) && policy.decision(for: path).leadsOn
      }
    }
    let gone = Set(lost.map(\.path).filter(concerns))
    let new = Set(now.subtracting(start).map(\.path).filter(concerns)).subtracting(gone)
    return gone.sorted().map { path in
      points.contains(path)
        ? "\(path.shown) was mounted anew: it may be another file system"
        : "\(path.shown) was unmounted: what it held is not seen"
    } + new.sorted().map { "something was mounted at \($0.shown): what it covers is not seen" }
  }
}

extension FilePath {
  /// Whether one of these is above it.
  fileprivate func isBelow(_ paths: Set<FilePath>) -> Bool {
    var above = self
    while !above.isRoot {
      above = above.folder
      if paths.contains(above) { return true }
    }
    return false
  }
}
