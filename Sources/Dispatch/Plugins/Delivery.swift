import AuditRecord
import Configuration
import Journal
import Linux

/// Writes to plugins what their queues have for them.
final class Delivery: Owner {
  let base: Base
  private let ledger: Ledger
  private let isBehindAuditd: Bool
  private var scratch: [UInt8] = []

  /// - Parameter isBehindAuditd: it is an auditd that writes to us.
  init(_ base: Base, _ ledger: Ledger, isBehindAuditd: Bool) {
    self.base = base
    self.ledger = ledger
    self.isBehindAuditd = isBehindAuditd
  }

  /// Writes what the plugin's socket takes now.
  @inline(__always)
  func flush(_ plugin: Plugin, wall: Int64, _ permit: borrowing WritingPermit) {
    guard plugin.subscription.hasUnwritten, let child = plugin.child, !child.isBlocked,
      plugin.lifecycle.takesInput
    else { return }
    if child.awaitsFraming, !decideFraming(plugin, child) { return }
    switch plugin.write(
      to: child, journal: journal, now: wall, scratch: &scratch, survivor: ledger.survivor, permit)
    {
    case .nothing:
      // The child is gone or going, and its end will tell.
      child.block()
      wait(at: plugin, child, for: child.idleInterest)
    case .full: loop.wake(.plugins, at: plugin.writesAgain(loop.now))
    case .some where child.isBlocked:
      let token = Token.pluginInput(plugin.id)
      if !loop.waitFor(child.inputNumber, token, child.interest) {
        // Nobody would see that it has room: it is looked at again soon.
        child.unblock()
        loop.wake(.plugins, in: .milliseconds(100))
      }
    case .some: break
    }
  }

  func flush(_ plugin: Plugin) {
    flush(plugin, wall: WallClock.milliseconds, ledger.permitWriting())
  }

  /// The plugin's socket has room.
  func becameWritable(_ plugin: Plugin) {
    guard let child = plugin.child else { return }
    wait(at: plugin, child, for: child.idleInterest)
    child.unblock()
    flush(plugin)
  }

  /// Waits at a plugin's input for what it may be waited for now.
  func wait(at plugin: Plugin, _ child: PluginChild) {
    wait(at: plugin, child, for: child.interest)
  }

  /// For nothing it is not waited at all: that the plugin has closed it both ways would be reported
  /// again and again.
  private func wait(at plugin: Plugin, _ child: PluginChild, for interest: Interest) {
    if interest.isEmpty {
      loop.poller.remove(child.inputNumber)
    } else {
      loop.poller.change(child.inputNumber, .pluginInput(plugin.id), interest)
    }
  }

  /// End of file for the child, behind what it has not read yet.
  func endInput(_ plugin: Plugin) {
    guard let child = plugin.child else { return }
    child.endInput()
    wait(at: plugin, child, for: child.idleInterest)
  }

  /// Binary records are framed as the input is, which shows with its first record.
  private func decideFraming(_ plugin: Plugin, _ child: PluginChild) -> Bool {
    let compact: Bool
    switch plugin.configuration.binaryFraming {
    case .compact: compact = true
    case .fixed: compact = false
    case .same:
      switch (source.reader.isBinary, source.reader.likelyFraming) {
      case (true, .compact): compact = true
      case (true, .fixed): compact = false
      // A fixed record arrives whole: with nothing behind the first one, they are compact.
      case (true, .undecided) where isBehindAuditd: compact = true
      default:
        guard InstalledAudit.isKnown else {
          InstalledAudit.beginAsking()
          loop.wake(.plugins, in: .milliseconds(20))
          return false
        }
        compact = InstalledAudit.writesCompactRecords
      }
    }
    plugin.subscription.encoding = compact ? .compact : .fixed
    child.knowsFraming()
    return true
  }
}
