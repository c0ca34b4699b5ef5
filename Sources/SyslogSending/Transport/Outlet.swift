package import AudispatchPlugin
package import Linux
import SecureChannel

/// Where messages go: the best server that can be reached, and another one when it fails. What is
/// not done is kept, and sent again over the next connection.
package struct Outlet: ~Copyable {
  private var options: SyslogServers
  private var queue = MessageQueue()
  private var link: (any Link)?
  private var server = 0
  private var backoff: Backoff
  private var retryAt: Duration?
  /// Whether the present connection got something done, and when it was begun.
  private var wasOfUse = false
  private var begunAt = Duration.zero
  private var poller: Poller
  private var watching: (descriptor: Int32, generation: Int, interest: Interest)?

  private var reports: [(Severity, String)] = []
  /// Since it was said that no server can be reached.
  private var outage: Outage?
  /// Why each server failed last.
  private var reasons: [Int: String] = [:]
  package private(set) var done = 0
  package private(set) var sentAgain = 0
  package private(set) var connections = 0
  /// Messages that were left out because a server refused them again and again.
  package private(set) var refused = 0
  private var tooLongBefore = 0
  /// Which message was refused last, counted from the very first, and how often in a row.
  private var refusal = (place: -1, times: 0)
  /// What was refused that often, until it shows whether the server takes others.
  private var aside: (entry: MessageQueue.Entry, answer: String)?
  /// How often a server may refuse a message.
  private static var refusals: Int { 3 }

  package init(_ options: SyslogServers) throws(SystemError) {
    self.options = options
    backoff = Backoff(
      servers: options.addresses.count, from: options.retryDelay, to: options.retryDelayMaximum)
    poller = try Poller()
  }

  /// Messages that are not done, and their bytes.
  package var waiting: Int { queue.count + (aside == nil ? 0 : 1) }
  package var waitingBytes: Int { queue.bytes }
  package var tooLong: Int { tooLongBefore + ((link as? DatagramLink)?.tooLong ?? 0) }
  package var watched: Int32? { poller.number }
  package var deadline: Duration? {
    if link == nil, queue.count == 0 { return nil }
    if link == nil, retryAt == nil { return MonotonicTime.now }
    return [retryAt, link?.deadline].compactMap { $0 }.min()
  }

  package mutating func append(_ message: [UInt8], token: DeliveryToken?, serial: UInt64 = 0) {
    queue.append(message, token: token, serial: serial)
  }

  /// Lets what waits now carry a token; `false` when nothing waits.
  package mutating func attach(_ token: DeliveryToken) -> Bool { queue.attach(token) }

  package mutating func takeReports() -> [(Severity, String)] {
    defer { reports = [] }
    return reports
  }

  /// Does whatever can be done now; what is done by it.
  package mutating func advance() -> DeliveryToken? {
    var token: DeliveryToken?
    // As many attempts as there are servers: each may fail at once.
    for _ in 0...options.addresses.count {
      let now = MonotonicTime.now
      if let retryAt, now < retryAt { break }
      retryAt = nil
      var count = 0
      do throws(LinkFailure) {
        if link == nil { try connect(now) }
        guard let link else { break }
        try link.advance(&queue, now, &count)
        token = note(count) ?? token
        if link.isReady { sayReady() }
        break
      } catch {
        token = note(count) ?? token
        fail(error, now)
        if let place = error.refused { noteRefusal(place, error) }
      }
    }
    watch()
    return token
  }

  private mutating func note(_ count: Int) -> DeliveryToken? {
    guard count > 0 else { return nil }
    leaveOut()
    done += count
    wasOfUse = true
    return queue.finish(count)
  }

  private mutating func connect(_ now: Duration) throws(LinkFailure) {
    server = backoff.server
    wasOfUse = false
    begunAt = now
    let address = options.addresses[server]
    do throws(SystemError) {
      link = try Links.begin(address, options, now)
    } catch { throw LinkFailure(error) }
    saidReady = false
  }

  private var saidReady = false

  private mutating func sayReady() {
    guard !saidReady else { return }
    saidReady = true
    connections += 1
    let address = options.addresses[server]
    if let outage {
      let time = outage.lasts(at: MonotonicTime.now)
      reports.append((.notice, "sending to \(address), after \(time)"))
    } else if server > 0 || connections > 1 {
      reports.append((.notice, "sending to \(address)"))
    }
    outage = nil
    reasons = [:]
  }

  private mutating func fail(_ failure: LinkFailure, _ now: Duration) {
    let address = options.addresses[server]
    let again = queue.startOver()
    sentAgain += again
    takeBack()
    reasons[server] = failure.description
    if outage?.isNews(failure.description, of: server, at: now) ?? true {
      var text = "\(address): \(failure)"
      if again > 0 {
        text += "; \(again) messages that it did not acknowledge are sent again"
      }
      // Over these nobody says what became of what arrived.
      if wasOfUse, address.kind == .tcp || address.kind == .tls {
        text += "; if it died, what it had received and not stored is lost"
      }
      reports.append((.warning, text))
    }
    // One that is lost as soon as it is there must not be made again without end.
    let delay = backoff.failed(wasOfUse: wasOfUse && now - begunAt >= options.retryDelay)
    if delay > .zero, failure.refused == nil { sayDown(now) }
    retryAt = delay > .zero ? now + delay : nil
    dropLink()
  }

  /// Says that no server can be reached, and again at intervals, with why and what waits.
  private mutating func sayDown(_ now: Duration) {
    guard outage != nil else {
      outage = Outage(at: now, reasons)
      // What waits at first is no news for as long as this is the last word.
      let waiting = queue.count > 0 ? "\(queue.count) messages wait" : "what comes waits"
      reports.append((.error, "no server can be reached: \(waiting)"))
      return
    }
    guard outage?.isToBeRepeated(at: now) == true, let time = outage?.lasts(at: now) else { return }
    let why = reasons.sorted { $0.key < $1.key }.filter { $0.key < options.addresses.count }
      .map { "\(options.addresses[$0.key]): \($0.value)" }.joined(separator: "; ")
    reports.append(
      (.error, "no server can be reached for \(time): \(queue.count) messages wait; \(why)"))
  }

  /// Sets the first message aside if servers have refused it again and again: nothing behind it would
  /// ever be taken. A server may as well refuse everything, because its disk is full.
  private mutating func noteRefusal(_ place: Int, _ failure: LinkFailure) {
    let number = done + place
    refusal = (number, number == refusal.place ? refusal.times + 1 : 1)
    guard refusal.times >= Self.refusals, place == 0, let entry = queue.setAside() else { return }
    aside = (entry, failure.description)
  }

  /// The server has taken another: what was set aside is the message's own fault. What is done with
  /// it is done with those behind it.
  private mutating func leaveOut() {
    guard let (entry, answer) = aside else { return }
    aside = nil
    refusal = (-1, 0)
    refused += 1
    done += 1
    reports.append(
      (
        .error,
        "the message of event \(entry.serial) is left out, refused \(Self.refusals) times: \(answer)"
      ))
  }

  /// It has not shown whether the server takes others: the message is the first again.
  private mutating func takeBack() {
    guard let (entry, _) = aside else { return }
    aside = nil
    refusal = (-1, 0)
    queue.putBack(entry)
  }

  /// Goes on with other servers, over which everything is sent that is not done.
  package mutating func change(to options: SyslogServers) {
    self.options = options
    backoff = Backoff(
      servers: options.addresses.count, from: options.retryDelay, to: options.retryDelayMaximum)
    retryAt = nil
    reasons = [:]
    sentAgain += queue.startOver()
    takeBack()
    dropLink()
  }

  private mutating func dropLink() {
    if let watching { poller.remove(watching.descriptor) }
    watching = nil
    tooLongBefore = tooLong
    link = nil
  }

  private mutating func watch() {
    guard let link else { return }
    let wanted = (link.descriptor, link.generation, link.interest)
    if let watching, watching.descriptor == wanted.0, watching.generation == wanted.1 {
      if watching.interest != wanted.2 { poller.change(wanted.0, 0, wanted.2) }
    } else {
      if let watching { poller.remove(watching.descriptor) }
      _ = poller.add(wanted.0, 0, wanted.2)
    }
    watching = wanted
  }

  /// Waits until something may go forward.
  package mutating func wait(atMost limit: Duration) {
    let until = min(limit, deadline.map { max($0 - MonotonicTime.now, .zero) } ?? limit)
    _ = poller.wait(milliseconds: Int32(clamping: until.inNanoseconds / 1_000_000 + 1))
  }

  /// Takes leave of the server.
  package mutating func close(within limit: Duration) {
    guard let stream = link as? StreamLink, stream.isReady else { return dropLink() }
    stream.close()
    let end = MonotonicTime.now + limit
    while !stream.isClosed, MonotonicTime.now < end {
      var count = 0
      do throws(LinkFailure) {
        try stream.advance(&queue, MonotonicTime.now, &count)
      } catch { break }
      watch()
      wait(atMost: .milliseconds(50))
    }
    dropLink()
  }
}

/// Makes the link that a server wants.
enum Links {
  static func begin(
    _ server: ServerAddress, _ options: SyslogServers, _ now: Duration
  ) throws(SystemError) -> any Link {
    switch server.kind {
    case .unix(let path):
      return DatagramLink(try DatagramSocket(path: path, orStream: true), to: path)
    case .journal(let path):
      return DatagramLink(try DatagramSocket(path: path, orStream: false), to: path)
    case .udp:
      let resolver = try Resolver.begin(server.host, port: server.port)
      return UDPLink(server, resolver, now, options.timeout)
    case .tcp, .tls, .relp, .relpOverTLS:
      var settings = StreamLink.Settings(
        manner: .relp, window: options.window, timeout: options.timeout)
      if server.kind == .tls { settings.manner = .octetCounting }
      if server.kind == .tcp {
        settings.manner = options.framing == .lines ? .lines : .octetCounting
      }
      if server.usesTLS {
        settings.identity = .certificates(options.tls.certificates(for: server.host))
      }
      return try StreamLink(to: server, settings, now)
    }
  }
}
