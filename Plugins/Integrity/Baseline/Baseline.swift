import CSQLite
import Linux

/// The states of all watched files that somebody has accepted, in SQLite.
///
/// One file, which is always either before or after: `init` builds another one beside it and
/// renames that over it; everything else changes it in one transaction.
///
///     meta        name, value: format, policy (what was watched), state
///     folder      id, path, read (whether a scan that was interrupted has read it whole), count and
///                 digest of its entries
///     entry       folder, name, inode, device, state (StateEncoding), seal
///     chain       sequence, at, command, reason, login, session, uid, terminal, added, removed,
///                 changed, content, steps, head (ChainLink)
///     checkpoint  sequence, key, signature
///     history     generation (the sequence of the change), path, before, after
///     package     PackageTable
///
/// The seal is the first 16 bytes of SHA-256 over path, NUL and state: a row that was altered by
/// another program does not fit it.
final class Baseline {
  static let format: Int64 = 2

  let database: Database
  /// Folders by their path, those that were asked for last.
  private var folders: [FilePath: Int64] = [:]

  private init(_ database: Database) { self.database = database }

  /// Opens a baseline that is there. One of an earlier format is brought to this one.
  static func open(_ path: String, readOnly: Bool = false) throws(DatabaseError) -> Baseline {
    if readOnly, try Baseline(Database(path, creating: false, readOnly: true)).meta("format") == "1"
    {
      _ = try open(path)
    }
    let baseline = Baseline(try Database(path, creating: false, readOnly: readOnly))
    if !readOnly, try baseline.meta("format") == "1" { try baseline.migrateFromFirst() }
    let format = try baseline.meta("format")
    guard format == String(Self.format) else {
      throw DatabaseError(
        operation: "read", path: path,
        reason: "format \(format ?? "unknown"), and this program knows \(Self.format)", code: 0)
    }
    if !readOnly { try baseline.database.execute("PRAGMA synchronous = FULL") }
    return baseline
  }

  /// Makes an empty one, or opens one that was begun.
  static func build(_ path: String) throws(DatabaseError) -> Baseline {
    let baseline = Baseline(try Database(path, creating: true))
    // Until it is renamed nobody depends on it: it is synced once, at the end.
    try baseline.database.execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384")
    try baseline.database.execute(schema)
    return baseline
  }

  private static let schema = """
    CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS folder (
      id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, read INTEGER NOT NULL DEFAULT 0,
      count INTEGER NOT NULL DEFAULT 0, digest BLOB);
    CREATE TABLE IF NOT EXISTS entry (
      folder INTEGER NOT NULL, name BLOB NOT NULL, inode INTEGER NOT NULL,
      device INTEGER NOT NULL, state BLOB NOT NULL, seal BLOB NOT NULL,
      PRIMARY KEY (folder, name)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS entry_inode ON entry (inode, device);
    CREATE TABLE IF NOT EXISTS history (
      generation INTEGER NOT NULL, path BLOB NOT NULL, before BLOB, after BLOB);
    CREATE INDEX IF NOT EXISTS history_path ON history (path);
    INSERT OR IGNORE INTO meta VALUES ('format', '2');
    """ + chainSchema

  static let chainSchema = """

    CREATE TABLE IF NOT EXISTS chain (
      sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, command TEXT NOT NULL, reason TEXT,
      login INTEGER, session INTEGER, uid INTEGER NOT NULL, terminal TEXT,
      added INTEGER NOT NULL, removed INTEGER NOT NULL, changed INTEGER NOT NULL,
      content BLOB, steps BLOB NOT NULL, head BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS checkpoint (
      sequence INTEGER PRIMARY KEY, key BLOB NOT NULL, signature BLOB NOT NULL);
    """

  func meta(_ name: String) throws(DatabaseError) -> String? {
    var value: String?
    try database.forEach("SELECT value FROM meta WHERE name = ?", .text(name)) { row in
      value = row.text(0)
    }
    return value
  }

  func setMeta(_ name: String, _ value: String) throws(DatabaseError) {
    try database.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", .text(name), .text(value))
  }
}

// MARK: - Entries

extension Baseline {
  struct Entry: Equatable {
    let name: FileName
    let state: FileState
  }

  /// The number of a folder; `nil` when nothing is known of it.
  func number(of folder: FilePath) throws(DatabaseError) -> Int64? {
    if let known = folders[folder] { return known }
    var found: Int64?
    try database.forEach("SELECT id FROM folder WHERE path = ?", .blob(folder.bytes)) { row in
      found = row.integer(0)
    }
    if let found { remember(folder, found) }
    return found
  }

  private func remember(_ folder: FilePath, _ number: Int64) {
    if folders.count >= 4096 { folders.removeAll(keepingCapacity: true) }
    folders[folder] = number
  }

  func makeNumber(of folder: FilePath) throws(DatabaseError) -> Int64 {
    if let known = try number(of: folder) { return known }
    try database.run("INSERT INTO folder (path) VALUES (?)", .blob(folder.bytes))
    remember(folder, database.lastRowID)
    return database.lastRowID
  }

