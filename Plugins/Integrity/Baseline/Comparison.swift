import Linux

/// Compares what a scan finds with a baseline, part by part; needs memory for the changes and a
/// number for each folder.
struct Comparison {
  let baseline: Baseline
  let policy: Policy
  /// Of files that the policy does not name any more.
  private(set) var unwatched: [FilePath] = []
  /// Files with more names or fewer than the baseline has, where that does not count: who changes such a
  /// one cannot be told without looking.
  private var relinked: [FilePath] = []
  private var visited: Set<Int64> = []
  /// What could not be looked at: of what is below it nothing is concluded.
  private var unknown: [FilePath] = []
  /// Roots that are gone.
  private var gone: [FilePath] = []

  init(_ baseline: Baseline, _ policy: Policy) {
    self.baseline = baseline
    self.policy = policy
  }

  mutating func take(_ part: ScannedPart) throws(DatabaseError) -> [StateChange] {
    var changes: [StateChange] = []
    let number = try baseline.number(of: part.path)
    if let number, part.parts > 0 { visited.insert(number) }
    var known: [Baseline.Entry] = []
    if let number {
      if part.parts > 0 {
        known = try baseline.entries(of: number, after: part.after, upTo: part.upTo)
      } else if let root = part.upTo,
        let state = try baseline.state(of: part.path.appending(root))
      {
        known = [.init(name: root, state: state)]
      }
    }
    // Both are sorted by name.
    var at = 0
    for entry in part.entries {
      while at < known.count, known[at].name < entry.name {
        removed(part.path.appending(known[at].name), known[at].state, &changes)
        at += 1
      }
      var before: FileState?
      if at < known.count, known[at].name == entry.name {
        before = known[at].state
        at += 1
      }
      guard let watched = policy.watched(by: entry.rule) else { continue }
      let path = part.path.appending(entry.name)
      var counting = watched.attributes
      if let before {
        counting = Self.allowed(entry.state, before, counting, in: part.folder, entry.name)
      }
      if let change = StateChange(
        path, before: before, after: entry.state, counting: counting, severity: watched.severity)
      {
        changes.append(change)
      } else if let before, before.type != .dir, before.facts.links != entry.state.facts.links {
        relinked.append(path)
      }
    }
    for entry in known[at...] {
      removed(part.path.appending(entry.name), entry.state, &changes)
    }
    return changes
  }

  mutating func takeRelinked() -> [FilePath] {
    defer { relinked = [] }
    return relinked
  }

  mutating func missing(_ path: FilePath) { gone.append(path) }

  mutating func note(_ problem: ScanProblem) {
    if problem.hidesContent { unknown.append(problem.path) }
  }

  /// What is in the baseline and below folders that are not there any more.
  ///
  /// - Parameter scope: the paths that were scanned.
  mutating func finish(_ scope: [FilePath]) throws(DatabaseError) -> [StateChange] {
    var changes: [StateChange] = []
    for path in gone {
      if let state = try baseline.state(of: path) { removed(path, state, &changes) }
    }
    var unvisited: [(Int64, FilePath)] = []
    try baseline.forEachFolder { number, path, _ in
      if !visited.contains(number), scope.contains(where: path.isWithin) {
        unvisited.append((number, path))
      }
    }
    for (number, folder) in unvisited {
      for entry in try baseline.entries(of: number) {
        removed(folder.appending(entry.name), entry.state, &changes)
      }
    }
    var seen: Set<FilePath> = []
    return changes.filter { seen.insert($0.path).inserted }
  }

  private mutating func removed(
    _ path: FilePath, _ state: FileState, _ changes: inout [StateChange]
  ) {
    if unknown.contains(where: path.isWithin) { return }
    guard let watched = policy.watched(path) else {
      unwatched.append(path)
      return
    }
    if let change = StateChange(
      path, before: state, after: nil, counting: watched.attributes, severity: watched.severity)
    {
      changes.append(change)
    }
  }

  /// What counts of a log: one that was begun anew is another file by the same name, and one that
  /// has grown must begin with what was there.
  static func allowed(
    _ now: FileState, _ before: FileState, _ counting: AttributeSet, in folder: Folder,
    _ name: FileName
  ) -> AttributeSet {
    var counting = counting
    if counting.contains(.rotating), now.facts.inode != before.facts.inode {
      counting.subtract([.inode, .size, .modified, .changed, .born, .growing])
      counting.subtract(.hashes)
    }
    guard counting.contains(.growing), now.facts.size > before.facts.size,
      let digest = before.sha256, let count = before.hashed
    else { return counting }
    if Prefix.digest(of: name, in: folder, count) != digest {
      // Not grown but rewritten: that is a change like any other.
      counting.remove(.growing)
      counting.insert(.sha256)
    }
    return counting
  }
}

/// The beginning of a file.
enum Prefix {
  /// The SHA-256 of its first bytes; `nil` when it has fewer, or cannot be read.
  static func digest(of name: FileName, in folder: Folder, _ count: UInt64) -> [UInt8]? {
    guard let file = try? folder.open(name), let facts = try? file.facts(),
      facts.kind == .regular
    else { return nil }
    var hashing = Hashing(.sha256)
    var buffer = [UInt8](repeating: 0, count: 128 << 10)
    var left = count
    while left > 0 {
      guard let got = try? file.read(into: &buffer), got > 0 else { return nil }
      let own = min(got, Int(clamping: left))
      hashing.take(buffer, count: own)
      left -= UInt64(own)
    }
    var state = FileState(facts)
    hashing.finish(into: &state)
    return state.sha256
  }
}
