import Linux

/// One change of the baseline: who accepted what, and why.
struct Generation: Equatable, Sendable {
  var number: Int64
  /// Milliseconds since 1970.
  var at: Int64
  var command: String
  var reason: String?
  var actor: Actor
  var added = 0
  var removed = 0
  var changed = 0
}

extension Baseline {
  /// What a change of the baseline consists of.
  struct Acceptance {
    var changes: [StateChange]
    /// Files that the rules do not name any more.
    var unwatched: [FilePath] = []
    /// The packages as they are now, where all that they changed is accepted.
    var packages: [PackageTable.Row]?
    var reading: Reading
  }

  /// Makes states the accepted ones, with their history, in one transaction.
  @discardableResult
  func accept(
    _ acceptance: Acceptance, _ generation: Generation, signing key: SigningKey?
  ) throws(DatabaseError) -> ChainHead {
    try database.transaction { () throws(DatabaseError) in
      var generation = generation
      let changes = acceptance.changes
      generation.added = changes.count { $0.kind == .added }
      generation.removed = changes.count { $0.kind == .removed }
      generation.changed = changes.count { $0.kind == .changed }
      let number = try nextNumber()
      try note(acceptance.reading, of: number)
      for change in changes {
        if let after = change.after { try put(change.path, after) } else { try remove(change.path) }
        try database.run(
          "INSERT INTO history VALUES (?, ?, ?, ?)", .integer(number), .blob(change.path.bytes),
          .optional(change.before?.encoded), .optional(change.after?.encoded))
      }
      for path in acceptance.unwatched { try remove(path) }
      if let packages = acceptance.packages { try PackageTable(database).replace(by: packages) }
      let touched = Set((changes.map(\.path) + acceptance.unwatched).map(\.folder))
      var numbers: [Int64] = []
      for folder in touched {
        if let number = try self.number(of: folder) { numbers.append(number) }
      }
      try seal(folders: numbers)
      return try append(generation, signing: key)
    }
  }

  /// What was accepted of a path, the oldest first: generation, before, after.
  func history(
    of path: FilePath
  ) throws(DatabaseError) -> [(generation: Int64, before: FileState?, after: FileState?)] {
    var history: [(generation: Int64, before: FileState?, after: FileState?)] = []
    try database.forEach(
      "SELECT generation, before, after FROM history WHERE path = ? ORDER BY generation",
      .blob(path.bytes)
    ) { row in
      history.append(
        (
          row.integer(0), row.blob(1).flatMap { FileState(encoded: $0) },
          row.blob(2).flatMap { FileState(encoded: $0) }
        ))
    }
    return history
  }
}
