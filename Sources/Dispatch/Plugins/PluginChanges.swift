/// Of how many plugins something has changed since it was published last that a successor is to know.
final class PluginChanges {
  private(set) var count = 0

  @inline(__always)
  func note() { count += 1 }

  /// All of it is published.
  @inline(__always)
  func clear() { count = 0 }
}

/// Whether a plugin counts among those that have changed.
struct ChangeNote {
  private let changes: PluginChanges
  private(set) var isMade = false

  init(_ changes: PluginChanges) { self.changes = changes }

  @inline(__always)
  mutating func make() {
    if isMade { return }
    isMade = true
    changes.note()
  }

  @inline(__always)
  mutating func wasPublished() { isMade = false }
}
