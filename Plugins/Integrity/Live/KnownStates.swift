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
  private var toldPackages: (packages: SeenStates.Packages, place: UInt64)?
  private var writtenUpTo: UInt64 = 0
  private var windowsOf: (head: ChainHead, windows: [MaintenanceWindow])?
  /// Why nothing can be kept, as long as that is so.
  private(set) var obstacle: String?

  /// Readings that are remembered; of others the least is assumed.
  private static let bound = 20_000

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
    let place = max(place, told[path]?.place ?? 0)
    told[path] = Told(state: state, at: reading.since, place: place)
    confirm(path, reading)
  }

  /// Keeps what was told in lines that are written. What cannot be kept is tried again.
  mutating func keep(writtenUpTo written: UInt64) {
    writtenUpTo = written
    let due = told.filter { $0.value.place <= written }
    let packages = toldPackages.flatMap { $0.place <= written ? $0.packages : nil }
    guard !due.isEmpty || packages != nil else { return }
    do throws(DatabaseError) {
      try seen.keep(
        due.map { SeenStates.Row(path: $0.key, state: $0.value.state, at: $0.value.at) },
        packages: packages)
      for path in due.keys { told[path] = nil }
      if packages != nil { toldPackages = nil }
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
    keep(writtenUpTo: writtenUpTo)
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
