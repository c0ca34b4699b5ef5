import Glibc
public import Linux

/// What auditd starts and waits for: it lends its descriptor 0 to a keeper, never reads it, passes
/// signals on, and is gone as soon as auditd wants it gone. What it decides is `FrontLife`'s.
public final class Front {
  /// The name of the keeper's socket in the runtime folder.
  public static let socketName = "keeper.sock"
  /// That of the line of those that wait for the folder.
  public static let lineName = "line"

  private let offer: Offer
  private let folder: String
  /// Its place among those that wait for the runtime folder: auditd starts one front after the other,
  /// and what the earlier one brings is to come first, whoever's worker is there first.
  private let began = Moment.now
  private var line: WaitingLine?
  private let keep: (FrontLink, consuming WaitingLine?) -> Int32
  private let signals: SignalSource
  private var poller: Poller
  private var messages = Messages(program: "audispatchd")
  private var life = FrontLife()
  /// To a keeper of an earlier front.
  private var connection: MessageChannel?
  /// Our end of the link, and the keeper's until it has that.
  private var link: MessageChannel?
  private var farEnd: Descriptor?
  private var inputHasEnded = false
  private var status: Int32?
  private var restAt: Moment?

  /// Bytes in the input from which on auditd may soon have to wait: of the shortest records, an EOE's,
  /// its socket holds some 8 KiB, and 24 of an exec's.
  private static let muchInput = 6 << 10

  private enum Event {
    static let input: UInt64 = 1
    static let signals: UInt64 = 2
    static let connection: UInt64 = 3
    static let link: UInt64 = 4
  }

  /// - Parameters:
  ///   - offer: which program this is.
  ///   - folder: the runtime folder, where such a keeper is found.
  ///   - keep: what a keeper does, in a process of its own, with its end of the link and the front's
  ///     place in the line; its exit status.
  public init(
    _ offer: Offer, in folder: String,
    keep: @escaping (FrontLink, consuming WaitingLine?) -> Int32
  ) throws(SystemError) {
    self.offer = offer
    self.folder = folder
    self.keep = keep
    poller = try Poller()
    signals = try SignalSource(Self.signals + [SIGCHLD])
    Signals.ignoreFailedWrites()
    try poller.watch(signals.number, Event.signals, .read)
    // Only that auditd is gone from it: that the worker refuses to read more is no end.
    try poller.watch(0, Event.input, .nothing)
  }

  /// Signals that a front takes.
  public static let signals = [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT]

  /// Whether the process that has started this one is auditd, by its name.
  public static var parentIsAuditd: Bool {
    let name = try? Transfer.contents(of: "/proc/\(getppid())/comm", limit: 64)
    return name == Array("auditd\n".utf8)
  }

  /// Whether who is at the other end of `keeper.sock` may have, or give, an input.
  static func trusts(_ peer: Peer) -> Bool { peer.user == 0 || peer.user == geteuid() }

  /// Stays until auditd wants it gone, or the worker has ended of itself.
  ///
  /// - Returns: the exit status.
  public func run() -> Int32 {
    take(.began(hasKeeper: connect()))
    while status == nil {
      let deadline = [life.deadline, restAt].compactMap(\.self).min()
      let wait = deadline.map { max(0, $0.nanoseconds - Moment.now.nanoseconds) } ?? -1
      let count = poller.wait(nanoseconds: wait)
      // The last word of whoever ends counts, and not that the end of the input was seen first.
      var inputEnded = false
      for index in 0..<count {
        switch poller.event(index).token {
        case Event.input: inputEnded = true
        case Event.signals: hearSignals()
        case Event.connection: hearConnection()
        default: hearLink()
        }
      }
      if inputEnded, !inputHasEnded {
        inputHasEnded = true
        poller.remove(0)
        take(.inputEnded)
      }
      take(.tick)
      rest()
    }
    messages.finish()
    return status ?? 0
  }

  /// When all is quiet, what was needed to start is let go of.
  private func rest() {
    guard let due = restAt, due <= .now else { return }
    restAt = nil
    forgetStartingCode()
  }

  // MARK: What comes

  private func hearSignals() {
    while let signal = signals.next() {
      switch signal {
      case SIGCHLD: while let pid = ChildProcess.endedChild { ChildProcess.forget(pid) }
      case SIGTERM, SIGINT: take(.signal(.stop))
      default: take(.signal(.other(signal)))
      }
    }
  }

  private func hearConnection() {
    while let received = connection?.receive() {
      switch consume received {
      case .nothing: return
      case .ended: return take(.lost)
      case .message(let text, _, _):
        guard let word = KeeperWord(text) else { continue }
        if case .no(let reason) = word {
          messages.write(
            .notice, "the audispatchd that runs does not go on for this one: \(reason)")
        }
        take(.said(word))
      }
    }
  }

