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
          digest BLOB NOT NULL, head BLOB NOT NULL)
        """)
      try linkAll()
    }
  }

  private func linkAll() throws(DatabaseError) {
    for (item, digest) in try kept().sorted(by: {
      $0.key.name.lexicographicallyPrecedes($1.key.name)
    }) {
      guard let kind = Kind(rawValue: item.kind) else { continue }
      try link(kind, item.name, digest)
    }
  }

  /// The digest of everything that is kept.
  func kept() throws(DatabaseError) -> [Item: [UInt8]] {
    var kept: [Item: [UInt8]] = [:]
    try database.forEach("SELECT path, state, at FROM seen") { row in
      kept[Item(kind: Kind.path.rawValue, name: row.blob(0) ?? [])] = Self.digest(
        row.blob(1), row.integer(2))
    }
    try database.forEach("SELECT name, value FROM meta") { row in
      kept[Item(kind: Kind.meta.rawValue, name: row.blob(0) ?? [])] = Self.digest(row.blob(1) ?? [])
    }
    let packages = try PackageTable(database).digest()
    if packages != DigestParts().finish() {
      kept[Item(kind: Kind.packages.rawValue, name: [])] = packages
    }
    return kept
  }

  /// Computes all of it anew: what is wrong, and which items nothing proves.
  func examine() throws(DatabaseError) -> (problems: [String], stray: Set<Item>) {
    var problems: [String] = []
    var proven: [Item: [UInt8]] = [:]
    var before: (head: [UInt8], number: Int64)?
    try database.forEach("SELECT number, kind, name, digest, head FROM told ORDER BY number") {
      row in
      let (number, kind, name) = (row.integer(0), row.integer(1), row.blob(2) ?? [])
      let (digest, head) = (row.blob(3) ?? [], row.blob(4) ?? [])
      let start = before ?? (ChainHead.origin.digest, 0)
      if number != start.number &+ 1
        || head != Self.head(after: start.head, number, kind, name, digest)
      {
        problems.append(
          "note \(number) of what was told is altered, or others are missing before it")
        proven.removeAll()
      }
      proven[Item(kind: kind, name: name)] = digest
      before = (head, number)
    }
    let kept = try kept()
    var stray = Set(kept.keys.filter { proven[$0] != kept[$0] })
    for item in proven.keys where kept[item] == nil {
      problems.append("\(Self.shown(item)): what was told of it was removed by another program")
    }
    problems += stray.map {
      "\(Self.shown($0)): what was told of it was altered by another program"
    }
    problems.sort()
    // Of a chain that is broken the beginning may be anything: nothing is left of what it proves.
    if problems.contains(where: { $0.hasPrefix("note ") }) { stray = Set(kept.keys) }
    return (problems, stray)
  }

  private static func shown(_ item: Item) -> String {
    switch Kind(rawValue: item.kind) {
    case .path: FilePath(item.name).shown
    case .meta: "'\(String(decoding: item.name, as: UTF8.self))'"
    case .packages: "the packages"
    case nil: "an unknown item"
    }
  }

  /// Lets go of what nothing proves, and begins the chain behind its last link.
  func letGo(_ items: Set<Item>) throws(DatabaseError) {
    try change { () throws(DatabaseError) in
      for item in items {
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

  /// Lets go of the links of what has been told anew since, where there are too many.
  func shorten() throws(DatabaseError) {
    var (links, states) = (0, 0)
    try database.forEach("SELECT (SELECT count(*) FROM told), (SELECT count(*) FROM seen)") { row in
      (links, states) = (Int(row.integer(0)), Int(row.integer(1)))
    }
    guard links > Self.mostLinks, links > 4 * states else { return }
    try change { () throws(DatabaseError) in try beginAnew() }
  }

  private func beginAnew() throws(DatabaseError) {
    try database.execute("DELETE FROM told")
    head = .origin
    try linkAll()
  }
}
