import Glibc
public import Keeper
public import Linux

/// Keeps the input while the process that dispatches dies and is started again.
///
/// auditd sees one child that lives on: this process. It reads nothing, writes nothing and takes
/// next to no time; it starts the worker, passes signals on to it, keeps copies of the plugins'
/// sockets, and is the one that a dead worker's plugins fall to.
///
/// The first worker is a copy of this process, which saves the time of loading the program twice; a
/// successor is the program executed anew, so that an address learnt from a dead one is of no use.
public final class Holder {
  private let arguments: [String]
  let work: () -> Int32
  /// Where fronts are met, where there are any.
  let door: KeeperDoor?
  /// Inputs of the door that the worker was not told of, the last ones.
  var inputsToSend = 0
  private let memory: Descriptor
  private let signals: SignalSource
  var poller: Poller
  var messages = Messages(program: "audispatchd")
  var kept: [UInt64: Kept] = [:]
  /// What the worker has locked in the runtime folder: it stays locked while another takes over.
  private var lock: Descriptor?
  /// What the worker has put into force, for its successor.
  private var inForce: Descriptor?
  var worker: ChildProcess?
  var channel: MessageChannel?
  private var hasStarted = false
  /// Workers that were started.
  private var starts = 0
  private var isReady = false
  private var wasToldToStop = false
  /// A worker that was told to stop and does not get ready is killed then.
  private var giveUpAt: Moment?
  private var hasGivenUp = false
  /// Signals for a worker that is not ready: it would die of them.
  private var heldSignals: Set<Int32> = []
  /// Deaths in a row before the input was read.
  private var earlyDeaths = 0
  /// Deaths in a row by a fault of the worker's own.
  private var crashes = 0
  private var startAt: Moment?
  /// Of the last worker, until another one reads.
  private var diedAt: Moment?
  /// When it has been quiet for so long that only waiting is left to do.
  private var restAt: Moment?

  /// How long a worker that is told to stop may take to get ready for it.
  private static let stopPatience = Duration.seconds(10)

  enum Event {
    static let signals: UInt64 = 1
    static let worker: UInt64 = 2
    static let channel: UInt64 = 3
    static let door: UInt64 = 4
    static let child: UInt64 = 1 << 63
  }

  /// - Parameters:
  ///   - arguments: of the program, without its name.
  ///   - door: where fronts are met; `nil`: whoever has started this process waits for it.
  ///   - work: what a worker does; its exit status.
  public init(
    _ arguments: [String], door: KeeperDoor? = nil, work: @escaping () -> Int32
  ) throws(SystemError) {
    self.arguments = arguments
    self.door = door
    self.work = work
    memory = try Descriptor.anonymousFile("audispatch")
    poller = try Poller()
    signals = try SignalSource([
      SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT, SIGCHLD,
    ])
    Signals.ignoreFailedWrites()
    _ = becomeSubreaper()
    _ = poller.add(signals.number, Event.signals, .read)
    if let door { _ = poller.add(door.number, Event.door, .read) }
  }

  /// Runs until the worker ends of itself.
  ///
  /// - Returns: its exit status.
  public func run() -> Int32 {
    let status = runToEnd()
    door?.end(status)
    messages.finish()
    return status
  }

  private func runToEnd() -> Int32 {
    startAt = .now
    while true {
      if let due = startAt, due <= .now {
        startAt = nil
        start()
      }
      if let due = restAt, due <= .now {
        restAt = nil
        forgetStartingCode()
      }
      if let due = giveUpAt, due <= .now {
        giveUpAt = nil
        hasGivenUp = !isReady
        guard worker != nil || !hasGivenUp else { return 1 }
        if hasGivenUp { worker?.signal(SIGKILL) }
      }
      let count = poller.wait(nanoseconds: timeout())
      for index in 0..<count {
        let (token, _) = poller.event(index)
        switch token {
        case Event.signals: passOn()
        case Event.channel: readMessages()
        default: break
        }
      }
      if let status = lookAtWorker() { return status }
      lookAtOrphans()
      lookAtDoor()
    }
  }

  private func timeout() -> Int64 {
    if kept.values.contains(where: { $0.orphanedAt != nil && !$0.isReported }) {
      return 20_000_000
    }
    let all = [startAt, restAt, giveUpAt, door?.deadline]
    guard let due = all.compactMap(\.self).min() else { return inputsToSend > 0 ? 20_000_000 : -1 }
    return max(0, due.nanoseconds - Moment.now.nanoseconds)
  }

  // MARK: The worker

