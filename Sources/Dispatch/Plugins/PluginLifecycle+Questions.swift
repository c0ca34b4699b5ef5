import Linux

/// What a life is asked.
extension PluginLifecycle {
  /// The moment of the next `tick` that changes something.
  var deadline: Moment? {
    switch state {
    case .backingOff(let until), .held(let until), .launching(_, let until),
      .givingUp(_, let until):
      until
    case .stopping(_, _, let until): until
    case .starting, .running, .stopped: nil
    }
  }

  /// Whether there is a child.
  var hasChild: Bool {
    switch state {
    case .launching, .givingUp, .running, .stopping: true
    case .starting, .backingOff, .held, .stopped: false
    }
  }

  /// Whether it is not known yet what becomes of its first child, or of the one that was asked for.
  var isLaunching: Bool {
    switch state {
    case .starting, .launching: true
    default: false
    }
  }

  /// Whether it stops because it was taken out of the configuration.
  var isBeingRemoved: Bool { goal == .remove }

  /// Whether a child ends to make room for its successor.
  var isBeingReplaced: Bool { goal == .restart }

  /// Whether there is a child that ends without a successor.
  var isStopping: Bool { goal != nil && goal != .restart }

  /// What follows the child's end; `nil`: it is not being stopped.
  private var goal: Goal? {
    switch state {
    case .launching(let goal, _), .givingUp(let goal, _): goal
    case .stopping(_, let goal, _): goal
    case .starting, .running, .backingOff, .held, .stopped: nil
    }
  }

  /// Whether the child is still given records.
  var takesInput: Bool {
    switch state {
    case .running, .stopping(.draining, _, _): true
    default: false
    }
  }
}
