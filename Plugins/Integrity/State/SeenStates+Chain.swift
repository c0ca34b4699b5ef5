import AudispatchPlugin
import Linux

/// The chain of what was told, and what another program did to it.
extension SeenStates {
  /// Whether another program has written to it since it was opened.
  func isTouched() throws(DatabaseError) -> Bool { try version() != opened }

  func version() throws(DatabaseError) -> Int64 {
    var version: Int64 = 0
    try database.forEach("PRAGMA data_version") { row in version = row.integer(0) }
    return version
  }

  func last() throws(DatabaseError) -> ChainHead {
    var head = ChainHead.origin
    try database.forEach("SELECT number, head FROM told ORDER BY number DESC LIMIT 1") { row in
      head = ChainHead(sequence: row.integer(0), digest: row.blob(1) ?? [])
    }
    return head
  }

  func hasChain() throws(DatabaseError) -> Bool {
    var isThere = false
    try database.forEach("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'told'") {
      _ in isThere = true
    }
    return isThere
  }

  /// Ties all that an earlier version kept: what was before that is not proven.
  func adopt() throws(DatabaseError) {
    try change { () throws(DatabaseError) in
      try database.execute(
        """
        CREATE TABLE told (
          number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name BLOB NOT NULL,
          digest BLOB NOT NULL, head BLOB NOT NULL);
        CREATE INDEX told_item ON told (kind, name)
        """)
      try linkAll()
    }
  }

  private func linkAll() throws(DatabaseError) {
    try forEachKept { (item, digest) throws(DatabaseError) in
      if let kind = Kind(rawValue: item.kind) { try link(kind, item.name, digest) }
    }
  }

  /// Everything that is kept, with its digest; the packages only where there are any, or should be.
  private func forEachKept(
    _ body: (Item, [UInt8]) throws(DatabaseError) -> Void
  ) throws(DatabaseError) {
    try database.forEach("SELECT path, state, at FROM seen ORDER BY path") {
      (row) throws(DatabaseError) in
      try body(
        Item(kind: Kind.path.rawValue, name: row.blob(0) ?? []),
        Self.digest(row.blob(1), row.integer(2)))
    }
    try database.forEach("SELECT name, value FROM meta ORDER BY name") {
      (row) throws(DatabaseError) in
      try body(
        Item(kind: Kind.meta.rawValue, name: row.blob(0) ?? []), Self.digest(row.blob(1) ?? []))
    }
    let packages = Item(kind: Kind.packages.rawValue, name: [])
    let digest = try PackageTable(database).digest()
    let isLinked = try proven(packages) != nil
    if isLinked || digest != DigestParts().finish() { try body(packages, digest) }
  }

  /// The digest that the last link of an item has.
  private func proven(_ item: Item) throws(DatabaseError) -> [UInt8]? {
    var digest: [UInt8]?
    try database.forEach(
      "SELECT digest FROM told WHERE kind = ? AND name = ? ORDER BY number DESC LIMIT 1",
      .integer(item.kind), .blob(item.name)
    ) { row in digest = row.blob(0) }
    return digest
  }

  /// Computes all of it anew. Reads everything, and keeps in memory what is wrong alone.
  func examine() throws(DatabaseError) -> Examination {
    var found = Examination()
    var (before, last) = (ChainHead.origin.digest, Int64(0))
    try database.forEach("SELECT number, kind, name, digest, head FROM told ORDER BY number") {
      row in
      let (number, head) = (row.integer(0), row.blob(4) ?? [])
      let expected = Self.head(
        after: before, number, row.integer(1), row.blob(2) ?? [], row.blob(3) ?? [])
      if number != last &+ 1 || head != expected {
        found.note("note \(number) of what was told is altered, or others are missing before it")
        found.isBroken = true
      }
      (before, last) = (head, number)
    }
    try forEachKept { (item, digest) throws(DatabaseError) in
      if try proven(item) == digest { return }
      found.stray.append(item)
      found.note("\(item.shown): what was told of it was altered by another program")
    }
    try database.forEach(
      """
      SELECT DISTINCT kind, name FROM told
      WHERE (kind = 1 AND NOT EXISTS (SELECT 1 FROM seen WHERE seen.path = told.name))
        OR (kind = 2 AND NOT EXISTS
          (SELECT 1 FROM meta WHERE meta.name = CAST(told.name AS TEXT)))
      """
    ) { row in
      let item = Item(kind: row.integer(0), name: row.blob(1) ?? [])
      found.note("\(item.shown): what was told of it was removed by another program")
    }
    return found
  }

  /// Lets go of what nothing proves, and begins the chain anew. Where the chain is broken, or does not
  /// end as it was left, its beginning may be anything: then of all.
  func letGo(_ found: Examination) throws(DatabaseError) {
    try change { () throws(DatabaseError) in
      if found.isBroken {
        try database.execute("DELETE FROM seen; DELETE FROM meta; DROP TABLE IF EXISTS package")
      }
      for item in found.stray {
        switch Kind(rawValue: item.kind) {
        case .path: try database.run("DELETE FROM seen WHERE path = ?", .blob(item.name))
        case .meta:
          let name = String(decoding: item.name, as: UTF8.self)
          try database.run("DELETE FROM meta WHERE name = ?", .text(name))
        case .packages, nil: try database.execute("DROP TABLE IF EXISTS package")
        }
      }
      try beginAnew()
    }
  }

  /// Lets go of the links of what has been told anew since, where there are too many. What another
  /// program wrote meanwhile is not made ours by that: it is examined first, by who opens it anew.
  func shorten() throws(DatabaseError) {
    var (links, states) = (0, 0)
    try database.forEach("SELECT (SELECT count(*) FROM told), (SELECT count(*) FROM seen)") { row in
      (links, states) = (Int(row.integer(0)), Int(row.integer(1)))
    }
    guard links > Self.mostLinks, links > 4 * states else { return }
    try change { () throws(DatabaseError) in if try !isTouched() { try beginAnew() } }
  }

  private func beginAnew() throws(DatabaseError) {
    try database.execute("DELETE FROM told")
    head = .origin
    try linkAll()
  }
}

extension SeenStates {
  /// What another program did to what was told.
  struct Examination {
    /// So many are named.
    private static let most = 1000

    private(set) var problems: [String] = []
    private var others = 0
    /// What nothing proves.
    var stray: [Item] = []
    /// Nothing is proven at all.
    var isBroken = false

    /// Whether all is as it was kept.
    var isWell: Bool { problems.isEmpty }

    var lines: [String] { others == 0 ? problems : problems + ["and \(others) more"] }

    mutating func note(_ problem: String) {
      if problems.count < Self.most { problems.append(problem) } else { others += 1 }
    }
  }
}

extension SeenStates.Item {
  fileprivate var shown: String {
    switch SeenStates.Kind(rawValue: kind) {
    case .path: FilePath(name).shown
    case .meta: "'\(SafeText.line(name))'"
    case .packages: "the packages"
    case nil: "an unknown item"
    }
  }
}
