import Configuration
import Glibc
import Linux

/// Takes the runtime folder, and waits for what a predecessor has left in it, while records are taken
/// in.
struct RuntimeClaim: Owner {
  let base: Base
  let custody: Custody
  let durable: DurableQueues

  func tend() {
    guard !runtime.isOurs else { return tendOrphans() }
    do {
      switch try runtime.claim(now: loop.now) {
      case nil:
        // Its disk is slow, or hangs: as with another's folder, the spool is not waited for.
        giveUpReplay(waitingFor: .dispatcher)
        loop.wake(.claim, in: .seconds(1))
      case .waits(let wait)?:
        report(wait)
        if wait != .dispatcher { durable.noOtherHasFolder() }
        giveUpReplay(waitingFor: wait)
        loop.wake(.claim, in: .milliseconds(50))
      case .ours?:
        if let lock = runtime.lockNumber { custody.keepLock(lock, of: runtime.path) }
        durable.noOtherHasFolder()
        tendOrphans()
        loop.wakeAll()
      }
    } catch {
      if runtime.isNews(.other) { loop.say(.error, "\(error)") }
      durable.noOtherHasFolder()
      giveUpReplay(waitingFor: nil)
      loop.wake(.claim, in: .seconds(1))
    }
  }

  private func report(_ wait: RuntimeFolder.Wait) {
    guard runtime.isNews(wait) else { return }
    switch wait {
    case .dispatcher:
      loop.say(.notice, "another audispatchd uses \(runtime.path): waiting for it to end")
    case .distrust(let reason):
      loop.say(
        .error,
        "\(runtime.path) is not used (\(reason)), and no plugin is started: make it root's, "
          + "writable for nobody else")
    case .other: break
    }
  }

  /// A predecessor's plugins hold up those of the same name.
  private func tendOrphans() {
    let count = runtime.orphanCount
    let next = runtime.tendOrphans(loop.now)
    // A plugin of the same name may have waited.
    if runtime.orphanCount < count { loop.wakeAll() }
    settleKeptSockets()
    let names = runtime.takeOrphanNews()
    if !names.isEmpty {
      loop.say(
        .notice,
        "plugins of a killed audispatchd still run: waiting for "
          + names.sorted().joined(separator: ", "))
    }
    if let next { loop.wake(.claim, at: next) }
  }

  /// Takes over from those of a predecessor's children, kept by a service manager, that have ended.
  private func settleKeptSockets() {
    let ended = custody.takeSockets { child in
      let plugin = plugins.all.first { $0.inheritance?.queue.child == child }
      return plugin.map { !runtime.awaitsEnd(of: $0.name) } ?? true
    }
    for child in ended { durable.predecessorsChildEnded(child) }
    settleWithoutSockets()
  }

  /// Takes over from those whose sockets nobody keeps any more, since the keeper has died, too: by the
  /// list of children they have ended.
  private func settleWithoutSockets() {
    for plugin in plugins.all {
      guard let share = plugin.inheritance, share.isAwaited, !custody.has(share.queue.child),
        !runtime.awaitsEnd(of: plugin.name)
      else { continue }
      durable.predecessorsChildIsGone(plugin, share.queue)
    }
  }

  /// A replay does not wait without end for a folder that it cannot have.
  ///
  /// - Parameter wait: `nil` when it cannot be used at all.
  private func giveUpReplay(waitingFor wait: RuntimeFolder.Wait?) {
    guard source.canWait, ending.isRunning, !ending.isHopeless else { return }
    switch wait {
    case nil, .distrust: break
    case .dispatcher, .other: guard loop.now - loop.started > .seconds(10) else { return }
    }
    ending.giveUpPlugins()
    loop.say(
      .error,
      "without \(runtime.path) no plugin is started: give the replay one of its own (--runtime-dir)"
    )
  }
}
