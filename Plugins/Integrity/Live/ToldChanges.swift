import Linux

/// Changes that were told a while ago, with who made them: a record that comes late can name somebody
/// else who can have, and then they are told once more. A value without a clock.
struct ToldChanges {
  /// How long a record may be on its way, and how many changes are remembered meanwhile.
  static let longest = Duration.seconds(60)
  static let most = 4096

  private struct Entry {
    var report: ChangeReport
    var subject: Subject
    var until: Duration
  }

  private var entries: [FilePath: Entry] = [:]
  private var order: [(until: Duration, path: FilePath)] = []
  /// The files that each is about, as it was and as it is.
  private var paths: [FileIdentity: Set<FilePath>] = [:]

  mutating func note(_ report: ChangeReport, at now: Duration) {
    forget(at: now)
    guard let subject = report.subject, report.attribution?.confidence == .exact else { return }
    let path = report.change.path
    remove(path)
    while entries.count >= Self.most, !order.isEmpty { forgetFirst() }
    entries[path] = Entry(report: report, subject: subject, until: now + Self.longest)
    order.append((now + Self.longest, path))
    for file in [subject.before, subject.after].compactMap(\.self) {
      paths[file, default: []].insert(path)
    }
  }

  /// Those that a deed can have made which was not known of when they were told.
  func concerned(by deed: Deed, at now: Duration) -> [ChangeReport] {
    let found = deed.items.compactMap(\.identity).reduce(into: Set<FilePath>()) { found, file in
      if let paths = paths[file] { found.formUnion(paths) }
    }
    return found.sorted().compactMap { path in
      guard let entry = entries[path], entry.until > now, deed.time <= entry.subject.until,
        entry.report.attribution?.candidates.contains(where: { $0.author == deed.author }) == false
      else { return nil }
      return entry.report
    }
  }

  /// It was told once more.
  mutating func forget(_ path: FilePath) { remove(path) }

  private mutating func forget(at now: Duration) {
    while let first = order.first, first.until <= now { forgetFirst() }
  }

  /// The oldest one, unless its path was told again since.
  private mutating func forgetFirst() {
    let first = order.removeFirst()
    if entries[first.path]?.until == first.until { remove(first.path) }
  }

  private mutating func remove(_ path: FilePath) {
    guard let entry = entries.removeValue(forKey: path) else { return }
    for file in [entry.subject.before, entry.subject.after].compactMap(\.self) {
      paths[file]?.remove(path)
      if paths[file]?.isEmpty == true { paths[file] = nil }
    }
  }
}
