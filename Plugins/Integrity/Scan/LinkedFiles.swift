import Linux

/// Files of which a scan of everything has found fewer names than they have: the others are where nothing
/// is watched. A value.
struct LinkedFiles {
  /// So many have a rule of their own.
  static let most = 64
  /// Files with several names that are counted; of more nothing is said.
  private static let bound = 100_000

  private var files: [FileIdentity: (path: FilePath, links: UInt32, found: UInt32)] = [:]

  mutating func take(_ part: ScannedPart) {
    for entry in part.entries {
      let facts = entry.state.facts
      guard facts.kind != .directory, facts.links > 1 else { continue }
      let file = FileIdentity(facts)
      if let known = files[file] {
        // Whichever thread has found it first: one name stands for it.
        let path = min(known.path, part.path.appending(entry.name))
        files[file] = (path, known.links, known.found + 1)
      } else if files.count < Self.bound {
        files[file] = (part.path.appending(entry.name), facts.links, 1)
      }
    }
  }

  /// One name of each.
  var paths: [FilePath] {
    Array(files.values.filter { $0.found < $0.links }.map(\.path).sorted().prefix(Self.most))
  }
}
