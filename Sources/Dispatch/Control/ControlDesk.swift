import Configuration
import Glibc
import Journal
import Linux

/// What somebody asks for over the control socket and others have to do.
enum ControlRequest: Equatable {
  case status
  case reload
  case check
  case resume(plugin: String)
  /// Gives up what the spool keeps for a plugin that is not active.
  case discard(plugin: String)
}

/// The control socket: made, made again, listened to, and answered. `audispatchctl tail` is fed here.
final class ControlDesk: Owner {
  private static let pause = Duration.seconds(5)

  let base: Base
  private let custody: Custody
  private var server: ControlServer?
  /// It is being made.
  private var isAwaited = false
  /// There is none yet: when it is tried again, and why that failed last.
  private var retry: (at: Moment, reason: String)?
  /// Nobody is let in before: there were no descriptors.
  private var restsUntil: Moment?
  private var refusalReport = RateLimit(every: .seconds(10))
  private var scratch: [UInt8] = []

  init(_ base: Base, _ custody: Custody) {
    self.base = base
    self.custody = custody
  }

  /// Connections that were refused.
  var refused: UInt64 { server?.refused ?? 0 }

  // MARK: The socket

  /// Has the socket made; the runtime folder is ours.
  func open() {
    isAwaited = true
    runtime.listen(access)
  }

  /// It was made.
  func listens(at socket: consuming Descriptor) {
    isAwaited = false
    let new = ControlServer(socket, user: geteuid())
    do throws(SystemError) {
      try loop.poller.watch(new.listener.number, Token.control, .read)
    } catch { return doesNotListen(error) }
    server = new
    if custody.hasKeeper { runtime.noteKeeper() }
    if retry != nil { loop.say(.notice, "the control socket is there now") }
    retry = nil
    changeAccess()
  }

  /// It could not be made.
  func doesNotListen(_ error: SystemError) {
    isAwaited = false
    let reason = "\(error)"
    if retry?.reason != reason {
      loop.say(.error, "no control socket: \(reason); tried again every five seconds")
    }
    retry = (loop.now + Self.pause, reason)
    loop.wake(.control, in: Self.pause)
  }

  /// Lets in whom the configuration names now.
  func changeAccess() {
    let access = access
    if server?.change(to: access) ?? false { runtime.admit(access) }
  }

  private var access: ControlAccess {
    ControlAccess(user: geteuid(), group: settings.daemon.controlGroup)
  }

  func tend() {
    if let restsUntil, let server, loop.hasCome(restsUntil, .control) {
      self.restsUntil = nil
      _ = loop.poller.add(server.listener.number, Token.control, .read)
    }
    if server == nil, !isAwaited, let retry, loop.hasCome(retry.at, .control) { open() }
    for client in server?.silentClients(loop.now) ?? [] { drop(client) }
    if server?.hasSilentClients ?? false { loop.wake(.control, in: .seconds(1)) }
  }

  // MARK: Clients

  func accept() {
    while let server {
      switch server.accept(loop.now) {
      case .none: return
      case .surplus: continue
      case .exhausted:
        // Its listener would be readable all the time.
        loop.poller.remove(server.listener.number)
        restsUntil = loop.now + .seconds(1)
        return loop.wake(.control, in: .seconds(1))
      case .client(let client, let peer):
        if client.isRefused { reportRefused(peer) }
        if loop.poller.add(client.number, .client(client.id), .read) {
          loop.wake(.control, in: .seconds(6))
        } else {
          drop(client)
        }
      }
    }
  }

  private func reportRefused(_ peer: Peer?) {
    guard let held = refusalReport.pass(loop.now) else { return }
    let who = peer.map { "uid \($0.user), pid \($0.pid)" } ?? "somebody unknown"
    let more = held > 0 ? ", \(held) reports held back" : ""
    loop.say(.warning, "control socket: refused \(who)\(more)")
  }

  /// A client has said something, or takes something.
  ///
  /// - Returns: what it asks for, if others have to do it; it is answered with `answer`.
  func handle(_ id: ControlClient.ID, _ interest: Interest) -> ControlRequest? {
    guard let client = server?.client(id) else { return nil }
    var request: ControlRequest?
    if interest.contains(.read) || interest.contains(.ended) {
      switch client.read() {
      case .nothing: break
      case .request(let text): request = take(text, client)
      case .nothingMore where client.awaitsAnswer:
        // It has said all that it has to say; that would be reported until it is answered.
        loop.poller.remove(client.number)
        return nil
      case .nothingMore:
        drop(client)
        return nil
      }
    }
    if interest.contains(.write), !client.awaitsAnswer {
      client.unblock()
      write(client)
    }
    return request
  }

  private func take(_ text: String, _ client: ControlClient) -> ControlRequest? {
    if client.isRefused {
      answer(client, "error not permitted: root and control_group may\n")
      return nil
    }
    let words = text.split(separator: " ", maxSplits: 1).map(String.init)
    client.waits()
    switch (words.first ?? "", words.dropFirst().first) {
    case ("status", nil): return .status
    case ("reload", nil): return .reload
    case ("check", nil): return .check
    case ("resume", let name?): return .resume(plugin: name)
    case ("discard", let name?): return .discard(plugin: name)
    case ("tail", nil):
      client.listen(node: settings.node, journal)
      write(client)
    default: answer(client, "error unknown request '\(printable(text.utf8.prefix(64)))'\n")
    }
    return nil
  }

  /// Answers a request; the client may be gone.
  func answer(_ id: ControlClient.ID?, with text: String) {
    if let id, let client = server?.client(id) { answer(client, text) }
  }

  private func answer(_ client: ControlClient, _ text: String) {
    client.answer(text)
    write(client)
  }

  /// Gives the listeners what has just come.
  func feed(_ batch: Journal.Batch) {
    guard let server, !server.clients.isEmpty else { return }
    let wall = WallClock.milliseconds
    for client in server.listeners {
      client.feed(batch, journal, wall: wall)
      write(client)
    }
  }

  private func write(_ client: ControlClient) {
    let token = Token.client(client.id)
    switch client.write(journal, scratch: &scratch) {
    case .all: loop.poller.change(client.number, token, .read)
    case .blocked:
      if !loop.poller.change(client.number, token, [.read, .write]) {
        _ = loop.poller.add(client.number, token, .write)
      }
    case .finished: drop(client)
    }
  }

  private func drop(_ client: ControlClient) {
    loop.poller.remove(client.number)
    server?.drop(client)
  }
}
