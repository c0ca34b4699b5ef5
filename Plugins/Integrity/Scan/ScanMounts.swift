import Linux
import Synchronization

/// The mount points in the way of a scan, each tried on a thread of its own before a worker looks into it:
/// what does not answer is reported, and all else is scanned. A mount that stops answering afterwards
/// holds up who is in it.
final class ScanMounts: Sendable {
  private let points: Set<FilePath>
  private let folders: Set<FilePath>
  private let reach: ScanReach
  /// As they were at their first trial: a scan has or lacks all of one.
  private let known = Mutex<[FilePath: Bool]>([:])

  init(_ points: [FilePath] = MountPoints.current, by reach: ScanReach = ScanReach()) {
    self.points = Set(points)
    folders = Set(points.map(\.folder))
    self.reach = reach
    reach.beginScan()
  }

  /// Whether something is mounted on an entry of this folder.
  func areIn(_ folder: FilePath) -> Bool { folders.contains(folder) }

  /// Whether something is mounted here that does not answer. Waits for a second at most, once.
  func isSilent(_ path: FilePath) -> Bool {
    guard points.contains(path) else { return false }
    return known.withLock { known in
      if let answers = known[path] { return !answers }
      let answers = reach.answers(path)
      known[path] = answers
      return !answers
    }
  }

  /// What does not answer of what is mounted on the way to a path, and there.
  func silent(above path: FilePath) -> FilePath? {
    var way = [path]
    while let last = way.last, !last.isRoot { way.append(last.folder) }
    return way.last { isSilent($0) }
  }
}

/// What a plugin's scans know of mount points that hang: one thread waits in each, however many scans
/// there are.
final class ScanReach: Sendable {
  private let reach = Mutex(MountReach {})

  /// Those that have answered meanwhile are tried anew.
  func beginScan() { reach.withLock { _ = $0.takeAnswered() } }

  /// Whether it can be looked into; waits for a second at most.
  func answers(_ path: FilePath) -> Bool { reach.withLock { $0.answers(path) } }
}

extension ScanProblem {
  /// It is not covered, since what is mounted there, or above it, does not answer.
  init(path: FilePath, silent: FilePath) {
    let what = path == silent ? "what is mounted here" : "what is mounted at \(silent.shown)"
    self.init(path: path, reason: "not covered: \(what) does not answer")
  }
}
