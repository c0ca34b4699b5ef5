import Glibc
public import Linux

/// Keeps the input while the process that dispatches dies and is started again.
///
/// auditd sees one child that lives on: this process. It reads nothing, writes nothing and takes
/// next to no time; it starts the worker, passes signals on to it, keeps copies of the plugins'
/// sockets, and is the one that a dead worker's plugins fall to. What it decides is `WorkerLife`'s.
///
/// The first worker is a copy of this process, which saves the time of loading the program twice; a
/// successor is the program executed anew, so that an address learnt from a dead one is of no use.
public final class Keeper {
  private let arguments: [String]
  let work: () -> Int32
  /// Where fronts are met, where there are any.
  private let door: KeeperDoor?
  private let signals: SignalSource
  private var poller: Poller
  private var messages = Messages(program: "audispatchd")
  private var life: WorkerLife
  private var deposit: Deposit
  private var worker: ChildProcess?
  private var channel: MessageChannel?
  /// When it has been quiet for so long that only waiting is left to do.
  private var restAt: Moment?
  private var status: Int32?

  private enum Event {
    static let signals: UInt64 = 1
    static let worker: UInt64 = 2
    static let channel: UInt64 = 3
    static let door: UInt64 = 4
    static let child: UInt64 = 5
  }

  /// How long what could not be done, or cannot be waited for, is left alone.
  private static let look = Duration.milliseconds(20)

  /// - Parameters:
  ///   - arguments: of the program, without its name.
  ///   - door: where fronts are met; `nil`: whoever has started this process waits for it.
  ///   - line: the front's place among those that wait for the runtime folder.
  ///   - work: what a worker does; its exit status.
  public init(
    _ arguments: [String], door: KeeperDoor? = nil, line: consuming WaitingLine? = nil,
    work: @escaping () -> Int32
  ) throws(SystemError) {
    self.arguments = arguments
    self.door = door
    self.work = work
    life = WorkerLife(now: .now)
    deposit = try Deposit(line)
    poller = try Poller()
    signals = try SignalSource(Front.signals + [SIGCHLD])
    Signals.ignoreFailedWrites()
    _ = becomeSubreaper()
    _ = poller.add(signals.number, Event.signals, .read)
    if let door { _ = poller.add(door.number, Event.door, .read) }
  }

  /// Runs until the worker ends of itself.
  ///
  /// - Returns: its exit status.
  public func run() -> Int32 {
    take(.tick)
    while status == nil {
      waitAndHear()
      lookAtWorker()
      guard status == nil else { break }
      lookAtChildren()
      lookAtDoor()
      take(.tick)
      rest()
    }
    door?.end(status ?? 1)
    messages.finish()
    return status ?? 1
  }

  private func waitAndHear() {
    let count = poller.wait(nanoseconds: patience.map { max(0, $0.inNanoseconds) } ?? -1)
    for index in 0..<count {
      switch poller.event(index).token {
      case Event.signals: hearSignals()
      case Event.channel: hearWorker()
      default: break
      }
    }
  }

  /// How long nothing is to be done unless something comes.
  private var patience: Duration? {
    if deposit.children.awaitEnd { return Self.look }
    let due = [life.deadline, restAt, door?.deadline].compactMap(\.self).min()
    return due.map { $0 - .now } ?? (door?.hasUngiven ?? false ? Self.look : nil)
  }

  /// When all is quiet, what was needed to start is let go of.
  private func rest() {
    guard let due = restAt, due <= .now else { return }
    restAt = nil
    forgetStartingCode()
  }

  private func take(_ event: WorkerLife.Event) {
    for action in life.handle(event, now: .now) { perform(action) }
  }

  private func perform(_ action: WorkerLife.Action) {
    switch action {
    case .start(let asCopy): take(.started(start(asCopy: asCopy)))
    case .signal(let number): worker?.signal(number)
    case .replace(let end): replace(end)
    case .sayReadAgain(let pause):
      messages.write(.notice, "the input is read again after \(pause.inNanoseconds / 1000) µs")
    case .end(let status): self.status = status
    }
  }

  // MARK: The worker

  private func start(asCopy: Bool) -> Bool {
    do {
      let ends = try MessageChannel.pair()
      let end = ends.theirs
      let channel = MessageChannel(owning: ends.ours)
      deposit.hand(over: channel, crashes: life.crashes, wait: door?.wait)
      if let link = door?.workerStarts() { channel.send(WordToWorker.front.text, [link]) }
      door?.giveInputs { channel.send(WordToWorker.input.text, $0) }
      let child = try process(asCopy: asCopy, end.number)
      // From now on this process is not copied again.
      if asCopy { messages = Messages(program: "audispatchd", neverWaits: true) }
      _ = poller.add(child.pidfd, Event.worker, .read)
      _ = poller.add(channel.number, Event.channel, .read)
      worker = consume child
      self.channel = consume channel
      return true
    } catch {
      messages.write(.alert, "\(error)")
      return false
    }
  }

