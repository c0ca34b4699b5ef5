import Linux

/// Whether a plugin's child is told of a reload, by SIGHUP: one that catches it is, at once. One that
/// has only begun may have read its own configuration and not come to that yet: it is looked at once
/// more.
///
/// A value without clock or descriptor.
struct ReloadNotice: Equatable {
  /// How long a child takes at most until it catches what it wants to be told.
  static let beginning = Duration.seconds(1)

  private enum Child: Equatable {
    case none, launching
    case runs(since: Moment)
  }

  private var child = Child.none
  private var isOpen = false

  mutating func launches() { self = .init(child: .launching) }
  mutating func started(_ now: Moment) { child = .runs(since: now) }
  mutating func ended() { self = .init() }

  /// When to look once more; `nil`: there is nothing to tell.
  var deadline: Moment? {
    guard isOpen, case .runs(let since) = child else { return nil }
    return since + Self.beginning
  }

  /// A reload left the child as it is.
  ///
  /// - Returns: whether it is told now.
  mutating func reloaded(catches: Bool, _ now: Moment) -> Bool {
    switch child {
    case .none: isOpen = false
    case .launching: isOpen = true
    case .runs(let since): isOpen = !catches && now < since + Self.beginning
    }
    return catches
  }

  /// Whether the time has come to look once more; once.
  mutating func isDue(_ now: Moment) -> Bool {
    guard let deadline, now >= deadline else { return false }
    isOpen = false
    return true
  }

  init() {}
  private init(child: Child) { self.child = child }
}
