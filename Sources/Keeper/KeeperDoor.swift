import Glibc
public import Linux

/// Where the keeper meets fronts: the link of the one whose input is read, and `keeper.sock`, where the
/// next one knocks. What it does is decided by `Succession`.
public final class KeeperDoor {
  /// A connection to `keeper.sock`.
  private final class Caller {
    let channel: MessageChannel
    init(_ channel: consuming MessageChannel) { self.channel = channel }
  }

  /// What the keeper is to do.
  enum Order {
    /// A signal is for the worker.
    case signal(Int32)
    /// It is to end: why, unless that is known.
    case stop(String)
  }

  private let offer: Offer
  private var life: Succession
  private let poller: Poller
  private var listener: Descriptor?
  private var callers: [Caller] = []
  /// The one that is welcome.
  private var welcome: Caller?
  /// Of the newest front, as long as that is there.
  private var link: FrontLink?
  /// What was taken and is not read yet.
  private var unread: [HandedInput] = []
  /// Inputs of these that the worker has not got, the last ones.
  private var ungiven = 0

  private static let maximumCallers = 8

  /// - Parameters:
  ///   - offer: which program this is.
  ///   - link: of the front that has started this process.
  ///   - wait: how long an input that has ended is waited behind for the next one.
  public init(
    _ offer: Offer, link: FrontLink, wait: Duration
  ) throws(SystemError) {
    self.offer = offer
    life = Succession(wait: wait)
    poller = try Poller()
    try poller.watch(link.number, 0, .read)
    self.link = link
  }

  /// Readable when there is something for `look`.
  var number: Int32 { poller.number }
  /// When `look` is due.
  var deadline: Moment? { life.deadline }
  var wait: Duration { life.wait }

  /// The runtime folder is the worker's: from now on the next front finds this process there. When its
  /// own one is gone by then, the next one may have come and have a keeper of its own, behind whose
  /// back none must be let in.
  ///
  /// - Returns: why it does not.
  func open(in folder: String) -> SystemError? {
    guard listener == nil else { return nil }
    guard life.hasFront, !life.isPassedBy else {
      _ = life.handle(.unreachable, now: .now)
      return nil
    }
    let path = folder + "/" + Front.socketName
    do throws(SystemError) {
      unsafe unlink(path)
      let listener = try MessageChannel.listen(path, mode: 0o600)
      try poller.watch(listener.number, 0, .read)
      self.listener = consume listener
      return nil
    } catch { return error }
  }

  // MARK: What comes

  /// Takes what waits; never blocks.
  func look(_ now: Moment) -> [Order] {
    // A front that is gone is to be known before the next one is answered.
    var orders = hearFront(now)
    accept(now)
    for caller in callers { orders += hear(caller, now) }
    orders += perform(life.handle(.tick, now: now), nil, now)
    return orders
  }

  private func hearFront(_ now: Moment) -> [Order] {
    var orders: [Order] = []
    while let link {
      switch link.next() {
      case .signal(let number): orders.append(.signal(number))
      case .nothing: return orders
      case .ended:
        // The worker has a copy: closing ours alone would not end its being waited for.
        poller.remove(link.number)
        self.link = nil
        _ = life.handle(.frontLost, now: now)
      }
    }
    return orders
  }

  private func accept(_ now: Moment) {
    guard let number = listenerNumber else { return }
    while let connection = UnixSocket.accept(number) {
      guard let peer = try? Peer(of: connection.number), Front.trusts(peer) else { continue }
      if callers.count >= Self.maximumCallers { drop(callers[0], now) }
      _ = poller.add(connection.number, 0, .read)
      callers.append(Caller(MessageChannel(owning: connection)))
    }
  }

  private var listenerNumber: Int32? {
    switch listener {
    case .some(let listener): listener.number
    case nil: nil
    }
  }

