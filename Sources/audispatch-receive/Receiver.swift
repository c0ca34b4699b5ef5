import Linux
import RemoteProtocol

/// Does what audispatchd orders, and lets it have what peers send. One thread, one epoll for the peers
/// inside another: while audispatchd takes no more, no peer is read.
final class Receiver {
  private enum Token {
    static let link: UInt64 = 1
    static let peers: UInt64 = 2
  }

  private let link: Link
  private let access = SecureAccess()
  private let service: PeerService
  private var poller: Poller
  private var pending: Settings?
  private var isWatchingPeers = true

  init(_ link: Link) throws(SystemError) {
    self.link = link
    service = try PeerService(link, access)
    poller = try Poller()
    try poller.watch(link.number, Token.link, .read)
    try poller.watch(service.number, Token.peers, .read)
  }

  /// Runs until audispatchd is gone, or has it end.
  ///
  /// - Throws: when somebody cannot be waited for any more.
  func run() throws(SystemError) -> Int32 {
    while true {
      let count = poller.wait(milliseconds: timeout)
      service.readClock()
      for index in 0..<count {
        let (token, interest) = poller.event(index)
        guard token == Token.link else { continue }
        if interest.contains(.write) { link.flush() }
        if !takeOrders() { return 0 }
      }
      service.turn()
      for warning in access.look(now: .sinceStart) { link.put(.warning(warning)) }
      link.flush()
      try watch()
      if let failure = service.failure { throw failure }
      if service.isFinished {
        link.flush()
        return 0
      }
    }
  }

  private var timeout: Int32 {
    let (one, other) = (service.timeout, access.timeout(now: .sinceStart))
    return one < 0 || other < 0 ? max(one, other) : min(one, other)
  }

  /// Waits for audispatchd where it takes no more, and for peers where it does.
  private func watch() throws(SystemError) {
    guard poller.change(link.number, Token.link, link.isFull ? [.read, .write] : .read) else {
      throw SystemError("wait for", "audispatchd", .current)
    }
    guard isWatchingPeers == link.isFull else { return }
    isWatchingPeers = !link.isFull
    if isWatchingPeers {
      try poller.watch(service.number, Token.peers, .read)
    } else {
      poller.remove(service.number)
    }
  }

  // MARK: Orders

  /// `false` when audispatchd is gone.
  private func takeOrders() -> Bool {
    while true {
      switch link.receive() {
      case .nothing: return true
      case .ended: return false
      case .orders(let orders, let file):
        var file = consume file
        for order in orders { follow(order, file.take()) }
      }
    }
  }

  private func follow(_ order: ReceiverOrder, _ file: consuming Descriptor?) {
    switch order {
    case .begin(let settings): pending = Settings(settings)
    case .network(let range): pending?.add(network: range)
    case .listener(let source, let isSecure):
      if let socket = file.take() { service.listen(socket, source, isSecure: isSecure) }
    case .sharedKey(let identity):
      if let file = file.take() { pending?.add(key: identity, file) }
    case .file(let kind):
      if let file = file.take() { pending?.add(kind, file) }
    case .apply: apply()
    case .ok(let number): service.isSafe(through: number)
    case .has(let id, let number): service.has(id, number)
    case .hold: service.hold(true)
    case .goOn: service.hold(false)
    case .finish: service.finish()
    case .ask(let number): link.put(.works(number))
    }
  }

  private func apply() {
    guard var settings = pending.take() else { return }
    access.apply(&settings, now: .sinceStart)
    for text in settings.objections { link.put(.objection(text)) }
    service.apply(settings)
  }
}
