import Linux

/// When the start is over: plugins come first, and then what others want to have of this process, the
/// control socket and what is in force for a successor, which takes some milliseconds.
///
/// A process that dies before leaves a successor what was kept before it, or what is on disk.
struct StartOrder: Equatable {
  /// Plugins that take longer hold up nothing else.
  static let patience = Duration.milliseconds(50)

  enum Step: Equatable {
    case nothing
    /// Somebody looks again when the plugins run, and then at the latest.
    case wait(until: Moment)
    /// Now, and never again.
    case finish
  }

  private(set) var isFinished = false
  private var began: Moment?

  /// What is to be done now.
  ///
  /// - Parameters:
  ///   - ownsFolder: whether the runtime folder is ours; before, no plugin is started.
  ///   - launches: whether a plugin is on its way to its program.
  mutating func step(ownsFolder: Bool, launches: Bool, _ now: Moment) -> Step {
    guard ownsFolder, !isFinished else { return .nothing }
    let began = began ?? now
    self.began = began
    guard !launches || now >= began + Self.patience else {
      return .wait(until: began + Self.patience)
    }
    isFinished = true
    return .finish
  }
}
