import Configuration
import Glibc
import Linux
import RemoteProtocol

/// Starts audispatch-receive with all that it may not open itself, and sees it end.
final class ReceiverHost: Owner {
  let base: Base
  let places: [RemotePlace]
  private(set) var process: ReceiverProcess?
  /// When it is tried again to start it, and after which pause.
  private var retry = Moment(nanoseconds: 0)
  private var delay = Duration.milliseconds(100)
  /// Receivers that ended and were not waited for yet.
  private var leaving: [ReceiverProcess] = []
  /// Whether it may be nobody, who finds the program.
  private var asNobody = true
  private var isFinishing = false
  private var liveness = Liveness()
  /// Keys that are being opened, since then; and whether that has to be done once more.
  private var opening: (keys: KeyOpening, since: Moment)?
  private var opensAgain = false
  /// When an address that could not be had is tried again.
  private var nextListen = Moment(nanoseconds: 0)
  private var startReport = RateLimit(every: .seconds(60))
  private var endReport = RateLimit(every: .seconds(10))
  private var keysReport = RateLimit(every: .seconds(60))

  init(_ base: Base, _ places: [RemotePlace]) {
    self.base = base
    self.places = places
  }

  private var configuration: RemoteConfiguration { settings.daemon.remote }

  // MARK: Beginning

  /// Starts it, if it is time.
  ///
  /// - Returns: whether it was started.
  func start() -> Bool {
    guard loop.hasCome(retry, .remote) else { return false }
    listen(places, "; trying again")
    retry = loop.now + delay
    delay = min(delay * 2, .seconds(5))
    guard places.contains(where: { $0.socketNumber != nil }) else {
      loop.wake(.remote, at: retry)
      return false
    }
    if leaving.contains(where: { $0.child.failure?.cause == HelperProcess.late }) {
      // A second one would wait for the same.
      loop.wake(.remote, at: retry)
      return false
    }
    do throws(SystemError) {
      let new = try ReceiverProcess(
        connections: configuration.connections, asNobody: asNobody, by: base.starting)
      guard loop.poller.add(new.channel.number, Token.receiver, .read) else {
        throw SystemError("wait for", "audispatch-receive", .current)
      }
      _ = loop.poller.add(new.output.number, Token.receiverOutput, .read)
      process = new
      liveness = Liveness()
      for place in places { place.isUnheard() }
      configure()
      return true
    } catch {
      if startReport.pass(loop.now) != nil { loop.say(.error, "\(error); trying again") }
      loop.wake(.remote, at: retry)
      return false
    }
  }

  /// Somebody has connected: the next start need not wait.
  func serves() { delay = .milliseconds(100) }

  private func listen(_ places: [RemotePlace], _ what: String) {
    for place in places {
      guard let reason = place.listen(backlog: configuration.listenQueue),
        startReport.pass(loop.now) != nil
      else { continue }
      loop.say(.error, "cannot listen at \(place.name): \(reason)\(what)")
    }
  }

  /// Tries those addresses again that could not be had.
  private func listenAgain() {
    guard !isFinishing, places.contains(where: \.isAwaited) else { return }
    guard loop.hasCome(nextListen, .remote) else { return }
    nextListen = loop.now + .seconds(1)
    loop.wake(.remote, at: nextListen)
    let awaited = places.filter(\.isAwaited)
    listen(awaited, "; trying again")
    if awaited.contains(where: { $0.socketNumber != nil }) { configure() }
  }

  /// The configuration was read again.
  func reconfigure() {
    listen(places, "; trying again")
    configure()
  }

  // MARK: What it is given

  /// Peers may from now on what the configuration says; keys and certificates are read again, if need
  /// be, and it is told when they were.
  private func configure() {
    guard process != nil else { return }
    guard places.contains(where: \.isSecure) else { return give(nil) }
    guard opening == nil else { return opensAgain = true }
    opensAgain = false
    let new = KeyOpening(configuration, user: geteuid())
    do throws(SystemError) {
      try WorkThread(new).detach()
      opening = (new, loop.now)
      loop.wakeAll()
    } catch { loop.say(.error, "the keys of tls: sources are not read: \(error)") }
  }

  /// Gives it what was opened, or looks again when it will have been.
  private func tendKeys() {
    guard let (keys, since) = opening else { return }
    guard let opened = keys.take() else {
      if loop.now - since > .seconds(5), keysReport.pass(loop.now) != nil {
        loop.say(
          .warning, "the keys of tls: sources are still being read: nobody can connect there")
      }
      return loop.wake(.remote, in: .milliseconds(5))
    }
    opening = nil
    // What was asked for meanwhile is newer; and one that is gone needs none.
    if opensAgain || process == nil {
      for file in opened.files { close(file.descriptor) }
      return configure()
    }
    for problem in opened.problems { loop.say(.error, problem) }
    give(opened)
  }

