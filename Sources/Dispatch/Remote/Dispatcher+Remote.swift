import Configuration
import Glibc
import Journal
import Linux
import RemoteProtocol

/// Records of other hosts: the receiver and its ledger are looked after here.
extension Dispatcher {
  /// What has to happen for remote sources because time has passed, or the log went on.
  func tendRemote() {
    guard let remote else { return }
    if !remote.leaving.isEmpty { forgetReceivers(remote) }
    if remote.process == nil, ending.isRunning { startReceiver(remote) }
    settleLedger(remote)
    holdOrGoOn(remote)
    acknowledge(remote)
    if let process = remote.process {
      if !process.flush() { scheduleTick(now + .milliseconds(5)) }
      process.output.tell(now) { say(.warning, "audispatch-receive: \($0)") }
      if let at = process.output.tellAt { scheduleTick(at) }
    }
    if remote.isPaused { goOnWhenPossible(remote) }
  }

  // MARK: Beginning

  /// Starts the receiver when all is there that it needs: the runtime folder, so that no predecessor
  /// has the spool; the ledger; the log; and the sockets.
  private func startReceiver(_ remote: RemoteSources) {
    guard runtime.isOurs else { return }
    guard openLedger(remote), durable?.isSettled ?? true,
      plugins.allSatisfy({ $0.inheritance == nil })
    else { return scheduleTick(now + .milliseconds(10)) }
    guard now >= remote.retry else { return scheduleTick(remote.retry) }
    let failed = remote.listen()
    for (place, reason) in failed where remote.startReport.pass(now) != nil {
      say(.error, "cannot listen at \(place.name): \(reason); trying again")
    }
    let before = remote.delay
    remote.retry = now + before
    remote.delay = min(before * 2, .seconds(5))
    guard remote.places.contains(where: { $0.socket != nil }) else {
      return scheduleTick(remote.retry)
    }
    do throws(SystemError) {
      let process = try ReceiverProcess(connections: remote.configuration.connections)
      guard poller.add(process.channel.number, Token.receiver, .read) else {
        throw SystemError("wait for", "audispatch-receive", .current)
      }
      _ = poller.add(process.output.number, Token.receiverOutput, .read)
      remote.process = process
      remote.isPaused = false
      remote.isHolding = false
      configureReceiver(remote, listens: true)
    } catch {
      if remote.startReport.pass(now) != nil { say(.error, "\(error); trying again") }
      scheduleTick(remote.retry)
    }
  }

  /// Whether it is known what was stored of each sender.
  private func openLedger(_ remote: RemoteSources) -> Bool {
    if remote.ledger != nil { return true }
    guard let opening = remote.opening else {
      guard now >= remote.nextOpening else { return false }
      let opening = LedgerOpening(folder: configuration.spoolDirectory)
      do throws(SystemError) {
        try WorkThread(opening).detach()
        remote.opening = opening
      } catch { beginLedger(remote, nil, "\(error)") }
      return remote.ledger != nil
    }
    switch opening.take() {
    case nil: return false
    case .opened(let file)?: beginLedger(remote, Descriptor(owning: file), nil)
    case .taken?:
      remote.opening = nil
      remote.nextOpening = now + .milliseconds(200)
    case .failed(let reason)?: beginLedger(remote, nil, reason)
    }
    return remote.ledger != nil
  }

  private func beginLedger(
    _ remote: RemoteSources, _ file: consuming Descriptor?, _ reason: String?
  ) {
    remote.opening = nil
    remote.nextOpening = now + .seconds(5)
    if let reason {
      say(
        .warning,
        "\(reason): which records of other hosts were stored is forgotten when this process ends")
    }
    do throws(SystemError) {
      try remote.begin(file)
    } catch { say(.error, "\(error)") }
  }

  /// What a predecessor noted and the log did not get was not stored.
  private func settleLedger(_ remote: RemoteSources) {
    guard !remote.isLedgerSettled, let ledger = remote.ledger, durable?.isSettled ?? true else {
      return
    }
    remote.isLedgerSettled = true
    guard let durable, durable.isOpen else { return }
    ledger.forget(placesFrom: durable.spool.logged(durable.endAtOpening))
  }

