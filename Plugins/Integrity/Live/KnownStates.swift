import Linux

/// What was seen last where it is not what the baseline has: so that each change is told once, also
/// over a restart. In a database of its own beside the baseline, which stays as it was accepted.
struct KnownStates {
  let baseline: Baseline
  private let database: Database
  /// How states were read that this process has read itself.
  private var readings: [FilePath: Reading] = [:]
  private let accepted: Readings
  private let path: String
  private let inode: UInt64?

  /// Readings that are remembered; of others the least is assumed.
  private static let bound = 20_000

  init(_ path: String) throws(DatabaseError) {
    self.path = path
    inode = (try? Files.status(of: path))?.inode
    baseline = try Baseline.open(path, readOnly: true)
    accepted = try baseline.readings()
    database = try Database(path + ".seen", creating: true)
    try database.execute(
      """
      PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;
      CREATE TABLE IF NOT EXISTS seen (path BLOB PRIMARY KEY, state BLOB, at INTEGER NOT NULL)
        WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID
      """)
  }

  /// The state that was seen last, or accepted; `nil` for a path that was not there.
  func state(of path: FilePath) throws(DatabaseError) -> FileState? {
    var found: FileState??
    try database.forEach("SELECT state FROM seen WHERE path = ?", .blob(path.bytes)) { row in
      found = .some(row.blob(0).flatMap { FileState(encoded: $0) })
    }
    if let found { return found }
    return try baseline.state(of: path)
  }

  /// How the state of a path was read that is known of it.
  ///
  /// - Parameter verified: by what was read of everything that is as the baseline has it.
  func reading(of path: FilePath, verified: Reading?) throws(DatabaseError) -> Reading {
    var at: Int64?
    try database.forEach("SELECT at FROM seen WHERE path = ?", .blob(path.bytes)) { row in
      at = row.integer(0)
    }
    if let at { return readings[path] ?? Reading(since: at, open: Reading.unknown.open) }
    var own = readings[path]
    if own == nil { own = try accepted.reading(of: path, in: baseline) }
    if let verified, verified.since > own?.since ?? .min { return verified }
    return own ?? .unknown
  }

  /// A path was read anew, and is as it is known.
  mutating func confirm(_ path: FilePath, _ reading: Reading) {
    if readings.count >= Self.bound { readings.removeAll(keepingCapacity: true) }
    readings[path] = reading
  }

  mutating func put(
    _ path: FilePath, _ state: FileState?, _ reading: Reading
  ) throws(DatabaseError) {
    try database.run(
      "INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", .blob(path.bytes),
      .optional(state?.encoded), .integer(reading.since))
    confirm(path, reading)
  }

  /// Every path that was seen otherwise than it is in the baseline.
  func paths() throws(DatabaseError) -> [FilePath] {
    var paths: [FilePath] = []
    try database.forEach("SELECT path FROM seen ORDER BY path") { row in
      paths.append(FilePath(row.blob(0) ?? []))
    }
    return paths
  }

  /// What is known below a folder.
  func paths(below folder: FilePath) throws(DatabaseError) -> [FilePath] {
    var paths: [FilePath] = []
    var numbers: [(Int64, FilePath)] = []
    try baseline.forEachFolder { number, path, _ in
      if path.isWithin(folder) { numbers.append((number, path)) }
    }
    for (number, path) in numbers {
      paths += try baseline.entries(of: number).map { path.appending($0.name) }
    }
    return paths + (try self.paths().filter { $0 != folder && $0.isWithin(folder) })
  }
}

// MARK: - Packages

extension KnownStates {
  /// The packages as they were when their changes were explained last; `nil` where that is not known.
  func packages() throws(DatabaseError) -> [PackageName: Package]? {
    let own = try PackageTable(database).all()
    let accepted = try PackageTable(baseline.database).all()
    if own == nil, accepted == nil { return nil }
    return (accepted ?? [:]).merging(own ?? [:]) { _, own in own }.compactMapValues(\.self)
  }

  /// Where the files of a package lay then.
  func files(of name: PackageName) throws(DatabaseError) -> [UInt8] {
    if let files = try PackageTable(database).files(of: name) { return files }
    return try PackageTable(baseline.database).files(of: name) ?? []
  }

  /// Of which state of dpkg's database they are.
  func packageStamp() throws(DatabaseError) -> String? {
    var stamp: String?
    try database.forEach("SELECT value FROM meta WHERE name = 'packages'") { row in
      stamp = row.text(0)
    }
    return stamp
  }

  /// Keeps what has changed of the packages.
  func note(
    _ steps: [PackageStep], in dpkg: DpkgDatabase, _ stamp: DpkgDatabase.Stamp
  ) throws(DatabaseError) {
    try database.transaction { () throws(DatabaseError) in
      let (table, places) = (PackageTable(database), dpkg.places())
      try table.make()
      for step in steps {
        let files = step.after == nil ? [] : dpkg.files(of: step.name, places)
        try table.put(PackageTable.Row(name: step.name, package: step.after, files: files))
      }
      try database.run("INSERT OR REPLACE INTO meta VALUES ('packages', ?)", .text(stamp.text))
    }
  }
}

// MARK: - The baseline itself

extension KnownStates {
  /// Whether another file is in the place of the baseline that is open.
  var isReplaced: Bool { (try? Files.status(of: path))?.inode != inode }

  /// Whether the baseline goes on from what it was when it was looked at last: the head that it had
  /// then is in its chain. Remembers the one that it has now.
  func goesOn() throws(DatabaseError) -> Bool {
    let head = try baseline.head()
    var last: [UInt8]?
    try database.forEach("SELECT value FROM meta WHERE name = 'head'") { row in last = row.blob(0) }
    let digits = Array(FileState.hex(head.digest).utf8)
    if last == digits { return true }
    let goesOn = try last.map { last throws(DatabaseError) in
      try baseline.links().contains { Array(FileState.hex($0.head).utf8) == last }
    }
    try database.run(
      "INSERT OR REPLACE INTO meta VALUES ('head', ?)", .text(FileState.hex(head.digest)))
    return goesOn ?? true
  }
}
