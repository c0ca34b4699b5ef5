/// Digests of what a baseline holds, apart by kind, so that it can be said what does not fit.
struct ContentDigest: Equatable, Sendable {
  /// Of all states, by folders: SHA-256 of path and digest of each folder that has an entry.
  var files: [UInt8]
  /// Of the packages as they were.
  var packages: [UInt8]
  /// Of `meta`: what is watched, and how states were read.
  var settings: [UInt8]

  var bytes: [UInt8] { files + packages + settings }

  init(files: [UInt8], packages: [UInt8], settings: [UInt8]) {
    self.files = files
    self.packages = packages
    self.settings = settings
  }

  init?(_ bytes: [UInt8]?) {
    guard let bytes, bytes.count == 96 else { return nil }
    files = Array(bytes[..<32])
    packages = Array(bytes[32..<64])
    settings = Array(bytes[64...])
  }
}

/// The digest of a folder: name and state of each entry, by name.
struct FolderDigest: ~Copyable {
  private var parts = DigestParts()
  private(set) var count: Int64 = 0

  mutating func take(_ name: [UInt8], _ state: [UInt8]) {
    parts.take(name)
    parts.take(state)
    count += 1
  }

  consuming func finish() -> [UInt8] { parts.finish() }
}

extension Baseline {
  /// Computes the digest of a folder anew from what it has.
  func digest(ofFolder folder: Int64) throws(DatabaseError) -> (count: Int64, digest: [UInt8]) {
    var digest = FolderDigest()
    try database.forEach(
      "SELECT name, state FROM entry WHERE folder = ? ORDER BY name", .integer(folder)
    ) { row in digest.take(row.blob(0) ?? [], row.blob(1) ?? []) }
    let count = digest.count
    return (count, digest.finish())
  }

  /// Notes the digests of folders in which something has changed.
  func seal(folders: some Sequence<Int64>) throws(DatabaseError) {
    for folder in folders {
      let (count, digest) = try digest(ofFolder: folder)
      try database.run(
        "UPDATE folder SET count = ?, digest = ? WHERE id = ?", .integer(count), .blob(digest),
        .integer(folder))
    }
  }

  /// Notes those of all. Complexity: reads every state.
  func sealAllFolders() throws(DatabaseError) {
    var numbers: [Int64] = []
    try forEachFolder { number, _, _ in numbers.append(number) }
    try seal(folders: numbers)
  }

  /// What there is now, by the digests of the folders as they are noted.
  func contentDigest() throws(DatabaseError) -> ContentDigest {
    var files = DigestParts()
    try database.forEach("SELECT path, digest FROM folder WHERE count > 0 ORDER BY path") { row in
      files.take(row.blob(0))
      files.take(row.blob(1))
    }
    var settings = DigestParts()
    try database.forEach("SELECT name, value FROM meta WHERE name <> 'format' ORDER BY name") {
      row in
      settings.take(row.blob(0))
      settings.take(row.blob(1))
    }
    return ContentDigest(
      files: files.finish(), packages: try PackageTable(database).digest(),
      settings: settings.finish())
  }

  /// What was accepted by a change.
  func stepsDigest(of sequence: Int64) throws(DatabaseError) -> [UInt8] {
    var parts = DigestParts()
    try database.forEach(
      "SELECT path, before, after FROM history WHERE generation = ? ORDER BY path",
      .integer(sequence)
    ) { row in for column: Int32 in 0..<3 { parts.take(row.blob(column)) } }
    return parts.finish()
  }
}
