import Linux

/// A change, with what is needed to find who can have made it.
struct Subject: Sendable {
  let change: StateChange
  /// The folder that it is in, as it was and as it is.
  var folders: Set<FileIdentity> = []
  /// All folders above it, as they were and as they are.
  var above: Set<FileIdentity> = []
  /// When the state before was true, in milliseconds since 1970: nothing earlier is the cause.
  var since: Int64
  /// When that was read at the earliest: up to then nothing happened to it, whoever tells. And what
  /// was open then.
  var reading: Reading
  /// The latest moment at which it can have been made: nothing has happened to the file, or to the
  /// folders that it came or went with, since.
  var until: Int64
  /// The names of the file, as it was and as it is, where it has several.
  var names: [FileIdentity: FileNames] = [:]
  var before: FileIdentity? { change.before.map { FileIdentity($0.facts) } }
  var after: FileIdentity? { change.after.map { FileIdentity($0.facts) } }

  /// Whether it is the same file as before: a new one may have the number of the old one.
  var isSameFile: Bool {
    before != nil && before == after && change.before?.facts.born == change.after?.facts.born
  }

  /// Whether a record that names no file can be about it.
  var mayBeUnnamed: Bool { !ChangeCauses(self).wanted.isDisjoint(with: .unnamed) }

  /// Whether who opened it for writing before it became the baseline may have gone on.
  func mayGoOn(_ deed: Deed) -> Bool {
    guard let before else { return false }
    return deed.time >= reading.since
      || reading.open.mayHold(before, openedBy: deed.program.pid, at: deed.time)
  }
}

extension Subject {
  /// - Parameters:
  ///   - baseline: what was there before.
  ///   - others: what else has changed, by path: the folders above it may be among it.
  ///   - reading: when the baseline's state was read, and what was open then.
  ///   - now: when the changes were found.
  ///   - isWatched: whether a path is watched now.
  init(
    _ change: StateChange, in baseline: Baseline, among others: [FilePath: StateChange],
    _ reading: Reading, now: Int64, isWatched: (FilePath) -> Bool
  ) throws(DatabaseError) {
    self.change = change
    self.reading = reading
    var since = change.before?.facts.changedAt
    var until = change.after?.facts.changedAt
    var path = change.path
    // Whether no folder up to here was there before.
    var isNew = change.kind == .added
    while !path.isRoot {
      path = path.folder
      let before = try baseline.state(of: path)?.facts
      let live = try? Folder(path.bytes).facts()
      let known = [before, others[path]?.after?.facts, live].compactMap(\.self)
      let identities = known.map { FileIdentity($0) }
      if path == change.path.folder { folders = Set(identities) }
      above.formUnion(identities)
      // What is not there was not there when its folder was last changed.
      if since == nil, let before { since = before.changedAt }
      if let live {
        if change.kind == .removed, until == nil { until = min(now, live.changedAt) }
        // A folder that was moved here brought it along.
        isNew = isNew && before == nil
        if isNew {
          until = max(until ?? live.changedAt, live.changedAt)
        }
      }
    }
    self.since = since ?? reading.since
    self.until = until ?? now
    for facts in [change.before?.facts, change.after?.facts].compactMap(\.self)
    where facts.kind != .directory && facts.links > 1 {
      let file = FileIdentity(facts)
      let known = try baseline.paths(ofInode: facts.inode, on: facts.device)
      names[file] = FileNames(
        of: file, known: known, now: file == after ? change.path : nil, folders: folders,
        isWatched: isWatched)
    }
  }
}

extension FileFacts {
  /// The ctime in milliseconds since 1970.
  var changedAt: Int64 { changed / 1_000_000 }
}
