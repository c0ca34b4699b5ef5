import Glibc
import Linux

/// A baseline that is being built beside the one in force: `baseline.db.building`. What was read
/// is committed every few seconds, so that a scan that was interrupted goes on where it was.
struct Building {
  private let path: String
  private let target: String
  private let baseline: Baseline
  /// Parts that are still to come of folders that were begun.
  private var missing: [FilePath: Int] = [:]
  private var uncommitted = 0
  private var begun = Moment.now
  private(set) var entries = 0
  /// Whether it goes on with what an interrupted scan left.
  let isResumed: Bool

  static func path(for target: String) -> String { target + ".building" }

  /// - Parameters:
  ///   - policy: what is watched, as text: what was read under another one does not count.
  init(for target: String, policy: String, restarting: Bool) throws(DatabaseError) {
    self.target = target
    path = Self.path(for: target)
    var built = try Baseline.build(path)
    let before = try built.meta("policy")
    let isOfNow = try built.meta("format") == String(Baseline.format)
    if before != nil, restarting || before != policy || !isOfNow {
      Self.remove(path)
      built = try Baseline.build(path)
    }
    try built.reopen()
    isResumed = before != nil && !restarting && before == policy && isOfNow
    try built.setMeta("policy", policy)
    // A scan that goes on keeps what was noted when it began.
    if try built.meta("read.0") == nil { try built.note(.beginning, of: 0) }
    baseline = built
    try baseline.database.execute("BEGIN IMMEDIATE")
  }

  private static func remove(_ path: String) {
    for suffix in ["", "-wal", "-shm"] { unsafe _ = unlink(path + suffix) }
  }

  /// Folders that were read whole, with the folders in them.
  func known() throws(DatabaseError) -> [FilePath: [FilePath]] {
    var known: [FilePath: [FilePath]] = [:]
    var all: [FilePath] = []
    try baseline.forEachFolder { _, path, isRead in
      if isRead { known[path] = [] }
      all.append(path)
    }
    for path in all where !path.isRoot { known[path.folder]?.append(path) }
    return known
  }

  mutating func take(_ part: ScannedPart) throws(DatabaseError) {
    let folder = try baseline.makeNumber(of: part.path)
    for entry in part.entries {
      try baseline.put(
        part.path.appending(entry.name), entry.state.encoded, entry.state, in: folder)
    }
    for name in part.folders { _ = try baseline.makeNumber(of: part.path.appending(name)) }
    entries += part.entries.count
    uncommitted += part.entries.count + 1
    let left = (missing[part.path] ?? part.parts) - 1
    missing[part.path] = left > 0 ? left : nil
    if left == 0 {
      try baseline.database.run("UPDATE folder SET read = 1 WHERE id = ?", .integer(folder))
    }
    if uncommitted >= 50_000 || Moment.now - begun > .seconds(2) { try commit() }
  }

  private mutating func commit() throws(DatabaseError) {
    try baseline.database.execute("COMMIT; BEGIN IMMEDIATE")
    uncommitted = 0
    begun = .now
  }

  /// Keeps what was read, for the next time.
  func interrupt() throws(DatabaseError) {
    try baseline.database.execute("COMMIT")
  }

  /// Keeps what packages there are.
  func note(_ packages: [PackageTable.Row]) throws(DatabaseError) {
    try PackageTable(baseline.database).replace(by: packages)
  }

  /// Makes it the baseline, at once and durably. It goes on with the chain of the one before.
  ///
  /// - Returns: why it does not, if there is one whose chain cannot be read.
  func finish(_ generation: Generation, signing key: SigningKey?) throws -> DatabaseError? {
    var obstacle: DatabaseError?
    if (try? Files.status(of: target)) != nil {
      do throws(DatabaseError) {
        let before = try Baseline.open(target)
        try baseline.takeChain(of: before)
        try baseline.takeWindows(of: before)
        _ = try baseline.nextNumber()
      } catch {
        obstacle = error
        try baseline.removeChain()
      }
    }
    var generation = generation
    generation.added = try baseline.count()
    try baseline.rename(readingOf: 0, to: baseline.nextNumber())
    try baseline.sealAllFolders()
    try baseline.append(generation, signing: key)
    try baseline.database.execute(
      "COMMIT; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE")
    try Durably.rename(path, to: target)
    return obstacle
  }
}

extension Baseline {
  /// Takes back the end of one that was finished and not renamed: its chain may not be the one that
  /// it has to go on with any more. Cut short, it does the same again.
  fileprivate func reopen() throws(DatabaseError) {
    let head = try head()
    if head == .origin { return }
    try rename(readingOf: head.sequence, to: 0)
    try removeChain()
  }

  fileprivate func removeChain() throws(DatabaseError) {
    try database.execute("DELETE FROM chain; DELETE FROM checkpoint")
  }
}

/// A rename that a power cut does not undo.
enum Durably {
  static func rename(_ path: String, to target: String) throws(SystemError) {
    let file = try Descriptor.open(path, O_RDONLY)
    guard fsync(file.number) == 0 else { throw SystemError("sync", path, .current) }
    guard unsafe Glibc.rename(path, target) == 0 else {
      throw SystemError("rename", path, .current)
    }
    let name = String(target[..<(target.lastIndex(of: "/") ?? target.startIndex)])
    let folder = try Descriptor.open(name.isEmpty ? "/" : name, O_RDONLY | O_DIRECTORY)
    guard fsync(folder.number) == 0 else { throw SystemError("sync", name, .current) }
  }
}
