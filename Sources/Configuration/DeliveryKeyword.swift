/// The keywords of delivery: in a file of `plugins.d` for that plugin, in `audispatchd.conf` for
/// every plugin whose own file does not say otherwise.
enum DeliveryKeyword: String, CaseIterable {
  case binaryFraming = "binary_framing"
  case confirm
  case gapRecord = "gap_record"
  case heldDelay = "held_delay"
  case maxRestarts = "max_restarts"
  case overflowAction = "overflow_action"
  case queueBytes = "q_bytes"
  case queueDepth = "q_depth"
  case restartDelay = "restart_delay"
  case restartDelayMax = "restart_delay_max"
  case spoolBytes = "spool_bytes"
  case stallAction = "stall_action"
  case stallTimeout = "stall_timeout"
  case stopTimeout = "stop_timeout"

  /// Puts the value into the plugin's configuration, or leaves that as it was.
  func apply(_ setting: Setting, to plugin: inout PluginConfiguration) throws(Diagnostic) {
    let value = try setting.single()
    switch self {
    case .binaryFraming:
      plugin.binaryFraming = try value.choice(BinaryFraming.self, for: rawValue)
    case .confirm: plugin.confirms = try value.yesOrNo(for: rawValue)
    case .gapRecord: plugin.gapRecord = try value.yesOrNo(for: rawValue)
    case .heldDelay: plugin.heldDelay = try value.seconds(in: Self.delays, for: rawValue)
    case .maxRestarts:
      plugin.maxRestarts = try value.number(in: 0...Int(Int32.max), for: rawValue)
    case .overflowAction:
      plugin.overflowAction = try value.choice(OverflowAction.self, for: rawValue)
    case .queueBytes: plugin.queueBytes = try value.byteCount(in: 1...(1 << 40), for: rawValue)
    case .queueDepth: plugin.queueDepth = try value.number(in: 1...10_000_000, for: rawValue)
    case .restartDelay: plugin.restartDelay = try value.seconds(in: Self.delays, for: rawValue)
    case .restartDelayMax:
      plugin.restartDelayMax = try value.seconds(in: Self.delays, for: rawValue)
    case .spoolBytes:
      plugin.spoolBytes = try value.byteCount(in: (1 << 20)...(1 << 50), for: rawValue)
    case .stallAction:
      plugin.restartsWhenStalled = try value.choice(StallAction.self, for: rawValue) == .restart
    case .stallTimeout:
      plugin.stallTimeout = try value.seconds(in: .zero...Self.day, for: rawValue)
    case .stopTimeout:
      plugin.stopTimeout = try value.seconds(in: .zero...Self.day, for: rawValue)
    }
  }

  private static let day = Duration.seconds(86400)
  private static let delays = Duration.milliseconds(1)...day

  private enum StallAction: String, CaseIterable {
    case report
    case restart
  }
}

extension PluginConfiguration {
  /// Where only one of the two pauses is given, the other gives way to it.
  mutating func settleRestartDelays(given settings: [Setting]) throws(Diagnostic) {
    guard restartDelay > restartDelayMax else { return }
    let given = { (keyword: DeliveryKeyword) in
      settings.last { $0.keyword.text.lowercased() == keyword.rawValue }
    }
    switch (given(.restartDelay), given(.restartDelayMax)) {
    case (let delay?, .some):
      throw delay.values[0].error("restart_delay is longer than restart_delay_max")
    case (nil, .some): restartDelay = restartDelayMax
    default: restartDelayMax = restartDelay
    }
  }
}
