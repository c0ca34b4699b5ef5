import Linux

/// The chain of a baseline's changes, in the tables `chain` and `checkpoint`.
extension Baseline {
  struct Checkpoint: Equatable, Sendable {
    var sequence: Int64
    var publicKey: [UInt8]
    var signature: [UInt8]

    /// What is signed.
    static func text(_ head: ChainHead) -> [UInt8] {
      Array("audispatch-integrity checkpoint \(head.shown)".utf8)
    }
  }

  /// The last change; `ChainHead.origin` for a baseline that is being built.
  func head() throws(DatabaseError) -> ChainHead {
    var head = ChainHead.origin
    try database.forEach("SELECT sequence, head FROM chain ORDER BY sequence DESC LIMIT 1") { row in
      head = ChainHead(sequence: row.integer(0), digest: row.blob(1) ?? [])
    }
    return head
  }

  /// The number of the next change.
  func nextNumber() throws(DatabaseError) -> Int64 {
    let (next, overflows) = try head().sequence.addingReportingOverflow(1)
    if overflows {
      throw DatabaseError(
        operation: "write", path: database.path,
        reason: "the chain ends with the last number there is: it was altered", code: 0)
    }
    return next
  }

  /// Ties a change to those before it, with all that the baseline holds now, and signs it.
  @discardableResult
  func append(
    _ change: Generation, signing key: SigningKey?
  ) throws(DatabaseError) -> ChainHead {
    let before = try head()
    var change = change
    change.number = try nextNumber()
    let content = try contentDigest()
    let steps = try stepsDigest(of: change.number)
    let link = ChainLink(
      generation: change, content: content, steps: steps,
      head: ChainLink.head(after: before.digest, change, content, steps))
    try put(link)
    let head = ChainHead(sequence: change.number, digest: link.head)
    if let key {
      try put(
        Checkpoint(
          sequence: change.number, publicKey: key.publicKey,
          signature: key.signature(of: Checkpoint.text(head))))
    }
    return head
  }

  func put(_ link: ChainLink) throws(DatabaseError) {
    let (change, actor) = (link.generation, link.generation.actor)
    try database.run(
      "INSERT INTO chain VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      .integer(change.number), .integer(change.at), .text(change.command),
      change.reason.map(SQLValue.text) ?? .null, .optional(actor.login.map(Int64.init)),
      .optional(actor.session.map(Int64.init)), .integer(Int64(actor.user)),
      actor.terminal.map(SQLValue.text) ?? .null, .integer(Int64(change.added)),
      .integer(Int64(change.removed)), .integer(Int64(change.changed)),
      .optional(link.content?.bytes), .blob(link.steps), .blob(link.head))
  }

  func put(_ checkpoint: Checkpoint) throws(DatabaseError) {
    try database.run(
      "INSERT INTO checkpoint VALUES (?, ?, ?)", .integer(checkpoint.sequence),
      .blob(checkpoint.publicKey), .blob(checkpoint.signature))
  }

  /// Every change, the oldest first.
  func links() throws(DatabaseError) -> [ChainLink] {
    var links: [ChainLink] = []
    try database.forEach(
      """
      SELECT sequence, at, command, reason, login, session, uid, terminal, added, removed, changed,
        content, steps, head
      FROM chain ORDER BY sequence
      """
    ) { row in
      links.append(
        ChainLink(
          generation: Generation(row), content: ContentDigest(row.blob(11)),
          steps: row.blob(12) ?? [], head: row.blob(13) ?? []))
    }
    return links
  }

  func checkpoints() throws(DatabaseError) -> [Checkpoint] {
    var checkpoints: [Checkpoint] = []
    try database.forEach("SELECT sequence, key, signature FROM checkpoint ORDER BY sequence") {
      row in
      checkpoints.append(
        Checkpoint(
          sequence: row.integer(0), publicKey: row.blob(1) ?? [], signature: row.blob(2) ?? []))
    }
    return checkpoints
  }

  /// Goes on with the chain of another one, which it takes the place of.
  func takeChain(of other: Baseline) throws(DatabaseError) {
    for link in try other.links() { try put(link) }
    for checkpoint in try other.checkpoints() { try put(checkpoint) }
  }

  /// The last change that made a baseline as a whole: states that nobody has accepted since are its.
  func beginning() throws(DatabaseError) -> Int64 {
    var beginning: Int64 = 1
    try database.forEach("SELECT max(sequence) FROM chain WHERE command = 'init'") { row in
      if !row.isNull(0) { beginning = row.integer(0) }
    }
    return beginning
  }
}

extension Generation {
  /// From the first eleven columns of a row.
  init(_ row: SQLRow) {
    self.init(
      number: row.integer(0), at: row.integer(1), command: row.text(2),
      reason: row.isNull(3) ? nil : row.text(3),
      actor: Actor(
        login: row.isNull(4) ? nil : UInt32(truncatingIfNeeded: row.integer(4)),
        session: row.isNull(5) ? nil : UInt32(truncatingIfNeeded: row.integer(5)),
        user: UInt32(truncatingIfNeeded: row.integer(6)),
        terminal: row.isNull(7) ? nil : row.text(7)),
      added: Int(row.integer(8)), removed: Int(row.integer(9)), changed: Int(row.integer(10)))
  }
}
