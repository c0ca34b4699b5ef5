import Linux

/// What a life is asked.
extension PluginLifecycle {
  /// The moment of the next `tick` that changes something.
  var deadline: Moment? {
    switch state {
    case .backingOff(let until), .held(let until), .launching(_, let until),
      .givingUp(_, let until), .draining(_, let until), .ending(_, let until),
      .terminating(_, let until):
      until
    case .starting, .running, .killed, .stopped: nil
    }
  }

  /// Whether there is a child.
  var hasChild: Bool {
    switch state {
    case .launching, .givingUp, .running, .draining, .ending, .terminating, .killed: true
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
  var isBeingRemoved: Bool {
    switch state {
    case .launching(.remove, _), .givingUp(.remove, _), .draining(.remove, _),
      .ending(.remove, _), .terminating(.remove, _), .killed(.remove):
      true
    default: false
    }
  }

  /// Whether a child ends to make room for its successor.
  var isBeingReplaced: Bool {
    switch state {
    case .givingUp(.restart, _), .ending(.restart, _), .terminating(.restart, _),
      .killed(.restart):
      true
    default: false
    }
  }

  /// Whether there is a child that ends without a successor.
  var isStopping: Bool {
    switch state {
    case .draining(let goal, _), .ending(let goal, _), .terminating(let goal, _), .killed(let goal):
      goal != .restart
    case .launching(let goal, _), .givingUp(let goal, _): goal != nil && goal != .restart
    case .starting, .running, .backingOff, .held, .stopped: false
    }
  }

  /// Whether the child is still given records.
  var takesInput: Bool {
    switch state {
    case .running, .draining: true
    default: false
    }
  }
}
