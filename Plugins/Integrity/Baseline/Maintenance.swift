import Linux

/// A time in which changes are expected, with who said so and why. It marks what is told of that time,
/// and hides nothing.
///
/// It is kept in `meta` as `maintenance.NUMBER`, with the moment up to which it lasts; NUMBER is the change
/// of the baseline that began it. So it is a part of the chain, as its early end is.
struct MaintenanceWindow: Equatable, Sendable {
  /// Who began it, when and why.
  var generation: Generation
  /// Up to when, in milliseconds since 1970.
  var until: Int64

  static let longest: Int64 = 7 * 24 * 3600

  /// The kernel's time of a file may be some milliseconds behind the clock.
  private static let slack: Int64 = 10

  func covers(_ moment: Int64) -> Bool {
    generation.at - Self.slack <= moment && moment <= until
  }

  /// `3, up to 2026-11-28T20:00:00.000Z, begun by login uid 1000 as uid 0: reason`.
  var shown: String {
    "\(generation.number), up to \(Timestamp.text(milliseconds: until)), begun by "
      + generation.actor.shown + (generation.shownReason.map { ": \($0)" } ?? "")
  }
}

extension Baseline {
  private static let prefix = "maintenance."

  /// All there were, the oldest first.
  func windows() throws(DatabaseError) -> [MaintenanceWindow] {
    var until: [Int64: Int64] = [:]
    try database.forEach("SELECT name, value FROM meta WHERE name LIKE 'maintenance.%'") { row in
      if let number = Int64(row.text(0).dropFirst(Self.prefix.count)) {
        until[number] = Int64(row.text(1))
      }
    }
    if until.isEmpty { return [] }
    return try links().compactMap { link in
      until[link.generation.number].map {
        MaintenanceWindow(generation: link.generation, until: $0)
      }
    }
  }

  /// Begins one, as a change of the baseline.
  func beginMaintenance(
    until: Int64, _ generation: Generation, signing key: SigningKey?
  ) throws(DatabaseError) -> ChainHead {
    try database.transaction { () throws(DatabaseError) in
      try setMeta(Self.prefix + String(nextNumber()), String(until))
      return try append(generation, signing: key)
    }
  }

  /// Ends one before its time.
  func end(
    _ window: MaintenanceWindow, _ generation: Generation, signing key: SigningKey?
  ) throws(DatabaseError) -> ChainHead {
    try database.transaction { () throws(DatabaseError) in
      try setMeta(Self.prefix + String(window.generation.number), String(generation.at))
      return try append(generation, signing: key)
    }
  }

  /// Takes over those of another one, which it takes the place of, with its chain.
  func takeWindows(of other: Baseline) throws(DatabaseError) {
    for window in try other.windows() {
      try setMeta(Self.prefix + String(window.generation.number), String(window.until))
    }
  }
}

extension [MaintenanceWindow] {
  /// The one in which a change was made.
  func window(of report: ChangeReport, now: Int64) -> MaintenanceWindow? {
    if isEmpty { return nil }
    let moment = report.time ?? now
    return last { $0.covers(moment) }
  }
}
