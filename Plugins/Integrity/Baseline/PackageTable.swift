/// What was known of the packages at one moment, in a table of a database: the versions, and which
/// files each had, since dpkg forgets the files of what it removes.
///
///     package  name, architecture, version, state, listed, files (where they lie)
///
/// Over the table of another database it holds what differs from it; a version that is null is a
/// package that is not there.
struct PackageTable {
  private let database: Database

  init(_ database: Database) { self.database = database }

  func make() throws(DatabaseError) {
    try database.execute(
      """
      CREATE TABLE IF NOT EXISTS package (
        name TEXT NOT NULL, architecture TEXT NOT NULL, version TEXT, state TEXT NOT NULL,
        listed INTEGER NOT NULL, files BLOB NOT NULL, PRIMARY KEY (name, architecture))
      """)
  }

  private func isThere() throws(DatabaseError) -> Bool {
    var isThere = false
    try database.forEach(
      "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'package'"
    ) { _ in isThere = true }
    return isThere
  }

  /// Every package, or that it is not there; `nil` where nothing was kept.
  func all() throws(DatabaseError) -> [PackageName: Package?]? {
    guard try isThere() else { return nil }
    var all: [PackageName: Package?] = [:]
    try database.forEach("SELECT name, architecture, version, state, listed FROM package") { row in
      let package: Package? =
        row.isNull(2)
        ? nil : Package(version: row.text(2), state: row.text(3), listed: row.integer(4))
      all[PackageName(name: row.text(0), architecture: row.text(1))] = .some(package)
    }
    return all
  }

  /// Where its files lie; `nil` for a package of which nothing is kept here.
  func files(of name: PackageName) throws(DatabaseError) -> [UInt8]? {
    guard try isThere() else { return nil }
    var files: [UInt8]?
    try database.forEach(
      "SELECT files FROM package WHERE name = ? AND architecture = ?", .text(name.name),
      .text(name.architecture)
    ) { row in files = row.blob(0) }
    return files
  }

  func put(_ row: Row) throws(DatabaseError) {
    try database.run(
      "INSERT OR REPLACE INTO package VALUES (?, ?, ?, ?, ?, ?)", .text(row.name.name),
      .text(row.name.architecture), row.package.map { .text($0.version) } ?? .null,
      .text(row.package?.state ?? ""), .integer(row.package?.listed ?? 0), .blob(row.files))
  }

  /// A package, and where its files lie.
  struct Row: Sendable {
    var name: PackageName
    var package: Package?
    var files: [UInt8]
  }

  /// Makes these all that is kept.
  func replace(by rows: [Row]) throws(DatabaseError) {
    try make()
    try database.execute("DELETE FROM package")
    for row in rows { try put(row) }
  }

  /// Of all that is kept.
  func digest() throws(DatabaseError) -> [UInt8] {
    var parts = DigestParts()
    guard try isThere() else { return parts.finish() }
    try database.forEach(
      """
      SELECT name, architecture, version, state, listed, files FROM package
      ORDER BY name, architecture
      """
    ) { row in
      for column: Int32 in [0, 1, 2, 3, 5] { parts.take(row.blob(column)) }
      parts.take(row.integer(4))
    }
    return parts.finish()
  }
}
