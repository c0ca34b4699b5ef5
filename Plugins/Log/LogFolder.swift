import AudispatchPlugin
import Linux

/// The rotated files of a log, and what is done with them.
struct LogFolder {
  let path: String
  let base: String

  init(of log: String) {
    path = Files.folder(of: log)
    base = LogFile.name(of: log)
  }

  func files() throws(Obstacle) -> RotatedFiles {
    do throws(Errno) {
      return try RotatedFiles(of: base, in: path)
    } catch { throw Obstacle("list", path, error) }
  }

  func full(_ name: String) -> String { path == "/" ? "/" + name : "\(path)/\(name)" }

  /// Moves the log away, and those before it.
  func rotate(keeping count: Int?) throws(Obstacle) {
    try perform(try files().rotation(keeping: count))
  }

  /// Takes away what a crash has left, and what is beyond the number of files. The copy that is
  /// being made stays.
  func tidy(keeping count: Int?, isCompressing: Bool) throws(Obstacle) {
    let files = try files()
    var steps = files.doubles
    if let count, count >= 2 {
      steps += files.excess(keeping: count).filter { !steps.contains($0) }
    }
    try perform(steps)
    let unfinished = Compression.unfinished(base)
    // A folder in its place is somebody else's, and only keeps files from being compressed.
    if !isCompressing,
      let status = try? Files.status(of: full(unfinished), followingLinks: false),
      status.kind != .directory
    {
      try perform([.remove(unfinished)])
    }
  }

  /// Removes the oldest rotated file; tells which, and how many bytes it had.
  func removeOldest() throws(Obstacle) -> String? {
    guard let oldest = try files().oldest else { return nil }
    try perform([.remove(oldest)])
    return full(oldest)
  }

  private func perform(_ steps: [RotatedFiles.Step]) throws(Obstacle) {
    do throws(SystemError) {
      for step in steps {
        switch step {
        case .remove(let name): try Files.remove(full(name))
        case .rename(let from, let to): try Files.rename(full(from), to: full(to))
        }
      }
    } catch { throw Obstacle(error) }
  }

  /// Makes new names last through a crash of the host.
  func sync() throws(Obstacle) {
    do throws(SystemError) { try Files.syncFolder(path) } catch { throw Obstacle(error) }
  }
}
