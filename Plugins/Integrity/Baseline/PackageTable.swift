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

  func put(
    _ name: PackageName, _ package: Package?, files: [UInt8]
  ) throws(DatabaseError) {
    try database.run(
      "INSERT OR REPLACE INTO package VALUES (?, ?, ?, ?, ?, ?)", .text(name.name),
      .text(name.architecture), package.map { .text($0.version) } ?? .null,
      .text(package?.state ?? ""), .integer(package?.listed ?? 0), .blob(files))
  }

  /// Makes it what the database of dpkg says now.
  func replace(by dpkg: DpkgDatabase) throws {
    let packages = try dpkg.packages()
    try make()
    try database.execute("DELETE FROM package")
    let places = dpkg.places()
    for (name, package) in packages { try put(name, package, files: dpkg.files(of: name, places)) }
  }
}