  private func process(asCopy: Bool, _ channel: Int32) throws -> ChildProcess {
    guard asCopy else {
      return try ChildProcess(
        path: "/proc/self/exe", name: "audispatchd", arguments: arguments,
        environment: ProgramArguments.environment + ["\(Self.variable)=1"], input: 0,
        output: 1, error: 2, extra: channel)
    }
    return try ChildProcess.copy { becomeWorker(channel) }
  }

  private func lookAtWorker() {
    guard let end = worker?.reap() else { return }
    if let fd = worker?.pidfd { poller.remove(fd) }
    worker = nil
    // What it said last counts.
    hearWorker()
    if let fd = channel?.number { poller.remove(fd) }
    channel = nil
    take(.died(end))
  }

  private func replace(_ end: ChildEnd) {
    let now = Moment.now
    deposit.children.orphan(now, poller, Event.child)
    let how =
      switch end {
      case .signal(let signal): "died by signal \(signal)"
      case .exit(let status): "ended with \(status) before it had taken over"
      }
    messages.write(.alert, "the dispatching process \(how): another one takes over")
    door?.workerDied(now)
  }

  /// Reaps what has fallen to this process; has a dead worker's children end, and tells the worker.
  private func lookAtChildren() {
    // The worker itself is waited for by its number only.
    while let pid = ChildProcess.endedChild, pid != worker?.pid { ChildProcess.forget(pid) }
    deposit.children.tend(.now, poller) { id, child in
      let sockets = [child.ourEnd.number, child.childEnd.number]
      return channel?.send(WordToWorker.ended(id).text, sockets) ?? false
    }
  }

  // MARK: What comes

  private func hearSignals() {
    while let signal = signals.next() { if signal != SIGCHLD { passOn(signal) } }
  }

  private func passOn(_ signal: Int32) {
    if signal == SIGTERM || signal == SIGINT { door?.stopAsked(.now) }
    take(.signal(signal))
  }

  private func hearWorker() {
    while true {
      guard let received = channel?.receive() else { return }
      restAt = Moment.now + .milliseconds(300)
      switch consume received {
      case .nothing: return
      case .ended:
        if let fd = channel?.number { poller.remove(fd) }
        return
      case .message(let text, let first, let second):
        guard let word = WorkerWord(text) else { continue }
        heard(word, first, second)
      }
    }
  }

  private func heard(
    _ word: WorkerWord, _ first: consuming Descriptor?, _ second: consuming Descriptor?
  ) {
    switch word {
    case .keep(let id, let pid):
      guard let first, let second else { return }
      deposit.children.keep(id, pid, ourEnd: first, childEnd: second)
    case .forget(let id): deposit.children.forget(id)
    case .inForce: if let first { deposit.inForce = consume first }
    case .lock(let folder):
      guard let first else { return }
      deposit.keep(lock: first)
      openDoor(in: folder)
    case .ready: take(.ready)
    case .release:
      Pipe.putEnded(inPlaceOf: 0)
      channel?.send(WordToWorker.released.text)
    case .drained(let isFarewell):
      for order in door?.drained(isFarewell: isFarewell, .now) ?? [] { follow(order) }
    case .wentOn: if let handed = door?.wentOn(.now) { dup2(handed.input.number, 0) }
    case .stopping: door?.stopAsked(.now)
    }
  }

  // MARK: The door

  /// Takes what fronts bring, and does what has to be done because time has passed.
  private func lookAtDoor() {
    guard let door else { return }
    for order in door.look(.now) { follow(order) }
    guard worker != nil else { return }
    door.giveInputs { channel?.send(WordToWorker.input.text, $0) ?? false }
  }

  private func follow(_ order: KeeperDoor.Order) {
    switch order {
    case .signal(let signal): passOn(signal)
    case .stop(let reason):
      if !reason.isEmpty { messages.write(.notice, "stopping: \(reason)") }
      passOn(SIGTERM)
    }
  }

  /// The worker has the runtime folder.
  private func openDoor(in folder: String) {
    // Whether the front is still there has to be known.
    lookAtDoor()
    guard let problem = door?.open(in: folder) else { return }
    messages.write(
      .warning, "\(problem): the next audispatchd that auditd starts cannot go on for this one")
  }
}
