import Configuration
import Journal
import Linux

/// What the log has for plugins that are not active.
extension DurableQueues {
  /// A durable plugin was taken out of the configuration: what is on disk for it stays there.
  ///
  /// - Returns: how many records.
  func keepQueue(of plugin: Plugin) -> UInt64 {
    guard let open, open.isReadable, plugin.subscription.isDurable else { return 0 }
    tell(plugin, open)
    open.forgetTold(plugin.name)
    let queue = KeptQueue(
      records: plugin.subscription.queuedInLog, number: plugin.subscription.firstNumber,
      now: KeptQueue.seconds)
    kept.keep(queue, of: plugin.name)
    leaveBehind(plugin.name, open, from: journal.nextRecord)
    return queue.count
  }

  /// Says what there is for plugins that are not active, or not durable any more.
  func reportKept(_ open: OpenSpool, from begin: RecordNumber) {
    for (name, queue) in kept.all {
      leaveBehind(name, open, from: begin)
      guard queue.count > 0 else { continue }
      let why = plugins.named(name) != nil ? "does not spill any more" : "is not active"
      loop.say(.warning, "the spool has \(queue.count) records for plugin \(name), which \(why)")
    }
  }

  /// Has the log keep nothing for a plugin from that record on.
  private func leaveBehind(_ name: String, _ open: OpenSpool, from end: RecordNumber) {
    guard let queue = kept.leaveBehind(name, from: end) else { return }
    open.spool.setCursor(
      name, next: queue.records.first?.lowerBound ?? end, number: queue.number)
    open.spool.leaveOut(name, end..<RecordNumber.max)
  }

  /// Gives up what is kept for a plugin that is not active, as somebody asks; the answer.
  func discardKept(_ name: String) -> String {
    let shown = printable(name.utf8.prefix(80))
    guard plugins.named(name) == nil else {
      return "error the plugin '\(shown)' is active: set active = no in its file, and reload\n"
    }
    guard let open, open.isReadable else {
      return "error the spool is \(open?.state.name ?? "not there"): nothing is given up now\n"
    }
    guard let queue = kept.discard(name) else {
      let names = kept.all.map { printable($0.name.utf8.prefix(80)) }.joined(separator: ", ")
      return "error the spool keeps nothing for a plugin '\(shown)'"
        + (names.isEmpty ? "\n" : "; it does for: \(names)\n")
    }
    forget(name, open)
    loop.say(
      .warning,
      "the spool's \(queue.count) records for plugin \(name), which is not active, are given up, as "
        + "audispatchctl asked")
    return "ok\n\(queue.count) records for \(name) are given up\n"
  }

  /// What nobody wants is removed with what is made safe. A log that takes nothing now does that with
  /// the first that it takes: what is told to it until then comes in front.
  private func forget(_ name: String, _ open: OpenSpool) {
    open.spool.forget(name)
    guard open.isOpen else { return }
    commit(open)
    open.spool.sync()
  }

  /// Gives up what was kept for its time.
  func giveUpKept(_ open: OpenSpool) {
    let limit = settings.daemon.spoolKeep
    guard open.isReadable, limit > .zero else { return }
    for (name, queue) in kept.giveUp(after: limit, loop.now) {
      forget(name, open)
      guard queue.count > 0 else { continue }
      loop.say(
        .warning,
        "the spool's \(queue.count) records for plugin \(name), which is not active for "
          + "\(queue.age(loop.now).components.seconds) s, are given up (spool_keep)")
    }
    if let oldest = kept.longestAge(loop.now) {
      loop.wake(.durable, in: min(limit - oldest, .seconds(3600)))
    }
  }
}
