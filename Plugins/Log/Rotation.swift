import Linux

/// The log's folder: the files behind it, their compression, and whether a rotation may be tried.
struct Rotation {
  private static let pause = Duration.seconds(10)

  private(set) var folder: LogFolder
  var compression: Compression
  /// Whether it was said that the log is larger than it should be.
  private var hasSaidLarge = false
  /// No rotation is tried before, after one failed.
  private var after = Duration.zero

  init(of log: String) {
    folder = LogFolder(of: log)
    compression = Compression(folder)
  }

  /// Goes on with another log.
  mutating func change(to log: String) {
    compression.stop()
    folder = LogFolder(of: log)
    compression = Compression(folder)
  }

  /// Whether no rotation has failed shortly before.
  var isFree: Bool { after == .zero }

  /// Whether one may be tried; if so, none has failed any more.
  mutating func mayBeTried(at now: Duration) -> Bool {
    guard after <= now else { return false }
    after = .zero
    return true
  }

  mutating func failed(at now: Duration) { after = now + Self.pause }

  /// A log has begun.
  mutating func began() { hasSaidLarge = false }

  /// Whether it is to be said that it is too large; once for each.
  mutating func isLargeNews() -> Bool {
    defer { hasSaidLarge = true }
    return !hasSaidLarge
  }
}
