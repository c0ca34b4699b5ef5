import Linux

/// What was told already, beside the baseline in `DATABASE.seen`: the state that a path had when it was
/// told last, where that is not the baseline's.
///
/// Whoever could write a row there would hide a change. So all that is kept is tied in a chain, as
/// changes of the baseline are (`ChainLink`): the last link of each item has its digest.
///
///     seen    path, state, at
///     meta    name, value: packages (the state of dpkg's database), head (that of the baseline)
///     package PackageTable
///     told    number, kind, name, digest, head
///
///     digest = SHA-256 of what is kept: of a path its state and time, of meta its value, of the packages
///              all of them
///     head   = SHA-256("audispatch-integrity told 1", head before, number, kind, name, digest)
final class SeenStates {
  /// What a link is about.
  enum Kind: Int64 {
    case path = 1, meta, packages
  }

  struct Item: Hashable {
    var kind: Int64
    var name: [UInt8]
  }

  /// Links beyond which those of states that are not kept any more are let go, when it is opened.
  static let mostLinks = 100_000

  let database: Database
  /// The last link as this process knows it.
  var head = ChainHead.origin
  /// SQLite's number of what others have written.
  private(set) var opened: Int64 = 0
  /// What another program did to it, as it was when it was opened.
  private(set) var problems: [String] = []

  /// Opens or makes it. What does not fit its chain is let go, so that it is told once more.
  ///
  /// - Parameter left: where the chain ended when this process had it open before.
  init(_ path: String, left: ChainHead? = nil) throws(DatabaseError) {
    database = try Database(path, creating: true)
    try database.execute(
      """
      PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;
      CREATE TABLE IF NOT EXISTS seen (path BLOB PRIMARY KEY, state BLOB, at INTEGER NOT NULL)
        WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID
      """)
    opened = try version()
    if try !hasChain() { try adopt() }
    var found = try examine()
    head = try last()
    if let left, left != head {
      found.note("what was told does not end as this program left it")
      found.isBroken = true
    }
    problems = found.lines
    if !found.isWell { try letGo(found) }
    try shorten()
  }

  private init(reading path: String) throws(DatabaseError) {
    database = try Database(path, creating: false, readOnly: true)
  }

  /// What another program did to one that a plugin may be using; `nil` for one without a chain.
  static func problems(of path: String) throws(DatabaseError) -> [String]? {
    let seen = try SeenStates(reading: path)
    return try seen.hasChain() ? seen.examine().lines : nil
  }

  // MARK: What is kept

  /// The state that a path had; `nil` where none is kept.
  func state(of path: FilePath) throws(DatabaseError) -> FileState?? {
    var found: FileState??
    try database.forEach("SELECT state FROM seen WHERE path = ?", .blob(path.bytes)) { row in
      found = .some(row.blob(0).flatMap { FileState(encoded: $0) })
    }
    return found
  }

  /// Since when it had it, in milliseconds since 1970.
  func time(of path: FilePath) throws(DatabaseError) -> Int64? {
    var at: Int64?
    try database.forEach("SELECT at FROM seen WHERE path = ?", .blob(path.bytes)) { row in
      at = row.integer(0)
    }
    return at
  }

  func paths() throws(DatabaseError) -> [FilePath] {
    var paths: [FilePath] = []
    try database.forEach("SELECT path FROM seen ORDER BY path") { row in
      paths.append(FilePath(row.blob(0) ?? []))
    }
    return paths
  }

  func meta(_ name: String) throws(DatabaseError) -> String? {
    var value: String?
    try database.forEach("SELECT value FROM meta WHERE name = ?", .text(name)) { row in
      value = row.text(0)
    }
    return value
  }

  // MARK: Keeping

  /// A state that a path had when it was told.
  struct Row {
    var path: FilePath
    var state: FileState?
    var at: Int64
  }

  /// Packages as they were explained, and of which state of dpkg's database they are.
  struct Packages {
    var rows: [PackageTable.Row]
    var stamp: String
  }

  /// Keeps all of it and seals it, or nothing.
  func keep(_ rows: [Row], packages: Packages? = nil) throws(DatabaseError) {
    try change { () throws(DatabaseError) in
      for row in rows {
        let state = row.state?.encoded
        try database.run(
          "INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", .blob(row.path.bytes), .optional(state),
          .integer(row.at))
        try link(.path, row.path.bytes, Self.digest(state, row.at))
      }
      if let packages {
        try PackageTable(database).make()
        for row in packages.rows { try PackageTable(database).put(row) }
        try link(.packages, [], PackageTable(database).digest())
        try put("packages", packages.stamp)
      }
    }
  }

  func setMeta(_ name: String, _ value: String) throws(DatabaseError) {
    try change { () throws(DatabaseError) in try put(name, value) }
  }

  private func put(_ name: String, _ value: String) throws(DatabaseError) {
    try database.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", .text(name), .text(value))
    try link(.meta, Array(name.utf8), Self.digest(Array(value.utf8)))
  }

  /// What failed leaves the head as it was.
  func change(_ body: () throws(DatabaseError) -> Void) throws(DatabaseError) {
    let before = head
    do throws(DatabaseError) { try database.transaction(body) } catch {
      head = before
      throw error
    }
  }

  func link(_ kind: Kind, _ name: [UInt8], _ digest: [UInt8]) throws(DatabaseError) {
    let number = head.sequence &+ 1
    let next = Self.head(after: head.digest, number, kind.rawValue, name, digest)
    try database.run(
      "INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?, ?)", .integer(number),
      .integer(kind.rawValue), .blob(name), .blob(digest), .blob(next))
    head = ChainHead(sequence: number, digest: next)
  }

  static func digest(_ parts: [UInt8]?, _ number: Int64? = nil) -> [UInt8] {
    var digest = DigestParts()
    digest.take(parts)
    if let number { digest.take(number) }
    return digest.finish()
  }

  static func head(
    after before: [UInt8], _ number: Int64, _ kind: Int64, _ name: [UInt8], _ digest: [UInt8]
  ) -> [UInt8] {
    var parts = DigestParts()
    parts.take(Array("audispatch-integrity told 1".utf8))
    parts.take(before)
    parts.take(number)
    parts.take(kind)
    parts.take(name)
    parts.take(digest)
    return parts.finish()
  }
}
