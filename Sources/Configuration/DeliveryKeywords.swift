/// The keywords of delivery: in a file of `plugins.d` for that plugin, in `audispatchd.conf` for
/// every plugin whose own file does not say otherwise.
enum DeliveryKeywords {
  static let all: [Keyword<PluginConfiguration>] = queue + ends

  private static let queue: [Keyword<PluginConfiguration>] = [
    .choice("binary_framing", "HOW", "how long a binary record is", \.binaryFraming),
    .yesOrNo("confirm", "whether the plugin says what it is done with", \.confirms),
    .yesOrNo("gap_record", "whether a gap is announced in its stream", \.gapRecord),
    .choice("overflow_action", "ACTION", "what a full queue does", \.overflowAction),
    .bytes("q_bytes", "BYTES", "that may wait for it", \.queueBytes, 1...(1 << 40)),
    .number("q_depth", "RECORDS", "that may wait for it", \.queueDepth, 1...10_000_000),
    .bytes(
      "spool_bytes", "BYTES", "that may wait for it on disk", \.spoolBytes,
      (1 << 20)...(1 << 50)),
  ]

  private static let ends: [Keyword<PluginConfiguration>] = [
    .seconds("held_delay", "between the tries of a held plugin", \.heldDelay, delays),
    .number(
      "max_restarts", "NUMBER", "of deaths in a row until it is held", \.maxRestarts,
      0...Int(Int32.max)),
    .seconds("restart_delay", "before the first restart", \.restartDelay, delays),
    .seconds("restart_delay_max", "before a restart at the most", \.restartDelayMax, delays),
    .choice("stall_action", "ACTION", "what becomes of a stalled plugin", \.stallAction),
    .seconds("stall_timeout", "that it may read nothing", \.stallTimeout, .zero...day),
    .seconds("stop_timeout", "that it may take to read what is left", \.stopTimeout, .zero...day),
  ]

  private static let day = Duration.seconds(86400)
  private static let delays = Duration.milliseconds(1)...day
}

/// What becomes of a plugin that reads nothing though input waits.
enum StallAction: String, CaseIterable {
  case report
  case restart
}

extension PluginConfiguration {
  fileprivate var stallAction: StallAction {
    get { restartsWhenStalled ? .restart : .report }
    set { restartsWhenStalled = newValue == .restart }
  }

  /// Where only one of the two pauses is given, the other gives way to it.
  mutating func settleRestartDelays(given settings: [Setting]) throws(Diagnostic) {
    guard restartDelay > restartDelayMax else { return }
    switch (settings.last(named: "restart_delay"), settings.last(named: "restart_delay_max")) {
    case (let delay?, .some):
      throw delay.values[0].error("restart_delay is longer than restart_delay_max")
    case (nil, .some): restartDelay = restartDelayMax
    default: restartDelayMax = restartDelay
    }
  }
}

extension [Setting] {
  /// The one that counts.
  func last(named keyword: String) -> Setting? {
    last { $0.keyword.text.lowercased() == keyword }
  }
}