  /// Gives the receiver its settings, with the files that it may not open itself.
  func configureReceiver(_ remote: RemoteSources, listens: Bool) {
    guard let process = remote.process else { return }
    let settings = remote.configuration
    process.order(
      .begin(
        ReceiverOrder.Settings(
          connections: UInt32(settings.connections),
          perAddress: UInt32(settings.connectionsPerAddress),
          firstPort: UInt16(settings.clientPorts?.lowerBound ?? 0),
          lastPort: UInt16(settings.clientPorts?.upperBound ?? 0),
          idleMilliseconds: UInt64(settings.idleLimit.inNanoseconds / 1_000_000),
          networks: settings.allowedNetworks.map(\.description).joined(separator: " "))))
    if remote.places.contains(where: \.isSecure) { giveKeys(settings, process) }
    process.order(.apply)
    process.flush()
    for (index, place) in remote.places.enumerated() {
      guard listens || !place.isHeard, mayHear(place, settings) else { continue }
      guard let socket = place.socket?.number else { continue }
      place.isHeard = true
      let order = ReceiverOrder.listener(source: UInt8(clamping: index), isSecure: place.isSecure)
      // It takes what it is given, or is gone; that is seen anyway.
      if process.give(order, socket) { say(.info, "other hosts are heard at \(place.name)") }
    }
  }

  /// Where nobody could be let in nobody is to connect: until a reload finds a key.
  private func mayHear(_ place: RemoteSources.Place, _ settings: RemoteConfiguration) -> Bool {
    guard place.isSecure, !settings.canServeTLS(user: geteuid()) else { return true }
    place.socket = nil
    say(
      .error,
      "no other host is heard at \(place.name): neither a key nor a certificate can be used; a "
        + "reload tries again")
    return false
  }

  /// Peers may from now on what the configuration says; keys and certificates are read again.
  func reloadRemote(_ new: RemoteConfiguration) {
    guard let remote else { return }
    remote.configuration = new
    configuration.remote = new
    for (place, reason) in remote.listen() {
      say(.error, "cannot listen at \(place.name): \(reason)")
    }
    configureReceiver(remote, listens: false)
  }

  private func giveKeys(_ settings: RemoteConfiguration, _ process: ReceiverProcess) {
    for key in settings.keys {
      give(key.file, .sharedKey(identity: key.identity), process, isSecret: true)
    }
    let files: [(String?, ReceiverOrder.File)] = [
      (settings.certificate, .certificate), (settings.key, .key),
      (settings.authorities, .authorities), (settings.revoked, .revoked),
    ]
    for (path, kind) in files {
      if let path { give(path, .file(kind), process, isSecret: kind == .key) }
    }
  }

  private func give(
    _ path: String, _ order: ReceiverOrder, _ process: ReceiverProcess, isSecret: Bool
  ) {
    do throws(SystemError) {
      let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
      var facts = stat()
      guard unsafe fstat(file.number, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
        throw SystemError("use", path, Errno(EINVAL))
      }
      if isSecret, facts.st_mode & 0o077 != 0 || ![0, geteuid()].contains(facts.st_uid) {
        say(.error, "\(path) is not used: others may have read it (chmod 0400, owned by root)")
        return
      }
      _ = process.give(order, file.number)
    } catch { say(.error, "\(error)") }
  }

  // MARK: Going on

  /// Whether a plugin has to have records on disk before anybody is told that they are safe.
  private var isLossless: Bool {
    plugins.contains {
      $0.subscription.isDurable && $0.configuration.overflowAction == .lossless
    }
  }

  /// While the log takes nothing no peer is told that anything is stored: it keeps it.
  private func holdOrGoOn(_ remote: RemoteSources) {
    guard let process = remote.process, let durable else { return }
    let hasFailed = if case .failed = durable.state { true } else { false }
    let cannotStore = hasFailed && plugins.contains { $0.subscription.isDurable }
    guard cannotStore != remote.isHolding else { return }
    remote.isHolding = cannotStore
    if cannotStore {
      remote.dropUnsafe()
      process.order(.hold)
      if remote.holdReport.pass(now) != nil {
        say(.warning, "other hosts are told to keep their records: nothing can be stored now")
      }
    } else {
      process.order(.goOn)
      say(.notice, "records of other hosts are taken again")
    }
  }

  /// Tells the receiver what is safe.
  private func acknowledge(_ remote: RemoteSources) {
    guard let process = remote.process, remote.hasUnsafe, !remote.isHolding else { return }
    let end: RecordNumber
    if let durable, durable.isOpen, isSpooling {
      end = isLossless ? durable.log.syncedBelow : durable.spool.appendedBelow
    } else {
      end = .max
    }
    remote.takeSafe(below: end) { record in
      process.told = record.count
      remote.peers.count(record.place) { $0.acknowledged += 1 }
    }
    tell(process)
    if remote.hasUnsafe { scheduleTick(now + .milliseconds(isLossless ? 20 : 2)) }
  }

