/// What /proc said of a process at its exec, for others of it that were before it was asked.
///
/// Who follows from a queue reads of several execs of a process when all of them are over. What /proc
/// said behind the last one is nearer to each than what it would say now.
struct HostAnswer: Sendable {
  /// By how much an event may have been later than its time: the kernel takes that from a clock which
  /// ticks a hundred times a second, when the call begins, and an exec may read from a slow disk.
  private static let slack: UInt64 = 1000
  /// Bytes of variables that are kept for a process.
  private static let mostBytes = 256

  /// When it was asked, in milliseconds since 1970.
  let asked: UInt64
  let environment: [(name: [UInt8], value: [UInt8])]

  /// - Returns: `nil` for more than is kept.
  init?(asked: UInt64, _ environment: [(name: [UInt8], value: [UInt8])]) {
    guard environment.reduce(0, { $0 + $1.name.count + $1.value.count }) <= Self.mostBytes else {
      return nil
    }
    self.asked = asked
    self.environment = environment
  }

  /// Whether it was asked behind an event. A clock that was set back tells nothing.
  func holds(at moment: ProcessTracker.Occasion) -> Bool {
    moment.at + Self.slack <= asked && asked <= moment.now
  }
}