  /// - Parameter keys: `nil`: it needs none.
  private func give(_ keys: KeyOpening.Opened?) {
    guard let process else { return }
    let settings = configuration
    process.order(
      .begin(
        ReceiverOrder.Settings(
          connections: UInt32(settings.connections),
          perAddress: UInt32(settings.connectionsPerAddress),
          firstPort: UInt16(settings.clientPorts?.lowerBound ?? 0),
          lastPort: UInt16(settings.clientPorts?.upperBound ?? 0),
          idleMilliseconds: UInt64(settings.idleLimit.inNanoseconds / 1_000_000),
          files: keys == nil ? [] : KeyOpening.files(of: settings).map(\.kind))))
    for network in settings.allowedNetworks { process.order(.network(network.description)) }
    for file in keys?.files ?? [] { process.give(file.order, owning: file.descriptor) }
    process.order(.apply)
    for (index, place) in places.enumerated() where !place.isHeard {
      guard !place.isSecure || keys?.canServe ?? false else {
        leave(place)
        continue
      }
      guard let socket = place.socketNumber else { continue }
      let copy = fcntl(socket, F_DUPFD_CLOEXEC, 3)
      guard copy >= 0 else {
        loop.say(.error, "cannot give \(place.name) to audispatch-receive: \(Errno.current)")
        continue
      }
      place.isGiven()
      process.give(
        .listener(source: UInt8(clamping: index), isSecure: place.isSecure), owning: copy)
      loop.say(.info, "other hosts are heard at \(place.name)")
    }
    process.flush()
  }

  /// Where nobody could be let in nobody is to connect: until a reload finds a key.
  private func leave(_ place: RemotePlace) {
    place.leave()
    loop.say(
      .error,
      "no other host is heard at \(place.name): neither a key nor a certificate can be used; a "
        + "reload tries again")
  }

  // MARK: Going on

  func tend() {
    if !leaving.isEmpty { forgetEnded() }
    tendKeys()
    guard let process else { return }
    listenAgain()
    if !process.flush() { loop.wake(.remote, in: .milliseconds(5)) }
    process.tellOutput(loop.now, say)
    if let at = process.output.tellAt { loop.wake(.remote, at: at) }
  }

  /// Whether what it lies on does not answer: nothing else waits for it.
  func isLate() -> Bool {
    guard let process, let deadline = process.child.deadline, loop.hasCome(deadline, .remote) else {
      return false
    }
    base.starting.giveUp(on: process.child)
    loop.say(
      .error,
      "\(process.child.path) has not started within 10 s: given up; a file system may hang")
    return true
  }

  /// Whether it has done nothing for so long that another one is to take its place.
  ///
  /// - Parameter isRead: what it says is read now.
  func isStuck(isRead: Bool) -> Bool {
    guard let process, let pid = process.child.pid, !isFinishing else { return false }
    loop.wake(.remote, in: Liveness.period)
    switch liveness.look(loop.now, isRead: isRead) {
    case .nothing: break
    case .ask(let number):
      process.order(.ask(number))
      process.flush()
    case .report(let time):
      loop.say(.alert, Liveness.silence(of: pid, time) + "peers wait, and keep what they send")
    case .giveUp(let time):
      loop.say(.alert, Liveness.silence(of: pid, time) + "it is killed, and started anew")
      return true
    }
    return false
  }

  /// It says that it does its work.
  func answered(_ number: UInt32) {
    guard liveness.answered(number) else { return }
    loop.say(.notice, "audispatch-receive answers again")
  }

  func readOutput() {
    guard let process else { return }
    if process.readOutput(loop.now, say) == .ended {
      loop.poller.remove(process.output.number)
    }
  }

  private func say(_ line: String) { loop.say(.warning, "audispatch-receive: \(line)") }

  // MARK: Ending

  /// Has it take what is there and tell every peer.
  func finish() {
    guard let process, !isFinishing else { return }
    isFinishing = true
    for place in places { place.close() }
    process.order(.finish)
    process.flush()
  }

  /// It is gone, or is to be.
  func end() {
    guard let process else { return }
    loop.poller.remove(process.channel.number)
    readOutput()
    loop.poller.remove(process.output.number)
    self.process = nil
    // Nobody hears it any more; one that has ended by itself keeps its status.
    process.child.signal(SIGKILL)
    leaving.append(process)
    retry = max(retry, loop.now + .milliseconds(100))
    loop.wakeAll()
  }

  /// Says how receivers have ended that are gone.
  private func forgetEnded() {
    leaving.removeAll { process in
      guard process.child.isGone else { return false }
      if let failure = process.child.failure { return couldNotStart(failure) }
      guard let end = process.child.reap() else { return true }
      if !isFinishing, ending.isRunning, endReport.pass(loop.now) != nil {
        loop.say(
          .error,
          "audispatch-receive ended with \(end): every peer has to connect again, and sends what was "
            + "not acknowledged")
      }
      return true
    }
    guard !leaving.isEmpty else { return }
    let isStuck = leaving.allSatisfy { $0.child.failure?.cause == HelperProcess.late }
    loop.wake(.remote, in: isStuck ? .seconds(1) : .milliseconds(5))
  }

  /// - Returns: `true`.
  private func couldNotStart(_ failure: SpawnError) -> Bool {
    if failure.cause == Errno(EACCES), asNobody {
      // The program may lie where only root finds it.
      asNobody = false
      retry = loop.now
      loop.wake(.remote, at: retry)
    } else if failure.cause != HelperProcess.late, startReport.pass(loop.now) != nil {
      loop.say(.error, "\(failure); trying again")
    }
    return true
  }
}