  private func tell(_ process: ReceiverProcess) {
    process.order(.ok(process.told))
    process.flush()
  }

  /// So much waits for the disk, or in memory, that peers had better keep theirs.
  private var isCrowded: Bool {
    (durable?.spool.pendingBytes ?? 0) > 8 << 20
      || journal.bytes > configuration.journalBytes / 4 * 3
  }

  private func goOnWhenPossible(_ remote: RemoteSources) {
    guard let process = remote.process else { return }
    if isCrowded { remote.turns.end() }
    guard !isCrowded, isTurn(remote) else { return scheduleTick(now + .milliseconds(1)) }
    remote.isPaused = false
    _ = poller.add(process.channel.number, Token.receiver, .read)
  }

  /// Whether other hosts' records may be taken now, as `Turns` says.
  private func isTurn(_ remote: RemoteSources) -> Bool {
    guard survivor.isHeld, let durable, durable.isOpen, isSpooling else { return true }
    source.settle(below: durable.spool.appendedBelow)
    if remote.turns.look(isSettled: source.isSettled, now) { return true }
    if let since = remote.turns.since, now - since > .seconds(5),
      remote.turnReport.pass(now) != nil
    {
      let seconds = (now - since).components.seconds
      say(
        .warning,
        "other hosts' records have waited \(seconds) s for the spool in \(configuration.spoolDirectory) "
          + "to take this host's own: their senders keep them")
    }
    return false
  }

  private func pause(_ remote: RemoteSources, _ process: ReceiverProcess) {
    remote.isPaused = true
    poller.remove(process.channel.number)
    scheduleTick(now + .milliseconds(1))
  }

  /// Takes what the receiver has, some packets at once.
  func readReceiver() {
    guard let remote, let process = remote.process, !remote.isPaused else { return }
    holdOrGoOn(remote)
    guard isTurn(remote) else { return pause(remote, process) }
    defer { remote.turns.end() }
    for _ in 0..<8 {
      if isCrowded { return pause(remote, process) }
      switch process.channel.receive(into: &remote.buffer) {
      case .nothing: return acknowledge(remote)
      case .ended: return receiverEnded(remote)
      case .packet(let count, _, _):
        guard let items = ReceiverItem.all(in: remote.buffer[..<count]) else {
          say(.error, "audispatch-receive says what nobody understands: it is started anew")
          process.child.signal(SIGKILL)
          return receiverEnded(remote)
        }
        take(items, remote)
      }
    }
    acknowledge(remote)
  }

  func readReceiverOutput() {
    guard let process = remote?.process else { return }
    let outcome = process.output.read(now) { say(.warning, "audispatch-receive: \($0)") }
    if outcome == .ended { poller.remove(process.output.number) }
  }

  // MARK: Ending

  /// Has the receiver take what is there and tell every peer.
  func finishRemote() {
    guard let remote, let process = remote.process, !remote.isFinishing else { return }
    remote.isFinishing = true
    for place in remote.places { place.socket = nil }
    process.order(.finish)
    process.flush()
  }

  /// Whether nothing more can come from other hosts.
  var isRemoteFinished: Bool { remote?.process == nil }

  func closeRemote() {
    guard let remote, let process = remote.process else { return }
    acknowledge(remote)
    process.child.signal(SIGKILL)
    receiverEnded(remote)
  }

  private func receiverEnded(_ remote: RemoteSources) {
    guard let process = remote.process else { return }
    if !remote.isPaused { poller.remove(process.channel.number) }
    readReceiverOutput()
    poller.remove(process.output.number)
    remote.process = nil
    remote.isPaused = false
    remote.turns.end()
    // Who was not told sends again, and is recognised.
    remote.takeSafe(below: .max) { _ in }
    remote.peers.closeAll(error: "the receiver ended")
    // Nobody hears it any more; one that has ended by itself keeps its status.
    process.child.signal(SIGKILL)
    remote.leaving.append(process)
    remote.retry = max(remote.retry, now + .milliseconds(100))
    scheduleTick(now)
  }

  /// Says how receivers have ended that are gone.
  private func forgetReceivers(_ remote: RemoteSources) {
    remote.leaving.removeAll { process in
      guard let end = process.child.reap() else { return false }
      if !remote.isFinishing, ending.isRunning, remote.endReport.pass(now) != nil {
        say(
          .error,
          "audispatch-receive ended with \(end): every peer has to connect again, and sends what was "
            + "not acknowledged")
      }
      return true
    }
    if !remote.leaving.isEmpty { scheduleTick(now + .milliseconds(5)) }
  }
}
