import Linux
import Synchronization

/// The mount points in the way of a scan, each tried on a thread of its own before a worker looks into it:
/// what does not answer is reported, and all else is scanned. A mount that stops answering afterwards
/// holds up who is in it.
final class ScanMounts: Sendable {
  private struct State {
    var reach = MountReach {}
    var answers: [FilePath: Bool] = [:]
  }

  private let points: Set<FilePath>
  private let folders: Set<FilePath>
  private let state = Mutex(State())

  init(_ points: [FilePath] = MountPoints.current) {
    self.points = Set(points)
    folders = Set(points.map(\.folder))
  }

  /// Whether something is mounted on an entry of this folder.
  func areIn(_ folder: FilePath) -> Bool { folders.contains(folder) }

  /// Whether something is mounted here that does not answer. Waits for a second at most, once.
  func isSilent(_ path: FilePath) -> Bool {
    guard points.contains(path) else { return false }
    return state.withLock { state in
      if let known = state.answers[path] { return !known }
      let answers = state.reach.answers(path)
      state.answers[path] = answers
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

extension ScanProblem {
  /// It is not covered, since what is mounted there, or above it, does not answer.
  init(path: FilePath, silent: FilePath) {
    let what = path == silent ? "what is mounted here" : "what is mounted at \(silent.shown)"
    self.init(path: path, reason: "not covered: \(what) does not answer")
  }
}
