import Configuration
import Journal
import Linux

/// Gives other hosts' records their turn beside this host's own source, as `Turns` decides.
final class RemoteTurn: Owner {
  let base: Base
  private let durable: DurableQueues
  private let input: Input
  /// A parent keeps this host's input, so that a successor makes records of it again.
  private let isHeld: Bool
  private var turns = Turns()
  private var report = RateLimit(every: .seconds(60))

  init(_ base: Base, _ durable: DurableQueues, _ input: Input, isHeld: Bool) {
    self.base = base
    self.durable = durable
    self.input = input
    self.isHeld = isHeld
  }

  /// Whether other hosts' records may be taken now. Where they may not, this host's source may have to
  /// rest.
  func hasCome() -> Bool {
    guard isHeld, let open = durable.open, durable.isSpooling else { return true }
    source.settle(below: open.spool.appendedBelow)
    let hasCome = turns.look(isSettled: source.isSettled, loop.now)
    input.rest(turns.holdsSource)
    if let since = turns.since { warn(since) }
    return hasCome
  }

  /// Other hosts had their turn: this host's source goes on.
  func end() {
    turns.end()
    input.rest(false)
  }

  private func warn(_ since: Moment) {
    let waited = loop.now - since
    guard waited > .seconds(5), report.pass(loop.now) != nil else { return }
    loop.say(
      .warning,
      "other hosts' records have waited \(waited.components.seconds) s for the spool in "
        + "\(settings.daemon.spoolDirectory) to take this host's own: their senders keep them")
  }
}
