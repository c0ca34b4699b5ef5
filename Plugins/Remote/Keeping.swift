import Configuration

/// Where records wait while no server takes them, how much of them, and for how long that lasts: what is
/// said of an outage.
enum Keeping: Equatable {
  /// Nobody but this process keeps them: so many records at most.
  case here(records: Int)
  /// The dispatcher does.
  case dispatcher(Room?)

  /// What the dispatcher keeps for this plugin.
  struct Room: Equatable {
    /// Bytes of records.
    var bytes: Int
    /// On disk, or in memory: so many records at most.
    var place: Place

    enum Place: Equatable { case folder(String), memory(records: Int) }

    /// As the dispatcher says it in a plugin's environment; `nil`: it says nothing.
    init?(_ variable: (String) -> String?) {
      guard let bytes = variable("AUDISPATCH_QUEUE_BYTES").flatMap(Int.init) else { return nil }
      self.bytes = bytes
      if let folder = variable("AUDISPATCH_SPOOL") {
        place = .folder(folder)
      } else if let records = variable("AUDISPATCH_QUEUE_RECORDS").flatMap(Int.init) {
        place = .memory(records: records)
      } else {
        return nil
      }
    }
  }

  /// Behind what happened.
  ///
  /// - Parameters:
  ///   - waiting: records that wait in this process.
  ///   - rate: of what comes; `nil`: it is not known.
  func text(waiting: Int, at rate: InputRate.Rate?) -> String {
    switch self {
    case .here(let records):
      let left = rate.map { Double(max(0, records - waiting)) / $0.records }
      return ": \(waiting) wait in memory, of \(records) at most"
        + (Self.time(left).map { "; at the present rate that lasts for \($0)" } ?? "")
    case .dispatcher(let room):
      let start =
        (waiting > 0 ? ": \(waiting) wait here, and" : ":") + " the dispatcher keeps what comes"
      guard let room else { return start }
      let size = Word.bytes(room.bytes)
      let seconds: Double?
      let what: String
      switch room.place {
      case .folder(let folder):
        what = " in \(folder), \(size) at most"
        seconds = rate.map { Double(room.bytes) / $0.bytes }
      case .memory(let records):
        what = " in memory, \(records) records or \(size) at most"
        seconds = rate.map { min(Double(records) / $0.records, Double(room.bytes) / $0.bytes) }
      }
      return start + what
        + (Self.time(seconds).map { "; at the present rate that is room for \($0)" } ?? "")
    }
  }

  /// `nil` where it is for ever.
  private static func time(_ seconds: Double?) -> String? {
    guard let seconds, seconds.isFinite else { return nil }
    return "\(Int(min(seconds, 1e9))) s"
  }
}
