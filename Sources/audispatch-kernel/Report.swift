import CAudispatch
import Linux

/// Lines for people on standard error.
enum Report {
  /// Writes one line; one that cannot be written is left.
  static func say(_ line: String) {
    try? Transfer.writeAll(2, Array("\(line)\n".utf8))
  }
}

/// Lets through the first report of its kind at once, and later ones at a steady low rate.
struct Throttle {
  private let interval: Int64
  private var next: Int64 = .min

  init(seconds: Int64) { interval = seconds * 1_000_000_000 }

  mutating func allows(at now: Int64) -> Bool {
    guard now >= next else { return false }
    next = now + interval
    return true
  }
}
