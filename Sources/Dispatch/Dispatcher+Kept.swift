import Configuration
import Journal
import Linux

/// What the spool has for plugins that are not active: kept for a time, reported, given up.
extension Dispatcher {
  static var wallSeconds: UInt64 { UInt64(max(0, WallClock.milliseconds / 1000)) }

  /// A durable plugin was taken out of the configuration: what is on disk for it stays there.
  ///
  /// - Returns: how many records.
  func keepQueue(of plugin: Plugin) -> UInt64 {
    guard let durable, durable.isSettled, plugin.subscription.isDurable else { return 0 }
    if case .unusable = durable.state { return 0 }
    tell(plugin, durable)
    durable.told[plugin.name] = nil
    let kept = KeptQueue(
      records: plugin.subscription.queuedInLog, number: plugin.subscription.firstNumber,
      now: Self.wallSeconds)
    durable.kept[plugin.name] = kept
    leaveBehind(plugin.name, durable, from: journal.nextRecord)
    return kept.count
  }

  /// Has the log keep nothing for a plugin from that record on.
  func leaveBehind(_ name: String, _ durable: DurableQueues, from end: RecordNumber) {
    guard let kept = durable.kept[name], kept.leftOutFrom == nil else { return }
    durable.kept[name]?.leftOutFrom = end
    durable.kept[name]?.begins(at: Self.wallSeconds)
    durable.spool.setCursor(
      name, next: kept.records.first?.lowerBound ?? end, number: kept.number)
    durable.spool.leaveOut(name, end..<RecordNumber.max)
  }

  /// Gives up what was kept for its time.
  func giveUpKept(_ durable: DurableQueues) {
    let limit = configuration.spoolKeep
    guard durable.isOpen, limit > .zero, !durable.kept.isEmpty else { return }
    for (name, kept) in durable.kept.sorted(by: { $0.key < $1.key })
    where kept.age(now) >= limit {
      durable.kept[name] = nil
      durable.spool.forget(name)
      durable.givenUp += kept.count
      guard kept.count > 0 else { continue }
      say(
        .warning,
        "the spool's \(kept.count) records for plugin \(name), which is not active for "
          + "\(kept.age(now).components.seconds) s, are given up (spool_keep)")
    }
    if let oldest = durable.kept.values.map({ $0.age(now) }).max() {
      scheduleTick(now + min(limit - oldest, .seconds(3600)))
    }
  }

  /// Gives up what is kept for a plugin that is not active, as somebody asks; the answer.
  func discardKept(_ name: String) -> String {
    if plugins.contains(where: { $0.name == name }) {
      return
        "error the plugin '\(printable(name, limit: 80))' is active: set active = no in its file, "
        + "and reload\n"
    }
    guard let durable, durable.isOpen, let kept = durable.kept.removeValue(forKey: name) else {
      let names = (durable?.kept.keys.sorted() ?? []).joined(separator: ", ")
      return "error the spool keeps nothing for a plugin '\(printable(name, limit: 80))'"
        + (names.isEmpty ? "\n" : "; it does for: \(names)\n")
    }
    durable.spool.forget(name)
    durable.givenUp += kept.count
    commit(durable)
    // What nobody wants is removed with what is made safe.
    durable.spool.sync()
    say(
      .warning,
      "the spool's \(kept.count) records for plugin \(name), which is not active, are given up, as "
        + "audispatchctl asked")
    return "ok\n\(kept.count) records for \(name) are given up\n"
  }

  func keptStatus(_ durable: DurableQueues, _ json: inout JSONText) {
    json.field("given_up", durable.givenUp)
    json.array("gone") { json in
      for (name, kept) in durable.kept.sorted(by: { $0.key < $1.key }) {
        json.object { json in
          json.field("name", name)
          json.field("records", kept.count)
          json.field("since", kept.since)
        }
      }
    }
  }
}