  private func hearLink() {
    while let received = link?.receive() {
      switch consume received {
      case .nothing: return
      case .ended:
        closeLink()
        messages.write(.alert, "all processes that had the input are gone: others are started")
        return take(.lost)
      case .message(let text, _, _): if let word = KeeperWord(text) { take(.said(word)) }
      }
    }
  }

  private func take(_ event: FrontLife.Event) {
    for action in life.handle(event, now: .now) { perform(action) }
    if case .served = life.state { settle() }
  }

  // MARK: What is done

  private func perform(_ action: FrontLife.Action) {
    switch action {
    case .offer: send(.offer(offer))
    case .handOver:
      guard makeLink(), let number = farEnd?.number else { return take(.lost) }
      send(.input, [0, number])
    case .lookAtInput:
      if UnixSocket.unread(0).map({ $0 >= Self.muchInput }) ?? true { take(.inputFills) }
    case .hangUp: hangUp()
    case .start: take(.started(startKeeper()))
    case .tell(let signal): link?.send(FrontWord.signal(signal).text)
    case .end(let status): self.status = status
    }
  }

  /// The keeper has the input: what was needed to give it is closed.
  private func settle() {
    guard farEnd != nil || connection != nil else { return }
    farEnd = nil
    closeConnection()
    if let number = link?.number { _ = poller.add(number, Event.link, .read) }
    restAt = .now + .milliseconds(300)
  }

  private func send(_ word: FrontWord, _ descriptors: [Int32] = []) {
    guard connection?.send(word.text, descriptors) ?? false else { return take(.lost) }
  }

  /// Connects to a keeper that is there.
  private func connect() -> Bool {
    guard let channel = try? MessageChannel.connect("\(folder)/\(Self.socketName)"),
      let peer = try? Peer(of: channel.number), Self.trusts(peer)
    else { return false }
    _ = poller.add(channel.number, Event.connection, .read)
    connection = consume channel
    return true
  }

  private func hangUp() {
    connection?.hangUp()
    var last: KeeperWord?
    reading: while let received = connection?.receive() {
      switch consume received {
      case .message(let text, _, _): last = KeeperWord(text) ?? last
      case .nothing: break reading
      case .ended: break reading
      }
    }
    take(.lastWord(last))
  }

  private func closeConnection() {
    if let number = connection?.number { poller.remove(number) }
    connection = nil
  }

  private func closeLink() {
    if let number = link?.number { poller.remove(number) }
    link = nil
  }

  private func makeLink() -> Bool {
    guard let ends = try? MessageChannel.pair() else { return false }
    link = MessageChannel(owning: ends.ours)
    farEnd = Optional(consume ends.theirs)
    return true
  }

  /// Starts a keeper, which has this process's descriptor 0.
  private func startKeeper() -> Bool {
    closeConnection()
    closeLink()
    farEnd = nil
    do throws(SystemError) {
      guard makeLink(), let number = farEnd?.number else {
        throw SystemError("create", "a socket pair", .current)
      }
      joinLine()
      // Its death shows by the link.
      _ = try ChildProcess.copy(leadsSession: true) { becomeKeeper(number) }
      return true
    } catch {
      messages.write(.alert, "\(error)")
      return false
    }
  }

  /// Before the keeper is there, and so before auditd can start the next front. Who cannot stand there
  /// has a worker that comes when it comes.
  private func joinLine() {
    guard line == nil else {
      line?.join()
      return
    }
    let path = "\(folder)/\(Self.lineName)"
    do throws(SystemError) {
      line = try WaitingLine(path, place: began, makes: false)
    } catch {
      // Nobody was here before. Where something was, its disk may take nothing now: it is not asked to.
      guard error.cause == Errno(ENOENT) else { return }
      unsafe mkdir(folder, 0o755)
      line = try? WaitingLine(path, place: began)
    }
  }

  private func becomeKeeper(_ number: Int32) -> Never {
    // Out of the way first.
    let given = [number, line?.number ?? -1].map { fcntl($0, F_DUPFD_CLOEXEC, 16) }
    for (index, number) in given.enumerated() where number >= 0 {
      let place = Int32(index) + 3
      dup2(number, place)
      _ = fcntl(place, F_SETFD, FD_CLOEXEC)
    }
    let link = FrontLink(owning: Descriptor(owning: 3))
    guard given[1] >= 0 else {
      DescriptorKind.closeAll(from: 4)
      exit(keep(link, nil))
    }
    DescriptorKind.closeAll(from: 5)
    exit(keep(link, WaitingLine(given: Descriptor(owning: 4), place: began)))
  }
}
