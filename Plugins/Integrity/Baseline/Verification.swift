import Linux

/// Looks for what another program did to a baseline: everything is computed anew.
struct Verification {
  private let baseline: Baseline
  private(set) var problems: [String] = []
  private(set) var entries = 0
  private(set) var links: [ChainLink] = []

  /// - Parameters:
  ///   - head: one that is known from elsewhere, as 64 digits.
  ///   - publicKey: whose signatures count; without it those of any key do.
  ///   - seen: where is kept what a plugin has told.
  init(
    _ baseline: Baseline, head: String? = nil, publicKey: [UInt8]? = nil, seen: String? = nil
  ) {
    self.baseline = baseline
    do throws(DatabaseError) {
      try verifyFile()
      try verifyFiles()
      links = try baseline.links()
      verifyLinks()
      try verifyContent()
      try verifyHistory()
      try verifyCheckpoints(by: publicKey)
      if let head { verify(head: head) }
      if let seen, (try? Files.status(of: seen)) != nil {
        problems += try SeenStates.problems(of: seen) ?? []
      }
    } catch { problems.append("\(error)") }
  }

  private mutating func verifyFile() throws(DatabaseError) {
    var found: [String] = []
    try baseline.database.forEach("PRAGMA integrity_check(20)") { row in
      if row.text(0) != "ok" { found.append(row.text(0)) }
    }
    problems += found
  }

  // MARK: Files

  /// Each row by its seal, and each folder by its digest, which names where a row has gone or come.
  private mutating func verifyFiles() throws(DatabaseError) {
    var altered: Set<FilePath> = []
    var (count, found) = (0, [String]())
    try baseline.forEachEntry { path, _, fits in
      count += 1
      if fits { return }
      altered.insert(path.folder)
      found.append("\(path.shown): altered by another program")
    }
    entries = count
    problems += found
    var folders: [(number: Int64, path: FilePath, count: Int64, digest: [UInt8]?)] = []
    try baseline.database.forEach("SELECT id, path, count, digest FROM folder ORDER BY path") {
      row in
      folders.append((row.integer(0), FilePath(row.blob(1) ?? []), row.integer(2), row.blob(3)))
    }
    for folder in folders where !altered.contains(folder.path) {
      let (count, digest) = try baseline.digest(ofFolder: folder.number)
      if count == folder.count, count == 0 || digest == folder.digest { continue }
      let path = folder.path.shown
      // A count that no folder can have is no count.
      let noted = folder.count < 0 ? count : folder.count
      if count < noted {
        problems.append("\(path): \(Self.entries(noted - count)) removed by another program")
      } else if count > noted {
        problems.append("\(path): \(Self.entries(count - noted)) added by another program")
      } else {
        problems.append("\(path): an entry replaced by another program")
      }
    }
    var strays: Int64 = 0
    try baseline.database.forEach(
      "SELECT count(*) FROM entry WHERE folder NOT IN (SELECT id FROM folder)"
    ) { row in strays = row.integer(0) }
    if strays > 0 { problems.append("\(Self.entries(strays)) of a folder that is not there") }
  }

  private static func entries(_ count: Int64) -> String {
    TextReport.counted(Int(count), "entry", "entries")
  }

  // MARK: Chain

  private mutating func verifyLinks() {
    var before: ChainHead? = ChainHead.origin
    if links.isEmpty { problems.append("the chain is empty") }
    for link in links {
      let number = link.generation.number
      let expected = (before?.sequence ?? 0) + 1
      // They are in order, so that this one is below all.
      if number < 1 {
        problems.append("change \(number) has no place in the chain")
        continue
      }
      if number != expected {
        problems.append(
          number == expected + 1
            ? "change \(expected) is missing in the chain"
            : "changes \(expected) to \(number - 1) are missing in the chain")
        // It cannot be known whether it goes on from what is missing.
        before = nil
      }
      if let known = before {
        let head = ChainLink.head(after: known.digest, link.generation, link.content, link.steps)
        if head != link.head {
          problems.append(
            "change \(number) (\(link.generation.command)) is altered, or another one is in its place"
          )
        }
      }
      before = ChainHead(sequence: number, digest: link.head)
    }
  }

  private mutating func verifyContent() throws(DatabaseError) {
    guard let last = links.last else { return }
    guard let noted = last.content else {
      problems.append("change \(last.generation.number) does not say what the baseline held")
      return
    }
    let number = last.generation.number
    let found = try baseline.contentDigest()
    for (name, isSame) in [
      ("files", found.files == noted.files), ("packages", found.packages == noted.packages),
      ("settings", found.settings == noted.settings),
    ] where !isSame {
      problems.append("the \(name) are not those of change \(number), the last one of the chain")
    }
  }

  private mutating func verifyHistory() throws(DatabaseError) {
    let known = Dictionary(links.map { ($0.generation.number, $0) }) { first, _ in first }
    var numbers: [Int64] = []
    try baseline.database.forEach("SELECT DISTINCT generation FROM history ORDER BY generation") {
      row in numbers.append(row.integer(0))
    }
    for number in numbers where known[number] == nil {
      problems.append("the history has change \(number), which the chain lacks")
    }
    // What was accepted before the baseline was made anew is not kept.
    let beginning = try baseline.beginning()
    for link in links where link.generation.number >= beginning {
      let number = link.generation.number
      if try baseline.stepsDigest(of: number) != link.steps {
        problems.append("the history of change \(number) is altered")
      }
    }
  }

  private mutating func verifyCheckpoints(by publicKey: [UInt8]?) throws(DatabaseError) {
    let checkpoints = try baseline.checkpoints()
    for checkpoint in checkpoints {
      let number = checkpoint.sequence
      guard let link = links.first(where: { $0.generation.number == number }) else {
        problems.append("change \(number) is signed, and missing in the chain")
        continue
      }
      if let publicKey, publicKey != checkpoint.publicKey {
        problems.append("change \(number) is signed by another key")
        continue
      }
      let text = Baseline.Checkpoint.text(ChainHead(sequence: number, digest: link.head))
      if !SigningKey.verifies(checkpoint.signature, of: text, by: checkpoint.publicKey) {
        problems.append("the signature of change \(number) does not fit it")
      }
    }
    if publicKey != nil, let last = links.last?.generation.number,
      checkpoints.last?.sequence != last
    {
      problems.append("change \(last), the last one, is not signed")
    }
  }

  private mutating func verify(head: String) {
    if !links.contains(where: { FileState.hex($0.head) == head.lowercased() }) {
      problems.append(
        "no change of the chain has the head \(head): it is another baseline, or an older one")
    }
  }
}
