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
  private var isFinishing = false
  private var startReport = RateLimit(every: .seconds(60))
  private var endReport = RateLimit(every: .seconds(10))

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
    guard loop.hasCome(retry) else { return false }
    listen("; trying again")
    retry = loop.now + delay
    delay = min(delay * 2, .seconds(5))
    guard places.contains(where: { $0.socketNumber != nil }) else {
      loop.wake(at: retry)
      return false
    }
    do throws(SystemError) {
      let new = try ReceiverProcess(connections: configuration.connections)
      guard loop.poller.add(new.channel.number, Token.receiver, .read) else {
        throw SystemError("wait for", "audispatch-receive", .current)
      }
      _ = loop.poller.add(new.output.number, Token.receiverOutput, .read)
      process = new
      for place in places { place.isUnheard() }
      configure()
      return true
    } catch {
      if startReport.pass(loop.now) != nil { loop.say(.error, "\(error); trying again") }
      loop.wake(at: retry)
      return false
    }
  }

  /// Somebody has connected: the next start need not wait.
  func serves() { delay = .milliseconds(100) }

  private func listen(_ what: String = "") {
    for place in places {
      guard let reason = place.listen(backlog: configuration.listenQueue),
        startReport.pass(loop.now) != nil
      else { continue }
      loop.say(.error, "cannot listen at \(place.name): \(reason)\(what)")
    }
  }

  private func giveSockets(_ process: ReceiverProcess) {
    for (index, place) in places.enumerated() where !place.isHeard && mayHear(place) {
      guard let socket = place.socketNumber else { continue }
      place.isGiven()
      let order = ReceiverOrder.listener(source: UInt8(clamping: index), isSecure: place.isSecure)
      // It takes what it is given, or is gone; that is seen anyway.
      if process.give(order, socket) {
        loop.say(.info, "other hosts are heard at \(place.name)")
      }
    }
  }

  /// Where nobody could be let in nobody is to connect: until a reload finds a key.
  private func mayHear(_ place: RemotePlace) -> Bool {
    guard place.isSecure, !configuration.canServeTLS(user: geteuid()) else { return true }
    place.close()
    loop.say(
      .error,
      "no other host is heard at \(place.name): neither a key nor a certificate can be used; a "
        + "reload tries again")
    return false
  }

  /// The configuration was read again.
  func reconfigure() {
    listen()
    configure()
  }

  /// Peers may from now on what the configuration says; keys and certificates are read again.
  func configure() {
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
          networks: settings.allowedNetworks.map(\.description).joined(separator: " "))))
    if places.contains(where: \.isSecure) { giveKeys(settings, process) }
    process.order(.apply)
    process.flush()
    giveSockets(process)
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
        loop.say(
          .error, "\(path) is not used: others may have read it (chmod 0400, owned by root)")
        return
      }
      _ = process.give(order, file.number)
    } catch { loop.say(.error, "\(error)") }
  }

  // MARK: Going on

  func tend() {
    if !leaving.isEmpty { forgetEnded() }
    guard let process else { return }
    if !process.flush() { loop.wake(in: .milliseconds(5)) }
    process.tellOutput(loop.now, say)
    if let at = process.output.tellAt { loop.wake(at: at) }
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
    loop.wakeNow()
  }

  /// Says how receivers have ended that are gone.
  private func forgetEnded() {
    leaving.removeAll { process in
      guard let end = process.child.reap() else { return false }
      if !isFinishing, ending.isRunning, endReport.pass(loop.now) != nil {
        loop.say(
          .error,
          "audispatch-receive ended with \(end): every peer has to connect again, and sends what was "
            + "not acknowledged")
      }
      return true
    }
    if !leaving.isEmpty { loop.wake(in: .milliseconds(5)) }
  }
}
