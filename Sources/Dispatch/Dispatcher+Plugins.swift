import AuditRecord
import Configuration
import Glibc
import Journal
import Linux

extension Dispatcher {
  /// Takes a plugin in; it is started by the next housekeeping.
  func add(_ configuration: PluginConfiguration) {
    let plugin = Plugin(
      id: nextID, configuration: configuration, node: node, journal: journal, now: now)
    plugins.append(plugin)
    nextID += 1
    takeSlot(plugin)
    needSpool(for: plugin)
  }

  /// Tells a plugin's life what happened and does what follows from it.
  func handle(_ plugin: Plugin, _ event: PluginLifecycle.Event) {
    let jitter = Double.random(in: 0.8...1.2, using: &random)
    switch plugin.lifecycle.handle(event, now: now, jitter: jitter) {
    case .none: break
    case .spawn: spawn(plugin)
    case .endInput: endInput(plugin)
    case .terminate: plugin.child?.signal(SIGTERM)
    case .kill:
      say(.warning, "plugin \(plugin.name) ignored the end of its input and SIGTERM: killed")
      plugin.child?.signal(SIGKILL)
    case .finished(let goal): finish(plugin, goal)
    case .hold(let deaths):
      say(
        .error,
        "plugin \(plugin.name) died \(deaths) times without reading anything: held, next try in "
          + "\(plugin.configuration.heldDelay)")
    case .retire:
      say(.error, "plugin \(plugin.name) died and max_restarts = 0: it is not started again")
    }
    if let deadline = plugin.lifecycle.deadline, deadline > now { scheduleTick(deadline) }
  }

  // MARK: Start

  private func spawn(_ plugin: Plugin) {
    guard runtime.isOurs, !runtime.awaitsEnd(of: plugin.name), !awaitsSpool(plugin),
      plugin.inheritance == nil
    else {
      return scheduleTick(now + .milliseconds(100))
    }
    // Everybody else has his turn between so many starts.
    guard Moment.now < startsUntil else { return scheduleTick(now) }
    // While the dispatcher stops nothing is restarted, whoever ended it, but for what a reload has
    // begun to replace.
    guard ending.isRunning || plugin.lifecycle.state == .starting else { return }
    let configuration = plugin.configuration
    do {
      let (ours, theirs) = try UnixSocket.pair()
      let ourEnd = Descriptor(owning: ours)
      let childEnd = Descriptor(owning: theirs)
      let (reading, writing) = try Pipe.open()
      let output = OutputCatcher(owning: Descriptor(owning: reading))
      let messagesEnd = Descriptor(owning: writing)
      let passedEnd = try passOutput(of: plugin)
      let standardOutput =
        switch passedEnd {
        case .some(let end): end.number
        case .none: messagesEnd.number
        }
      plugin.subscription.confirms = configuration.confirms
      plugin.subscription.setGapMark(configuration.confirms ? gapWord : nil)
      var environment = [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "AUDISPATCH_PLUGIN=\(configuration.name)", "AUDISPATCH_VERSION=\(Self.version)",
        "\(Orphans.variable)=\(runtime.path)", "AUDISPATCH_OUTPUT=\(configuration.output.rawValue)",
      ]
      if configuration.confirms {
        environment.append("AUDISPATCH_FIRST=\(plugin.subscription.firstNumber.value)")
        environment.append("AUDISPATCH_GAP=\(gapWord)")
      }
      runtime.isStarting(plugin.name)
      var confinement = configuration.confinement
      confinement.isOrdinary = true
      let child = try ChildProcess(
        path: configuration.path, arguments: configuration.arguments, environment: environment,
        input: childEnd.number, output: standardOutput, error: messagesEnd.number,
        confinement: confinement)
      ourEnd.setNonblocking(true)
      do throws(SystemError) {
        try poller.watch(child.pidfd, Token.pluginEnd | UInt64(plugin.id), .read)
        try poller.watch(output.number, Token.pluginOutput | UInt64(plugin.id), .read)
        if configuration.confirms {
          try poller.watch(ourEnd.number, Token.pluginInput | UInt64(plugin.id), .read)
        }
      } catch {
        // Nobody would see it end.
        child.signal(SIGKILL)
        _ = Poll.readable([child.pidfd], within: .seconds(1))
        _ = child.reap()
        throw error
      }
      beginPassing(plugin)
      plugin.past.advice = []
      plugin.failedStarts = (0, "")
      plugin.confirmations = ConfirmationReader()
      plugin.confirmingEnded = false
      plugin.confirmingRestsUntil = nil
      plugin.child = consume child
      plugin.ourEnd = consume ourEnd
      plugin.childEnd = consume childEnd
      plugin.output = consume output
      plugin.isBlocked = false
      plugin.deliveredAtStart = plugin.subscription.counters.delivered
      plugin.deliveredBefore = plugin.deliveredAtStart
      plugin.progressed = now
      plugin.awaitsFraming = configuration.format == .binary
      plugin.lifecycle.policy = .init(configuration)
      keep(plugin)
      handle(plugin, .spawned)
      if let pid = plugin.child?.pid { runtime.hasStarted(plugin.name, pid) }
      flush(plugin, wall: WallClock.milliseconds)
    } catch {
      let spawn = error as? SpawnError
      let reason = spawn.flatMap { StartFailure().reason($0, configuration.confinement) }
      let text = "\(error)" + (reason.map { ": \($0)" } ?? "")
      say(.error, "plugin \(plugin.name): \(text)")
      plugin.past.lastMessage = .init(text)
      let passes = spawn?.cause.passes ?? true
      plugin.failedStarts = (passes ? 0 : plugin.failedStarts.count + 1, text)
      runtime.hasFailed(plugin.name)
      handle(plugin, .spawnFailed)
    }
  }

