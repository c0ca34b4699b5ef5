import Linux

/// What was seen last where it is not what the baseline has: so that each change is told once, also
/// over a restart. In a database of its own beside the baseline, which stays as it was accepted.
///
/// What was told is kept there when its line is written, and not before: whoever is killed in between
/// tells it once more.
struct KnownStates {
  let baseline: Baseline
  private let seen: SeenStates
  /// How states were read that this process has read itself.
  private var readings: [FilePath: Reading] = [:]
  private let accepted: Readings
  let path: String
  private let inode: UInt64?

  /// A state that is told and not written yet, with the place of its event.
  private struct Told {
    var state: FileState?
    var at: Int64
    var place: UInt64
  }

  private var told: [FilePath: Told] = [:]
  /// How many wait.
  var waiting: Int { told.count }
  /// When it is to be looked what of it is done.
  var deadline: Duration? { told.count > Self.few ? keepAt : nil }
  private var toldPackages: (packages: SeenStates.Packages, place: UInt64)?
  /// When it is looked again what of it is done, where there is much.
  private var keepAt = Duration.zero
  /// What was kept since it was looked last whether the chain is too long.
  private var kept = 0
  /// States that were kept before every server had them, and those for which there was no room at all: they
  /// are told once more.
  private(set) var early = 0
  private(set) var unkept = 0
  private var windowsOf: (head: ChainHead, windows: [MaintenanceWindow])?
  /// Why nothing can be kept, as long as that is so.
  private(set) var obstacle: String?

  /// Readings that are remembered; of others the least is assumed.
  private static let bound = 20_000
  /// States that may wait for the servers of syslog, once they are in the file of events; and those that
  /// may wait at all, as where the disk is full.
  /// A whole update must find room.
  static let (mostTold, mostAtAll) = (20_000, 60_000 + UpdateWatch.most)
  /// How often what waits is looked through where it is more than this.
  private static let (few, pause) = (256, Duration.milliseconds(100))

  /// - Parameter left: how what was told was left by the value that this one takes the place of.
  init(_ path: String, left: ChainHead? = nil) throws(DatabaseError) {
    self.path = path
    inode = (try? Files.status(of: path))?.inode
    baseline = try Baseline.open(path, readOnly: true)
    accepted = try baseline.readings()
    seen = try SeenStates(path + ".seen", left: left)
  }

  /// What another program did to what was told, as it was found at the beginning.
  var problems: [String] { seen.problems }

  /// The state that was seen last, or accepted; `nil` for a path that was not there.
  func state(of path: FilePath) throws(DatabaseError) -> FileState? {
    if let waiting = told[path] { return waiting.state }
    if let found = try seen.state(of: path) { return found }
    return try baseline.state(of: path)
  }

  /// How the state of a path was read that is known of it.
  ///
  /// - Parameter verified: by what was read of everything that is as the baseline has it.
  func reading(of path: FilePath, verified: Reading?) throws(DatabaseError) -> Reading {
    var at = told[path]?.at
    if at == nil { at = try seen.time(of: path) }
    if let at { return readings[path] ?? Reading(since: at, open: Reading.unknown.open) }
    var own = readings[path]
    if own == nil { own = try accepted.reading(of: path, in: baseline) }
    if let verified, verified.since > own?.since ?? .min { return verified }
    return own ?? .unknown
  }

  /// A path was read anew, and is as it is known.
  mutating func confirm(_ path: FilePath, _ reading: Reading) {
    if readings.count >= Self.bound { readings.removeAll(keepingCapacity: true) }
    readings[path] = reading
  }

  /// A state is known from now on, and kept when its line is written.
  ///
  /// - Parameter place: its event's among all; 0 for one that is not told.
  mutating func put(
    _ path: FilePath, _ state: FileState?, _ reading: Reading, toldUpTo place: UInt64
  ) {
    guard told[path] != nil || told.count < Self.mostAtAll else {
      // The state before stays what is known, and how that was read.
      unkept += 1
      return
    }
    confirm(path, reading)
    let place = max(place, told[path]?.place ?? 0)
    told[path] = Told(state: state, at: reading.since, place: place)
  }

