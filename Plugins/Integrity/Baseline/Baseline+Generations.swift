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
  /// Makes states the accepted ones, with their history, in one transaction.
  func accept(
    _ changes: [StateChange], forgetting unwatched: [FilePath] = [], command: String,
    reason: String?, by actor: Actor, at time: Int64, _ reading: Reading
  ) throws(DatabaseError) {
    try database.transaction { () throws(DatabaseError) in
      var generation = Generation(
        number: 0, at: time, command: command, reason: reason, actor: actor)
      generation.added = changes.count { $0.kind == .added }
      generation.removed = changes.count { $0.kind == .removed }
      generation.changed = changes.count { $0.kind == .changed }
      let number = try note(generation)
      try note(reading, of: number)
      for change in changes {
        if let after = change.after { try put(change.path, after) } else { try remove(change.path) }
        try database.run(
          "INSERT INTO history VALUES (?, ?, ?, ?)", .integer(number), .blob(change.path.bytes),
          .optional(change.before?.encoded), .optional(change.after?.encoded))
      }
      for path in unwatched { try remove(path) }
    }
  }

  /// Notes a generation; returns its number.
  @discardableResult
  func note(_ generation: Generation) throws(DatabaseError) -> Int64 {
    let actor = generation.actor
    try database.run(
      """
      INSERT INTO generation (at, command, reason, login, session, uid, terminal, added, removed,
        changed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """, .integer(generation.at), .text(generation.command),
      generation.reason.map(SQLValue.text) ?? .null, .optional(actor.login.map(Int64.init)),
      .optional(actor.session.map(Int64.init)), .integer(Int64(actor.user)),
      actor.terminal.map(SQLValue.text) ?? .null, .integer(Int64(generation.added)),
      .integer(Int64(generation.removed)), .integer(Int64(generation.changed)))
    return database.lastRowID
  }

  /// All generations, the oldest first.
  func generations() throws(DatabaseError) -> [Generation] {
    var generations: [Generation] = []
    try database.forEach(
      """
      SELECT id, at, command, reason, login, session, uid, terminal, added, removed, changed
      FROM generation ORDER BY id
      """
    ) { row in
      let actor = Actor(
        login: row.isNull(4) ? nil : UInt32(truncatingIfNeeded: row.integer(4)),
        session: row.isNull(5) ? nil : UInt32(truncatingIfNeeded: row.integer(5)),
        user: UInt32(truncatingIfNeeded: row.integer(6)),
        terminal: row.isNull(7) ? nil : row.text(7))
      generations.append(
        Generation(
          number: row.integer(0), at: row.integer(1), command: row.text(2),
          reason: row.isNull(3) ? nil : row.text(3), actor: actor, added: Int(row.integer(8)),
          removed: Int(row.integer(9)), changed: Int(row.integer(10))))
    }
    return generations
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