  // MARK: Writing

  /// Writes what the plugin's socket takes now.
  @inline(__always)
  func flush(_ plugin: Plugin, wall: Int64) {
    guard !plugin.isBlocked, plugin.subscription.hasUnwritten, plugin.lifecycle.takesInput else {
      return
    }
    if plugin.awaitsFraming, !decideFraming(plugin) { return }
    if !plugin.write(journal: journal, now: wall, scratch: &scratch, survivor: survivor) {
      // Nobody reads it: the child is gone or going, and its end will tell.
      plugin.isBlocked = true
      wait(at: plugin, for: idleInterest(plugin))
    } else if plugin.isBlocked, let fd = plugin.ourEnd?.number {
      let token = Token.pluginInput | UInt64(plugin.id)
      let interest = idleInterest(plugin).union(.write)
      if !poller.add(fd, token, interest), !poller.change(fd, token, interest) {
        // Nobody would see that it has room: it is looked at again soon.
        plugin.isBlocked = false
        scheduleTick(now + .milliseconds(100))
      }
    }
  }

  /// Binary records are framed as the input is, which shows with its first record.
  private func decideFraming(_ plugin: Plugin) -> Bool {
    let compact: Bool
    switch plugin.configuration.binaryFraming {
    case .compact: compact = true
    case .fixed: compact = false
    case .same:
      switch (source.reader.isBinary, source.reader.likelyFraming) {
      case (true, .compact): compact = true
      case (true, .fixed): compact = false
      // A fixed record arrives whole: with nothing behind the first one, they are compact.
      case (true, .undecided) where intake.isAuditd: compact = true
      default:
        guard InstalledAudit.isKnown else {
          InstalledAudit.beginAsking()
          scheduleTick(now + .milliseconds(20))
          return false
        }
        compact = InstalledAudit.writesCompactRecords
      }
    }
    plugin.subscription.encoding = compact ? .compact : .fixed
    plugin.awaitsFraming = false
    return true
  }

  func becameWritable(_ plugin: Plugin) {
    guard plugin.ourEnd != nil else { return }
    wait(at: plugin, for: idleInterest(plugin))
    plugin.isBlocked = false
    flush(plugin, wall: WallClock.milliseconds)
    goOnReadingBack(plugin)
    if isPaused { unpauseIfPossible() }
  }

  // MARK: End

  /// End of file for the child, behind what it has not read yet.
  private func endInput(_ plugin: Plugin) {
    guard let fd = plugin.ourEnd?.number else { return }
    shutdown(fd, Int32(SHUT_WR))
    wait(at: plugin, for: idleInterest(plugin))
  }

  func childEnded(_ plugin: Plugin) {
    guard let end = plugin.child?.reap() else { return }
    readOutput(plugin)
    endPassing(plugin)
    readConfirmations(plugin, hasEnded: true)
    let unread = plugin.unread
    plugin.subscription.restart(
      unread: min(unread, plugin.subscription.outstanding), journal: journal)
    letGo(plugin)
    // Nobody else is to read what will be given again.
    plugin.discardUnread()
    let progress = plugin.subscription.counters.delivered > plugin.deliveredAtStart
    if let fd = plugin.child?.pidfd { poller.remove(fd) }
    if let fd = plugin.output?.number { poller.remove(fd) }
    if let fd = plugin.ourEnd?.number { poller.remove(fd) }
    plugin.child = nil
    plugin.ourEnd = nil
    plugin.childEnd = nil
    plugin.output = nil
    plugin.outputRestsUntil = nil
    plugin.isBlocked = false
    let wasStopping = !plugin.lifecycle.takesInput || plugin.lifecycle.state != .running
    plugin.past.lastExit = .init(end)
    let loss = noteLoss(plugin, end)
    if !wasStopping {
      say(.warning, "plugin \(plugin.name) ended by itself (\(end))\(loss)")
    } else if end != .exit(0) {
      say(.notice, "plugin \(plugin.name) ended with \(end)\(loss)")
    }
    runtime.hasEnded(plugin.name)
    handle(plugin, .exited(progress: progress))
    // What waits for its end, a stop above all, goes on at once.
    scheduleTick(now)
  }

