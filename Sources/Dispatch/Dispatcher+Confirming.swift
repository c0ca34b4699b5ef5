import Journal
import Linux

extension Dispatcher {
  /// What a plugin's socket is waited for when nothing waits to be written.
  func idleInterest(_ plugin: Plugin) -> Interest {
    plugin.subscription.confirms && !plugin.confirmingEnded && plugin.confirmingRestsUntil == nil
      ? .read : []
  }

  /// Waits for that at a plugin's socket. For nothing it is not waited at all: that the plugin has
  /// closed it both ways would be reported again and again.
  func wait(at plugin: Plugin, for interest: Interest) {
    guard let fd = plugin.ourEnd?.number else { return }
    if interest.isEmpty {
      poller.remove(fd)
    } else {
      poller.change(fd, Token.pluginInput | UInt64(plugin.id), interest)
    }
  }

  /// Pieces of 4 KiB that are read at once, so that a plugin that writes without end holds up nobody.
  private static let piecesAtOnce = 4
  /// How long it is not listened to then: a million confirmations a second are read, and more.
  private static let confirmingRest = Duration.milliseconds(1)

  /// Reads what a plugin says that it is done with: of one that has ended, all.
  ///
  /// One that says more than is read at once waits for a moment.
  func readConfirmations(_ plugin: Plugin, hasEnded: Bool = false) {
    guard plugin.subscription.confirms, !plugin.confirmingEnded, let fd = plugin.ourEnd?.number
    else { return }
    var chunk = [UInt8](repeating: 0, count: 4096)
    for _ in 0..<(hasEnded ? 1000 : Self.piecesAtOnce) {
      // Looked at first: should this process die before a successor can know of it, it is there.
      let result = unsafe chunk.withUnsafeMutableBytes { unsafe UnixSocket.peek(fd, into: $0) }
      switch result {
      case .bytes(let count):
        // Half a line alone is taken, too, or it would be ready to be read all the time.
        let taken = chunk[..<count].lastIndex(of: 0x0a).map { $0 + 1 } ?? count
        if let number = plugin.confirmations.take(chunk[..<taken]) {
          confirm(plugin, StreamNumber(number))
          publish()
        }
        _ = unsafe chunk.withUnsafeMutableBytes {
          unsafe Transfer.read(fd, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<taken]))
        }
        if count < chunk.count { return reportUnconfirmed(plugin) }
      case .wouldBlock: return reportUnconfirmed(plugin)
      case .end, .failed:
        plugin.confirmingEnded = true
        wait(at: plugin, for: plugin.isBlocked ? .write : [])
        return reportUnconfirmed(plugin)
      }
    }
    reportUnconfirmed(plugin)
    guard !hasEnded else { return }
    let until = now + Self.confirmingRest
    plugin.confirmingRestsUntil = until
    scheduleTick(until)
    wait(at: plugin, for: plugin.isBlocked ? .write : [])
  }

  /// Listens again to a plugin that said more than was read at once.
  func goOnWithConfirmations(_ plugin: Plugin) {
    guard let until = plugin.confirmingRestsUntil, let fd = plugin.ourEnd?.number else { return }
    guard now >= until else { return scheduleTick(until) }
    plugin.confirmingRestsUntil = nil
    let token = Token.pluginInput | UInt64(plugin.id)
    let interest = plugin.isBlocked ? idleInterest(plugin).union(.write) : idleInterest(plugin)
    guard !interest.isEmpty, !poller.add(fd, token, interest),
      !poller.change(fd, token, interest)
    else { return }
    plugin.confirmingRestsUntil = now + .milliseconds(100)
    scheduleTick(now + .milliseconds(100))
  }

  private func confirm(_ plugin: Plugin, _ number: StreamNumber) {
    let before = plugin.subscription.counters.delivered
    if plugin.subscription.confirm(upTo: number) {
      if plugin.subscription.counters.delivered > before { plugin.isWorthWaitingFor = true }
      goOnReadingBack(plugin)
    } else if plugin.confirmationReport.pass(now) != nil {
      say(
        .error,
        "plugin \(plugin.name) confirmed \(number.value), which it was not given; "
          + "\(plugin.subscription.firstNumber.value) is the next to be confirmed")
    }
  }

  private func reportUnconfirmed(_ plugin: Plugin) {
    guard let sample = plugin.confirmations.takeSample(), plugin.confirmationReport.pass(now) != nil
    else { return }
    say(
      .error,
      "plugin \(plugin.name) wrote '\(sample)' to its standard input, where only 'ok N' has a "
        + "meaning; \(plugin.confirmations.malformed) such lines so far")
  }
}
