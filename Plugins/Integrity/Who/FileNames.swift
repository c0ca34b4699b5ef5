import Linux

/// The names of a file by which a record tells of whatever is done to it: those where files are watched.
/// Through any other name it can be written without a record.
struct FileNames: Equatable, Sendable {
  /// How many there are now.
  var count: Int
  /// The folders that they are in.
  var folders: Set<FileIdentity> = []
}

extension FileNames {
  /// Those that the baseline knows and that are there now; a name of it may have been another file's for
  /// long, or gone elsewhere.
  ///
  /// - Parameters:
  ///   - path: one that is known to be the file's now; `nil`: none is.
  ///   - isWatched: whether a path is watched still.
  init(
    of file: FileIdentity, known: [FilePath], now path: FilePath?, folders: Set<FileIdentity>,
    isWatched: (FilePath) -> Bool
  ) {
    count = path == nil ? 0 : 1
    self.folders = folders
    for name in Set(known).subtracting([path].compactMap(\.self)) where isWatched(name) {
      guard let folder = try? Folder(name.folder.bytes), let own = try? folder.facts(),
        let facts = try? folder.facts(of: name.name), FileIdentity(facts) == file
      else { continue }
      count += 1
      self.folders.insert(FileIdentity(own))
    }
  }
}

extension Subject {
  /// Whether the file has, or had in between, a name of which no record tells what was done by it.
  ///
  /// The names that there are now, without those that came in between and with those that went, are the
  /// ones that there were: both must be as many as the file had. What came from elsewhere or went there
  /// may have been there for a while.
  func mayHaveOtherNames(_ deeds: [Deed]) -> Bool {
    // Of names alone their number tells.
    if change.kind == .changed, change.attributes.isSubset(of: [.links, .changed]) { return false }
    if let facts = change.after?.facts, facts.kind != .directory,
      names(of: facts).count < Int(facts.links)
    {
      return true
    }
    guard let facts = change.before?.facts, facts.kind != .directory else { return false }
    let file = FileIdentity(facts)
    let names = names(of: facts)
    let links = Int(facts.links)
    var before = names.count
    let start = max(since, max(reading.since, since) - StreamGaps.longestCall)
    for deed in deeds where deed.time > start && deed.time <= until {
      let own = deed.items.filter { $0.identity == file }
      let (new, old) = (own.count { $0.role == .created }, own.count { $0.role == .deleted })
      if new + old == 0 { continue }
      let folders = deed.items.filter { $0.role == .folder }.map(\.identity)
      let isInside =
        !folders.isEmpty && folders.allSatisfy { $0.map(names.folders.contains) == true }
      // Of a file that is gone only what was written before that counted, and is gone with it.
      if isSameFile, !isInside { return true }
      before += old - new
    }
    return isSameFile ? before != links : links > 1 && before < links
  }

  private func names(of facts: FileFacts) -> FileNames {
    let file = FileIdentity(facts)
    return names[file] ?? FileNames(count: file == after ? 1 : 0, folders: folders)
  }
}