  /// What an end says of records that the plugin had taken, as a clause. What a plugin confirms is
  /// given again or counted, so that nothing is concluded from its death.
  private func noteLoss(_ plugin: Plugin, _ end: ChildEnd) -> String {
    var loss = ""
    switch end {
    case .exit(Self.lostStatus): loss = ": not everything that it had taken is stored"
    case .signal where !plugin.configuration.confirms && source.canWait:
      loss = ": what it had taken may be lost"
    default: return ""
    }
    if source.canWait { noteLoss() }
    return loss
  }

  /// What our plugins exit with when something that they took is stored nowhere (EX_IOERR).
  private static let lostStatus: Int32 = 74

  /// Nothing is left to do for a plugin: what it was to get has its fate.
  private func finish(_ plugin: Plugin, _ goal: PluginLifecycle.Goal) {
    reportDrops(plugin, isLast: true)
    let left = plugin.subscription.counters.queued
    let kept = goal == .remove ? keepQueue(of: plugin) : 0
    if kept > 0 {
      say(.notice, "plugin \(plugin.name): \(kept) records are kept in the spool")
      if left > kept {
        say(.error, "plugin \(plugin.name) stopped with \(left - kept) records undelivered")
      }
    } else if left > 0 {
      // Until all others have ended this is looked at again and again.
      guard plugin.leftSaid != left else { return }
      let waiting =
        plugin.subscription.isDurable
        ? left - UInt64(plugin.subscription.queuedInMemoryOnly) : 0
      if left > waiting {
        say(.error, "plugin \(plugin.name) stopped with \(left - waiting) records undelivered")
        plugin.subscription.dropHeld(goal == .remove ? .removed : .stopDeadline)
        plugin.dropsReported = plugin.subscription.counters
      }
      if waiting > 0 {
        say(.notice, "plugin \(plugin.name): \(waiting) records wait in the spool")
      }
      plugin.leftSaid = waiting
    }
    if goal == .remove { remove(plugin) }
  }

  // MARK: Overflow

  func overflowBegan(_ plugin: Plugin) {
    let bound =
      "\(plugin.configuration.queueDepth) records, \(plugin.configuration.queueBytes) bytes"
    switch plugin.configuration.overflowAction {
    case .ignore, .dropOldest: break
    case .syslog, .spill, .lossless: reportDrops(plugin)
    case .suspend:
      say(.alert, "plugin \(plugin.name): queue full (\(bound)): suspended until resumed")
    case .single: act(plugin, configuration.singleCommand, "single-user mode")
    case .halt: act(plugin, configuration.haltCommand, "halt")
    }
  }

  private func act(_ plugin: Plugin, _ command: [String], _ what: String) {
    guard !plugin.hasActed, let path = command.first else { return }
    plugin.hasActed = true
    say(.alert, "plugin \(plugin.name): queue full: \(what) (\(command.joined(separator: " ")))")
    do {
      actions.append(try ActionChild(path: path, arguments: Array(command.dropFirst())))
    } catch {
      say(.alert, "\(error)")
    }
  }

  /// Says at a steady low rate what a plugin is losing, and why; the last time, whatever was not said.
  func reportDrops(_ plugin: Plugin, isLast: Bool = false) {
    let counters = plugin.subscription.counters
    let action = plugin.configuration.overflowAction
    let saysOverflow = action == .syslog || action.isDurable
    let news = DropReason.allCases.compactMap { reason in
      let count = counters[reason] - plugin.dropsReported[reason]
      let isSaid = saysOverflow || reason != .queueFull && reason != .suspended
      return count > 0 && isSaid ? "\(count) \(reason.name)" : nil
    }
    guard !news.isEmpty else { return plugin.dropsReported = counters }
    guard plugin.overflowReport.pass(now) != nil || isLast else { return }
    plugin.dropsReported = counters
    say(
      .error,
      "plugin \(plugin.name): records dropped: \(news.joined(separator: ", ")); \(counters.dropped) in "
        + "all, \(counters.queued) are queued")
  }

  func resumeAll() { for plugin in plugins { resume(plugin) } }

  func resume(_ plugin: Plugin) {
    plugin.refresh()
    plugin.subscription.resume(journal: journal)
    plugin.hasActed = false
    if ending.isRunning, !plugin.lifecycle.hasChild { handle(plugin, .resume) }
  }
}

/// A command that an overflow action executed.
final class ActionChild {
  private let child: ChildProcess

  init(path: String, arguments: [String]) throws {
    let null = try Descriptor.open("/dev/null", O_RDWR)
    child = try ChildProcess(
      path: path, arguments: arguments, environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
      input: null.number, output: null.number, error: null.number)
  }

  var hasEnded: Bool { child.reap() != nil }
}
