import Linux

/// Brings a baseline of an earlier format to the present one, in one transaction.
extension Baseline {
  /// Format 1 had its changes in the table `generation`, without a chain.
  func migrateFromFirst() throws(DatabaseError) {
    try database.transaction { () throws(DatabaseError) in
      // Another process may have done it meanwhile.
      guard try meta("format") == "1" else { return }
      try database.execute(
        """
        ALTER TABLE folder ADD COLUMN count INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE folder ADD COLUMN digest BLOB;
        """)
      try database.execute(Self.chainSchema)
      var changes: [Generation] = []
      try database.forEach(
        """
        SELECT id, at, command, reason, login, session, uid, terminal, added, removed, changed
        FROM generation ORDER BY id
        """
      ) { row in changes.append(Generation(row)) }
      var head = ChainHead.origin
      for change in changes {
        // What it held after each of them nobody noted.
        let steps = try stepsDigest(of: change.number)
        let digest = ChainLink.head(after: head.digest, change, nil, steps)
        try put(ChainLink(generation: change, content: nil, steps: steps, head: digest))
        head = ChainHead(sequence: change.number, digest: digest)
      }
      try sealAllFolders()
      try database.execute(
        "DROP TABLE generation; UPDATE meta SET value = '2' WHERE name = 'format'")
      try append(
        Generation(
          number: 0, at: WallClock.milliseconds, command: "migrate",
          reason: "the chain begins here", actor: .current), signing: nil)
    }
  }
}
