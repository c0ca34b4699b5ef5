import Configuration
import Journal
import Linux

// What a plugin's configuration says, in the words of those who keep to it.

extension PluginLifecycle.Policy {
  init(_ configuration: PluginConfiguration) {
    self.init()
    maxRestarts = configuration.maxRestarts
    delay = configuration.restartDelay
    delayMax = configuration.restartDelayMax
    heldDelay = configuration.heldDelay
    drain = configuration.stopTimeout
  }
}

extension Subscription.Limits {
  init(_ configuration: PluginConfiguration) {
    let whenFull: Subscription.WhenFull =
      switch configuration.overflowAction {
      case .ignore, .syslog, .single, .halt, .spill, .lossless: .dropNewest
      case .dropOldest: .dropOldest
      case .suspend: .suspend
      }
    if configuration.overflowAction.isDurable {
      self.init(records: .max, bytes: configuration.spoolBytes, whenFull: whenFull)
    } else {
      self.init(
        records: configuration.queueDepth, bytes: configuration.queueBytes, whenFull: whenFull)
    }
  }
}

extension PluginConfiguration {
  /// What of a durable queue is held in memory.
  var window: Subscription.Limits {
    .init(records: queueDepth, bytes: queueBytes, whenFull: .dropNewest)
  }
}
