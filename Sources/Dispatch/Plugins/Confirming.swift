import Journal
import Linux

/// Takes what plugins say on their input, each for itself: what they are done with.
struct Confirming: Owner {
  /// Pieces of 4 KiB that are read at once, so that a plugin that writes without end holds up nobody.
  private static let piecesAtOnce = 4
  /// How long it is not listened to then: a million confirmations a second are read, and more.
  private static let rest = Duration.milliseconds(1)

  let base: Base
  let ledger: Ledger
  let delivery: Delivery
  let durable: DurableQueues

  /// Reads what a plugin says that it is done with: of one that has ended, all.
  ///
  /// One that says more than is read at once waits for a moment.
  func read(_ plugin: Plugin, hasEnded: Bool = false) {
    guard let child = plugin.child, child.canConfirm else { return }
    let fd = child.inputNumber
    var chunk = [UInt8](repeating: 0, count: 4096)
    for _ in 0..<(hasEnded ? 1000 : Self.piecesAtOnce) {
      // Looked at first: should this process die before a successor can know of it, it is there.
      let result = unsafe chunk.withUnsafeMutableBytes { unsafe UnixSocket.peek(fd, into: $0) }
      switch result {
      case .bytes(let count):
        // Half a line alone is taken, too, or it would be ready to be read all the time.
        let taken = chunk[..<count].lastIndex(of: 0x0a).map { $0 + 1 } ?? count
        if let number = child.takeConfirmation(chunk[..<taken]) { confirm(plugin, number) }
        child.take(taken, into: &chunk, ledger.publish())
        if count < chunk.count { return reportUnconfirmed(plugin, child) }
      case .wouldBlock: return reportUnconfirmed(plugin, child)
      case .end, .failed:
        child.confirmsNoMore()
        delivery.wait(at: plugin, child)
        return reportUnconfirmed(plugin, child)
      }
    }
    reportUnconfirmed(plugin, child)
    guard !hasEnded else { return }
    let until = loop.now + Self.rest
    child.restConfirming(until: until)
    loop.wake(.plugins, at: until)
    delivery.wait(at: plugin, child)
  }

  /// Listens again to a plugin that said more than was read at once.
  func goOn(_ plugin: Plugin) {
    guard let child = plugin.child, let until = child.confirmingRest, loop.hasCome(until, .plugins)
    else {
      return
    }
    child.restConfirming(until: nil)
    let interest = child.interest
    guard !interest.isEmpty,
      !loop.waitFor(child.inputNumber, .pluginInput(plugin.id), interest)
    else { return }
    child.restConfirming(until: loop.now + .milliseconds(100))
    loop.wake(.plugins, in: .milliseconds(100))
  }

  private func confirm(_ plugin: Plugin, _ number: StreamNumber) {
    if plugin.confirm(upTo: number) {
      durable.goOnReadingBack(plugin)
    } else if plugin.reportsConfirmation(loop.now) {
      loop.say(
        .error,
        "plugin \(plugin.name) confirmed \(number.value), which it was not given; "
          + "\(plugin.subscription.firstNumber.value) is the next to be confirmed")
    }
  }

  private func reportUnconfirmed(_ plugin: Plugin, _ child: PluginChild) {
    guard let (sample, count) = child.takeUnconfirmed(), plugin.reportsConfirmation(loop.now)
    else { return }
    loop.say(
      .error,
      "plugin \(plugin.name) wrote '\(sample)' to its standard input, where only 'ok N' has a "
        + "meaning; \(count) such lines so far")
  }
}
