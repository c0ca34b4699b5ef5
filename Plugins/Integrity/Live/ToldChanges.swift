import Linux

/// Changes that were told as certain a while ago: a record that comes late can name somebody else who can
/// have made one, or records can turn out to be missing, and then it is told once more. Each change
/// stands for itself, also where its path has changed again since. A value without a clock.
struct ToldChanges {
  /// How long a record may be on its way, and how many changes are remembered meanwhile.
  static let longest = Duration.seconds(60)
  static let most = 4096

  struct Entry {
    let number: Int
    let report: ChangeReport
    let subject: Subject
    fileprivate let until: Duration
  }

  /// What was told so far.
  var counts = Counts()
  private var entries: [Int: Entry] = [:]
  /// The oldest of them has this number or a higher one.
  private var first = 0
  private var next = 0
  /// The files that each is about, as it was and as it is.
  private var numbers: [FileIdentity: Set<Int>] = [:]

  mutating func note(_ report: ChangeReport, at now: Duration) {
    forget(at: now)
    guard let subject = report.subject, report.attribution?.confidence == .exact else { return }
    while entries.count >= Self.most { forgetFirst() }
    entries[next] = Entry(
      number: next, report: report, subject: subject, until: now + Self.longest)
    for file in subject.files { numbers[file, default: []].insert(next) }
    next += 1
  }

  /// All of them, the oldest first.
  func all(at now: Duration) -> [Entry] {
    entries.values.filter { $0.until > now }.sorted { $0.number < $1.number }
  }

  /// Those that a deed can have made which was not known of when they were told.
  func concerned(by deed: Deed, at now: Duration) -> [Entry] {
    let found =
      deed.items.isEmpty
      ? Set(entries.filter { $0.value.subject.mayBeUnnamed }.keys)
      : deed.items.compactMap(\.identity).reduce(into: Set<Int>()) { found, file in
        if let own = numbers[file] { found.formUnion(own) }
      }
    return found.sorted().compactMap { entries[$0] }.filter { entry in
      entry.until > now && deed.time <= entry.subject.until
        && entry.report.attribution?.candidates.contains { $0.author == deed.author } == false
    }
  }

  /// It was told once more.
  mutating func forget(_ number: Int) {
    guard let entry = entries.removeValue(forKey: number) else { return }
    for file in entry.subject.files {
      numbers[file]?.remove(number)
      if numbers[file]?.isEmpty == true { numbers[file] = nil }
    }
  }

  private mutating func forget(at now: Duration) {
    while first < next, (entries[first]?.until ?? .zero) <= now { forgetFirst() }
  }

  private mutating func forgetFirst() {
    forget(first)
    first += 1
  }
}

extension Subject {
  /// The file, as it was and as it is.
  var files: [FileIdentity] { [before, after].compactMap(\.self) }
}
