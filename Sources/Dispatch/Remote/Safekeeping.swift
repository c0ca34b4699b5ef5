/// Whether other hosts' records may be taken, and when they are safe, so that their senders may be told:
/// by what the log does, and by the queues that go on in it. A value without clock.
///
/// What is acknowledged nobody has any more but this host. So nothing is taken that a durable plugin
/// would have in memory only, or a lossless one not at all.
struct Safekeeping: Equatable {
  /// What the log does.
  enum Log: CaseIterable {
    /// It could not be begun.
    case absent
    case opening
    case open
    /// The disk takes nothing now.
    case failed
    case unusable
  }

  /// What the plugins want of it, the most of all.
  enum Wish: Equatable {
    /// None is durable: memory does.
    case nothing
    case written
    /// Synced, and none dropped.
    case synced(Room)
  }

  /// Of the lossless queue that has the least.
  struct Room: Equatable {
    var plugin: String
    /// Bytes that a new event may have.
    var free: Int
    /// Bytes that the queue may have.
    var bound: Int
  }

  /// Why senders are to keep their records.
  enum Obstacle: Equatable {
    case diskTakesNothing
    case noLog
    case fullQueue(of: String)
    /// What fills it any further would have this host halted, or taken to single-user mode.
    case brink(of: String)

    /// Whether what was taken and is not acknowledged is kept all the same.
    var leavesTaken: Bool {
      switch self {
      case .fullQueue, .brink: true
      case .diskTakesNothing, .noLog: false
      }
    }
  }

  /// When a record is safe that was taken.
  enum Safety: Equatable { case inMemory, written, synced, never }

  /// Bytes of a queue with less of which nothing more is taken: room for some records of the longest.
  static let reserve = 64 << 10

  let safety: Safety
  let obstacle: Obstacle?

  /// - Parameter former: what was in the way until now: a queue that was full is it until an eighth
  ///   of it is free.
  /// - Parameter brink: a plugin whose overflow would be more than its own; see `isAtBrink`.
  init(_ log: Log, _ wish: Wish, after former: Obstacle?, brink: String? = nil) {
    let brink = brink.map { Obstacle.brink(of: $0) }
    switch (wish, log) {
    case (.nothing, _): (safety, obstacle) = (.inMemory, brink)
    case (_, .absent), (_, .unusable): (safety, obstacle) = (.never, .noLog)
    case (_, .failed): (safety, obstacle) = (.never, .diskTakesNothing)
    case (.written, _): (safety, obstacle) = (.written, brink)
    case (.synced(let room), _):
      let wasFull = if case .fullQueue? = former { true } else { false }
      let least = wasFull ? max(2 * Self.reserve, room.bound / 8) : Self.reserve
      (safety, obstacle) = (.synced, room.free < least ? .fullQueue(of: room.plugin) : brink)
    }
  }

  /// Whether nothing of other hosts is to come into a queue whose overflow this host would be halted for:
  /// when it is half full, until it is a quarter full.
  ///
  /// - Parameters:
  ///   - fill: records or bytes that it has, whichever is more of what it may have, as a part of that.
  ///   - wasAtBrink: nothing was to come until now.
  static func isAtBrink(fill: Double, wasAtBrink: Bool) -> Bool {
    fill >= (wasAtBrink ? 0.25 : 0.5)
  }
}

extension Safekeeping.Obstacle {
  /// For the status and messages.
  func text(spool folder: String) -> String {
    switch self {
    case .diskTakesNothing: "nothing can be stored now in \(folder)"
    case .noLog: "there is no spool for durable plugins in \(folder)"
    case .fullQueue(let plugin):
      "the lossless queue of plugin \(plugin) has as much as it may have (spool_bytes)"
    case .brink(let plugin):
      "the queue of plugin \(plugin) is half full, and what its overflow does to this host no other "
        + "host is to set off"
    }
  }
}