  private func hear(_ caller: Caller, _ now: Moment) -> [Order] {
    var orders: [Order] = []
    while callers.contains(where: { $0 === caller }) {
      switch caller.channel.receive() {
      case .nothing: return orders
      case .ended: drop(caller, now)
      case .message(let text, let input, let link):
        switch FrontWord(text) {
        case .offer(let other):
          let objection = offer.objection(to: other)
          orders += perform(life.handle(.offered(objection: objection), now: now), caller, now)
        case .input:
          guard let input, let link, caller === welcome else {
            drop(caller, now)
            continue
          }
          let handed = HandedInput(input: input, link: FrontLink(owning: link))
          orders += perform(life.handle(.handed, now: now), caller, now, handed)
        case .signal, nil: refuse(caller, "it does not understand", now)
        }
      }
    }
    return orders
  }

  private func perform(
    _ action: Succession.Action, _ caller: Caller?, _ now: Moment, _ handed: HandedInput? = nil
  ) -> [Order] {
    switch action {
    case .none: return []
    case .welcome:
      // The newest one is the one that auditd waits for.
      let former = welcome
      welcome = caller
      if former !== caller { drop(former, now) }
      if caller?.channel.send(KeeperWord.welcome.text) != true { drop(caller, now) }
    case .refuse(let reason): refuse(caller, reason, now)
    case .hangUp: drop(caller, now)
    case .sayTaken:
      let wasHeard = caller?.channel.send(KeeperWord.taken.text) ?? false
      return perform(life.handle(.said(wasHeard), now: now), caller, now, handed)
    case .adopt:
      drop(caller, now)
      guard let handed else { return [] }
      unread.append(handed)
      ungiven += 1
      link = handed.link
      _ = poller.add(handed.link.number, 0, .read)
    case .stop(let reason): return [.stop(reason)]
    case .refuseAndStop(let reason):
      refuse(caller, reason, now)
      return [.stop("a front has come that it cannot go on for (\(reason))")]
    }
    return []
  }

  private func refuse(_ caller: Caller?, _ reason: String, _ now: Moment) {
    caller?.channel.send(KeeperWord.no(reason).text)
    drop(caller, now)
  }

  /// Whatever the reason: the one that is welcome has given its input by now, or is lost.
  private func drop(_ caller: Caller?, _ now: Moment) {
    guard let caller else { return }
    poller.remove(caller.channel.number)
    callers.removeAll { $0 === caller }
    guard welcome === caller else { return }
    welcome = nil
    _ = life.handle(.callerLost, now: now)
  }

  // MARK: What the worker gets

  /// A worker is started, which has got none of the inputs yet.
  ///
  /// - Returns: the newest front's link, for that worker.
  func workerStarts() -> Int32? {
    ungiven = unread.count
    return link?.number
  }

  /// Whether there are inputs that the worker has not got.
  var hasUngiven: Bool { ungiven > 0 }

  /// Gives the worker the inputs that it has not got; one that has too much to read gets them later.
  ///
  /// - Parameter send: takes an input and its front's link; `false`: they could not be sent now.
  func giveInputs(_ send: ([Int32]) -> Bool) {
    while ungiven > 0 {
      let handed = unread[unread.count - ungiven]
      guard send([handed.input.number, handed.link.number]) else { return }
      ungiven -= 1
    }
  }

  // MARK: What the worker says

  /// It has read its input to the end.
  func drained(isFarewell: Bool, _ now: Moment) -> [Order] {
    perform(life.handle(.drained(isFarewell: isFarewell), now: now), nil, now)
  }

  /// It reads the next input.
  ///
  /// - Returns: that.
  func wentOn(_ now: Moment) -> HandedInput? {
    _ = life.handle(.wentOn, now: now)
    return unread.isEmpty ? nil : unread.removeFirst()
  }

  func workerDied(_ now: Moment) { _ = life.handle(.workerDied, now: now) }

  /// It is going to end: nobody's input is taken any more.
  func stopAsked(_ now: Moment) { _ = life.handle(.stopAsked, now: now) }

  /// It has ended of itself, and the keeper ends with it. A front whose input nobody has read is told
  /// nothing: it goes on with a keeper of its own.
  func end(_ status: Int32) {
    if life.endIsOurs { link?.sayEnd(status) }
  }
}
