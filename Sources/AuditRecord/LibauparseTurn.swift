import Synchronization

/// Whose turn it is with libauparse, which up to 3.x keeps its caches and what it read of a record
/// in variables of the whole process: one call at a time, whatever the parser.
package enum LibauparseTurn {
  package enum User: Sendable { case nobody, enrichment, interpretation }

  private static let last = Mutex(User.nobody)

  /// Runs `body` alone, and tells it whether the turn before was the same user's: only then is
  /// what libauparse remembers of a record still that user's.
  package static func take<Result>(
    _ user: User, _ body: (_ remembers: Bool) throws -> sending Result
  ) rethrows -> sending Result {
    try last.withLock { last in
      let remembers = last == user
      last = user
      return try body(remembers)
    }
  }
}
