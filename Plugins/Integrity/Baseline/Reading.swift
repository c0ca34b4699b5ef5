import Linux

/// The circumstances under which states were read that became the baseline.
struct Reading: Equatable, Sendable {
  /// None of them was read before this moment, in milliseconds since 1970.
  var since: Int64
  /// What was open for writing then.
  var open: OpenFiles

  /// Of states that are about to be read.
  static var beginning: Reading {
    // What is opened meanwhile counts as opened later.
    let now = WallClock.milliseconds
    return Reading(since: now, open: .current)
  }

  /// Of a baseline that was made by a program that did not note it.
  static let unknown = Reading(since: .min, open: OpenFiles(text: "unknown"))
}

/// Those of all generations; in `meta` they are `read.NUMBER` and `open.NUMBER`.
struct Readings {
  fileprivate var known: [Int64: Reading] = [:]
  /// Of what nobody has accepted since the baseline was made.
  fileprivate var beginning: Int64 = 1

  /// Of the state that the baseline has of a path.
  func reading(of path: FilePath, in baseline: Baseline) throws(DatabaseError) -> Reading {
    let generation = try baseline.history(of: path).last?.generation ?? beginning
    return known[generation] ?? .unknown
  }
}

extension Baseline {
  func note(_ reading: Reading, of generation: Int64) throws(DatabaseError) {
    try setMeta("read.\(generation)", String(reading.since))
    try setMeta("open.\(generation)", reading.open.text)
  }

  func rename(readingOf old: Int64, to new: Int64) throws(DatabaseError) {
    for kind in ["read", "open"] {
      try database.run(
        "UPDATE OR REPLACE meta SET name = ? WHERE name = ?", .text("\(kind).\(new)"),
        .text("\(kind).\(old)"))
    }
  }

  func readings() throws(DatabaseError) -> Readings {
    var readings = Readings()
    readings.beginning = try beginning()
    var open: [Int64: String] = [:]
    try database.forEach("SELECT name, value FROM meta WHERE name LIKE 'open.%'") { row in
      if let generation = Int64(row.text(0).dropFirst(5)) { open[generation] = row.text(1) }
    }
    try database.forEach("SELECT name, value FROM meta WHERE name LIKE 'read.%'") { row in
      if let generation = Int64(row.text(0).dropFirst(5)), let since = Int64(row.text(1)) {
        readings.known[generation] = Reading(
          since: since, open: OpenFiles(text: open[generation] ?? "unknown"))
      }
    }
    return readings
  }
}