  /// What is kept of the entries of a folder, by name, after the one and up to the other.
  func entries(
    of folder: Int64, after: FileName? = nil, upTo: FileName? = nil
  ) throws(DatabaseError) -> [Entry] {
    var entries: [Entry] = []
    let from = after.map { Array($0.bytes) } ?? []
    let take: (SQLRow) throws(DatabaseError) -> Void = { row throws(DatabaseError) in
      entries.append(Entry(name: FileName(row.blob(0) ?? []), state: try self.state(row, 1)))
    }
    if let upTo {
      try database.forEach(
        "SELECT name, state FROM entry WHERE folder = ? AND name > ? AND name <= ? ORDER BY name",
        .integer(folder), .blob(from), .blob(Array(upTo.bytes)), body: take)
    } else {
      try database.forEach(
        "SELECT name, state FROM entry WHERE folder = ? AND name > ? ORDER BY name",
        .integer(folder), .blob(from), body: take)
    }
    return entries
  }

  func state(of path: FilePath) throws(DatabaseError) -> FileState? {
    guard let folder = try number(of: path.folder) else { return nil }
    var found: FileState?
    try database.forEach(
      "SELECT state FROM entry WHERE folder = ? AND name = ?", .integer(folder),
      .blob(Array(path.name.bytes))
    ) { row throws(DatabaseError) in found = try self.state(row, 0) }
    return found
  }

  /// Every path that an inode has.
  func paths(ofInode inode: UInt64, on device: UInt64) throws(DatabaseError) -> [FilePath] {
    var paths: [FilePath] = []
    try database.forEach(
      """
      SELECT folder.path, entry.name FROM entry JOIN folder ON folder.id = entry.folder
      WHERE entry.inode = ? AND entry.device = ?
      """, .bits(inode), .bits(device)
    ) { row in
      paths.append(FilePath(row.blob(0) ?? []).appending(FileName(row.blob(1) ?? [])))
    }
    return paths.sorted()
  }

  /// Every entry, by folders and names.
  func forEachEntry(
    _ body: (FilePath, FileState, _ sealFits: Bool) throws(DatabaseError) -> Void
  ) throws(DatabaseError) {
    try database.forEach(
      """
      SELECT folder.path, entry.name, entry.state, entry.seal, entry.inode, entry.device
      FROM folder JOIN entry ON entry.folder = folder.id ORDER BY folder.path, entry.name
      """
    ) { row throws(DatabaseError) in
      let path = FilePath(row.blob(0) ?? []).appending(FileName(row.blob(1) ?? []))
      let bytes = row.blob(2) ?? []
      guard let state = FileState(encoded: bytes) else { throw damaged }
      let fits =
        row.blob(3) == Self.seal(path, bytes) && row.bits(4) == state.facts.inode
        && row.bits(5) == state.facts.device
      try body(path, state, fits)
    }
  }

  func put(_ path: FilePath, _ state: FileState) throws(DatabaseError) {
    try put(path, state.encoded, state, in: makeNumber(of: path.folder))
  }

  func put(
    _ path: FilePath, _ encoded: [UInt8], _ state: FileState, in folder: Int64
  ) throws(DatabaseError) {
    try database.run(
      "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?)", .integer(folder),
      .blob(Array(path.name.bytes)), .bits(state.facts.inode), .bits(state.facts.device),
      .blob(encoded), .blob(Self.seal(path, encoded)))
  }

  func remove(_ path: FilePath) throws(DatabaseError) {
    guard let folder = try number(of: path.folder) else { return }
    try database.run(
      "DELETE FROM entry WHERE folder = ? AND name = ?", .integer(folder),
      .blob(Array(path.name.bytes)))
  }

  func count() throws(DatabaseError) -> Int {
    var count = 0
    try database.forEach("SELECT count(*) FROM entry") { row in count = Int(row.integer(0)) }
    return count
  }

  /// All folders of which something is known.
  func forEachFolder(
    _ body: (Int64, FilePath, _ isRead: Bool) throws(DatabaseError) -> Void
  ) throws(DatabaseError) {
    try database.forEach("SELECT id, path, read FROM folder ORDER BY path") {
      row throws(DatabaseError) in
      try body(row.integer(0), FilePath(row.blob(1) ?? []), row.integer(2) != 0)
    }
  }

  private func state(_ row: SQLRow, _ column: Int32) throws(DatabaseError) -> FileState {
    guard let state = FileState(encoded: row.blob(column) ?? []) else { throw damaged }
    return state
  }

  private var damaged: DatabaseError {
    DatabaseError(
      operation: "read", path: database.path, reason: "a row holds no state: it was altered",
      code: 0)
  }

  static func seal(_ path: FilePath, _ encoded: [UInt8]) -> [UInt8] {
    Array(Hashing.sha256(of: path.bytes + [0] + encoded).prefix(16))
  }
}