  /// Keeps what everybody has. What cannot be kept is tried again.
  ///
  /// Where too much waits for the servers, what the file of events has counts: the messages are still sent,
  /// unless this process is killed.
  ///
  /// - Parameters:
  ///   - isDone: whether everybody has what was told at a place.
  ///   - isWritten: whether the file of events has it.
  mutating func keep(
    at now: Duration, isDone: (UInt64) -> Bool, isWritten: (UInt64) -> Bool
  ) {
    if told.count > Self.few, now < keepAt { return }
    keepAt = now + Self.pause
    var due = told.filter { isDone($0.value.place) }
    let ahead = told.count - due.count - Self.mostTold
    if ahead > 0 {
      let others = told.filter { due[$0.key] == nil && isWritten($0.value.place) }
      let oldest = others.sorted { $0.value.place < $1.value.place }.prefix(ahead)
      early += oldest.count
      due.merge(oldest.map { ($0.key, $0.value) }) { own, _ in own }
    }
    let packages = toldPackages.flatMap { isDone($0.place) ? $0.packages : nil }
    guard !due.isEmpty || packages != nil else { return }
    do throws(DatabaseError) {
      try seen.keep(
        due.map { SeenStates.Row(path: $0.key, state: $0.value.state, at: $0.value.at) },
        packages: packages)
      for path in due.keys { told[path] = nil }
      if packages != nil { toldPackages = nil }
      kept += due.count
      if kept >= SeenStates.mostLinks / 10 {
        kept = 0
        try seen.shorten()
      }
      obstacle = nil
    } catch { obstacle = error.description }
  }

  /// Times in which changes are expected.
  mutating func windows() throws(DatabaseError) -> [MaintenanceWindow] {
    let head = try baseline.head()
    if let windowsOf, windowsOf.head == head { return windowsOf.windows }
    let windows = try baseline.windows()
    windowsOf = (head, windows)
    return windows
  }

  /// Every path that was seen otherwise than it is in the baseline.
  func paths() throws(DatabaseError) -> [FilePath] {
    Set(try seen.paths()).union(told.keys).sorted()
  }

  /// What is known below a folder.
  func paths(below folder: FilePath) throws(DatabaseError) -> [FilePath] {
    var paths: [FilePath] = []
    var numbers: [(Int64, FilePath)] = []
    try baseline.forEachFolder { number, path, _ in
      if path.isWithin(folder) { numbers.append((number, path)) }
    }
    for (number, path) in numbers {
      paths += try baseline.entries(of: number).map { path.appending($0.name) }
    }
    return paths + (try self.paths().filter { $0 != folder && $0.isWithin(folder) })
  }
}

// MARK: - Packages

extension KnownStates {
  /// The packages as they were when their changes were explained last; `nil` where that is not known.
  func packages() throws(DatabaseError) -> [PackageName: Package]? {
    var own = try PackageTable(seen.database).all()
    if let toldPackages {
      let rows = toldPackages.packages.rows.map { ($0.name, $0.package) }
      own = (own ?? [:]).merging(rows) { _, told in told }
    }
    let accepted = try PackageTable(baseline.database).all()
    if own == nil, accepted == nil { return nil }
    return (accepted ?? [:]).merging(own ?? [:]) { _, own in own }.compactMapValues(\.self)
  }

  /// Where the files of a package lay then.
  func files(of name: PackageName) throws(DatabaseError) -> [UInt8] {
    if let row = toldPackages?.packages.rows.last(where: { $0.name == name }) { return row.files }
    if let files = try PackageTable(seen.database).files(of: name) { return files }
    return try PackageTable(baseline.database).files(of: name) ?? []
  }

  /// Of which state of dpkg's database they are.
  func packageStamp() throws(DatabaseError) -> String? {
    if let toldPackages { return toldPackages.packages.stamp }
    return try seen.meta("packages")
  }

  /// What has changed of the packages is known from now on, and kept when the line about it is written.
  mutating func note(
    _ steps: [PackageStep], in dpkg: DpkgDatabase, _ stamp: DpkgDatabase.Stamp,
    toldUpTo place: UInt64
  ) {
    let places = dpkg.places()
    let rows = steps.map { step in
      PackageTable.Row(
        name: step.name, package: step.after,
        files: step.after == nil ? [] : dpkg.files(of: step.name, places))
    }
    let before = toldPackages?.packages.rows ?? []
    toldPackages = (SeenStates.Packages(rows: before + rows, stamp: stamp.text), place)
  }
}

// MARK: - The baseline itself

extension KnownStates {
  /// Whether another file is in the place of the baseline that is open.
  var isReplaced: Bool { (try? Files.status(of: path))?.inode != inode }

  /// Whether the baseline goes on from what it was when it was looked at last: the head that it had
  /// then is in its chain. Remembers the one that it has now.
  func goesOn() throws(DatabaseError) -> Bool {
    let head = FileState.hex(try baseline.head().digest)
    let last = try seen.meta("head")
    if last == head { return true }
    let goesOn = try last.map { last throws(DatabaseError) in
      try baseline.links().contains { FileState.hex($0.head) == last }
    }
    try seen.setMeta("head", head)
    return goesOn ?? true
  }

  /// Whether another program has written to what was told, and how it was left.
  func isTouched() throws(DatabaseError) -> Bool { try seen.isTouched() }
  var left: ChainHead { seen.head }
}