  private func start() {
    do {
      let ends = try MessageChannel.pair()
      let end = ends.theirs
      let channel = MessageChannel(owning: ends.ours)
      let ids = kept.map { " \($0.key):\($0.value.pid)" }.joined()
      var descriptors = [memory.number]
      if let number = lock?.number { descriptors.append(number) }
      channel.send("hello \(crashes)" + waitForNext + ids, descriptors)
      if let number = inForce?.number {
        channel.send("in force", [number])
      } else {
        channel.send("in force")
      }
      introduceFront(over: channel)
      let child: ChildProcess
      if hasStarted {
        child = try ChildProcess(
          path: "/proc/self/exe", name: "audispatchd", arguments: arguments,
          environment: Self.environment + ["\(HolderLink.variable)=1"], input: 0, output: 1,
          error: 2, extra: end.number)
      } else if let copy = try ChildProcess.copy() {
        child = copy
      } else {
        becomeWorker(end.number)
      }
      if !hasStarted {
        hasStarted = true
        // It is not copied again.
        messages = Messages(program: "audispatchd", neverWaits: true)
      }
      isReady = false
      starts += 1
      _ = poller.add(child.pidfd, Event.worker, .read)
      _ = poller.add(channel.number, Event.channel, .read)
      // It is told of all that have ended.
      for child in kept.values { child.isReported = false }
      worker = consume child
      self.channel = consume channel
    } catch {
      messages.write(.alert, "\(error)")
      diedEarly()
    }
  }

  /// The exit status when the worker has ended of itself.
  private func lookAtWorker() -> Int32? {
    guard let end = worker?.reap() else { return nil }
    if let fd = worker?.pidfd { poller.remove(fd) }
    readMessages()
    if let fd = channel?.number { poller.remove(fd) }
    channel = nil
    worker = nil
    if hasGivenUp { return 1 }
    switch end {
    // What the first one ends with before it reads is what is wrong with the configuration.
    case .exit(let status) where isReady || starts == 1: return status
    case .exit: crashes = 0
    case .signal(let signal):
      let isOurFault = [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE].contains(signal)
      crashes = isOurFault ? crashes + 1 : 0
    }
    let now = Moment.now
    diedAt = now
    for child in kept.values where child.orphanedAt == nil {
      child.orphanedAt = now
      shutdown(child.ourEnd.number, Int32(SHUT_WR))
      if let fd = child.number { _ = poller.add(fd, Event.child, .read) }
    }
    let how =
      switch end {
      case .signal(let signal): "died by signal \(signal)"
      case .exit(let status): "ended with \(status) before it had taken over"
      }
    messages.write(.alert, "the dispatching process \(how): another one takes over")
    door?.workerDied(now)
    if isReady {
      earlyDeaths = 0
      startAt = now
    } else {
      diedEarly()
      if wasToldToStop, earlyDeaths > 2 { return 1 }
    }
    isReady = false
    return nil
  }

  /// From now on the worker takes signals.
  private func becameReady() {
    isReady = true
    if wasToldToStop { worker?.signal(SIGTERM) }
    for signal in heldSignals { worker?.signal(signal) }
    heldSignals = []
    guard let diedAt else { return }
    self.diedAt = nil
    let microseconds = (Moment.now.nanoseconds - diedAt.nanoseconds) / 1000
    messages.write(.notice, "the input is read again after \(microseconds) µs")
  }

  /// One that dies before it has read anything is started less and less often.
  private func diedEarly() {
    earlyDeaths += 1
    let delay = min(Duration.milliseconds(50) * (1 << min(earlyDeaths - 1, 8)), .seconds(5))
    startAt = Moment.now + (earlyDeaths <= 2 ? .zero : delay)
  }

  private func passOn() {
    while let signal = signals.next() { passOn(signal) }
  }

  func passOn(_ signal: Int32) {
    switch signal {
    case SIGCHLD: break
    case SIGTERM, SIGINT:
      door?.stopAsked(.now)
      // To one that does not get ready, a second one goes all the same.
      if isReady || wasToldToStop { worker?.signal(signal) }
      if !isReady, !wasToldToStop { giveUpAt = .now + Self.stopPatience }
      // One that was to wait for its start tries at once, or is given up.
      if startAt != nil { startAt = .now }
      wasToldToStop = true
    default: if isReady { worker?.signal(signal) } else { heldSignals.insert(signal) }
    }
  }

  private func readMessages() {
    while true {
      guard let received = channel?.receive() else { return }
      restAt = Moment.now + .milliseconds(300)
      switch consume received {
      case .nothing: return
      case .ended:
        if let fd = channel?.number { poller.remove(fd) }
        return
      case .message(let text, let ourEnd, let childEnd):
        let words = text.split(separator: " ")
        switch words.first {
        case "ready": becameReady()
        case "release":
          Pipe.putEnded(inPlaceOf: 0)
          channel?.send("released")
        case "keep":
          guard words.count == 3, let id = UInt64(words[1]), let pid = Int32(words[2]),
            let ourEnd, let childEnd
          else { continue }
          kept[id] = Kept(pid: pid, ourEnd: ourEnd, childEnd: childEnd)
        case "in":
          guard let ourEnd else { continue }
          inForce = consume ourEnd
        case "lock":
          guard let ourEnd else { continue }
          lock = consume ourEnd
          openDoor(in: String(text.dropFirst("lock ".count)))
        case "forget":
          if words.count == 2, let id = UInt64(words[1]) { kept[id] = nil }
        default: hearOfInputs(text)
        }
      }
    }
  }
}
