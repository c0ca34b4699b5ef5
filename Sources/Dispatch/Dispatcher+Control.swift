import Configuration
import Glibc
import Journal
import Linux

extension Dispatcher {
  func openControl() {
    do {
      let server = try ControlServer(path: runtime.controlSocket, user: geteuid())
      try poller.watch(server.listener.number, Token.control, .read)
      control = server
      if holder != nil { runtime.noteHolder() }
      if controlRetry != nil { say(.notice, "the control socket is there now") }
      controlRetry = nil
      changeControlAccess()
    } catch {
      let reason = "\(error)"
      if controlRetry?.reason != reason {
        say(.error, "no control socket: \(reason); tried again every five seconds")
      }
      controlRetry = (now + .seconds(5), reason)
      scheduleTick(now + .seconds(5))
    }
  }

  /// Makes the control socket where that failed before.
  func openControlAgain() {
    guard control == nil, let retry = controlRetry else { return }
    if now >= retry.at { openControl() } else { scheduleTick(retry.at) }
  }

  /// Listens again where there were no descriptors.
  func listenAgain() {
    guard let control, let until = control.restsUntil else { return }
    guard now >= until else { return scheduleTick(until) }
    control.restsUntil = nil
    _ = poller.add(control.listener.number, Token.control, .read)
  }

  /// Lets in whom the configuration names now.
  func changeControlAccess() {
    do {
      try control?.change(
        to: ControlAccess(user: geteuid(), group: configuration.controlGroup))
    } catch { say(.error, "the control socket is for root only: \(error)") }
  }

  func acceptClients() {
    while let control {
      let client: ControlServer.Client
      switch control.accept(now) {
      case .none: return
      case .surplus: continue
      case .exhausted:
        // Its listener would be readable all the time.
        poller.remove(control.listener.number)
        control.restsUntil = now + .seconds(1)
        return scheduleTick(now + .seconds(1))
      case .client(let arrived, let peer):
        client = arrived
        if arrived.isRefused { reportRefused(peer) }
      }
      let token = Token.client | UInt64(client.id)
      guard poller.add(client.descriptor.number, token, .read) else {
        drop(client)
        continue
      }
      scheduleTick(now + .seconds(6))
    }
  }

  private func reportRefused(_ peer: Peer?) {
    guard let held = refusalReport.pass(now) else { return }
    let who = peer.map { "uid \($0.user), pid \($0.pid)" } ?? "somebody unknown"
    let more = held > 0 ? ", \(held) reports held back" : ""
    say(.warning, "control socket: refused \(who)\(more)")
  }

  func handleClient(_ id: UInt32, _ interest: Interest) {
    guard let client = control?.client(id) else { return }
    if interest.contains(.read) || interest.contains(.ended) {
      guard readRequest(client) else {
        guard client.awaitsAnswer else { return drop(client) }
        // It has said all that it has to say; that would be reported until it is answered.
        return poller.remove(client.descriptor.number)
      }
    }
    if interest.contains(.write) {
      client.isBlocked = false
      write(client)
    }
  }

  /// `false` when the client is gone, or sends what is no request.
  private func readRequest(_ client: ControlServer.Client) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 1024)
    let result = unsafe chunk.withUnsafeMutableBytes {
      unsafe Transfer.read(client.descriptor.number, into: $0)
    }
    switch result {
    case .bytes(let count):
      guard client.answer.isEmpty, client.subscription == nil, !client.awaitsAnswer else {
        return true
      }
      client.request += chunk[..<count]
      if let end = client.request.firstIndex(of: 0x0a) {
        answer(client, String(decoding: client.request[..<end], as: UTF8.self))
      } else if client.request.count > 4096 {
        return false
      }
      return true
    case .wouldBlock: return true
    case .end, .failed: return false
    }
  }

  private func answer(_ client: ControlServer.Client, _ request: String) {
    if client.isRefused {
      client.answer = Array("error not permitted: root and control_group may\n".utf8)
      return write(client)
    }
    let words = request.split(separator: " ", maxSplits: 1).map(String.init)
    var text: String
    switch (words.first ?? "", words.dropFirst().first) {
    case ("status", nil): text = "ok\n" + statusText()
    case ("reload", nil):
      client.awaitsAnswer = true
      return load(.reload, for: client.id)
    case ("check", nil):
      client.awaitsAnswer = true
      return load(.check, for: client.id)
    case ("resume", let name?):
      if let plugin = plugins.first(where: { $0.name == name }) {
        resume(plugin)
        text = "ok\n"
      } else {
        let names = plugins.map(\.name).joined(separator: ", ")
        text = "error no active plugin is called '\(name)'; there are: \(names)\n"
      }
    case ("discard", let name?): text = discardKept(name)
    case ("tail", nil): return beginTail(client)
    default:
      text = "error unknown request '\(printable(request.utf8.prefix(64)))'\n"
    }
    client.answer = Array(text.utf8)
    write(client)
  }

  /// Answers what took a moment; the client may be gone.
  func answer(_ id: UInt32?, with text: String) {
    guard let client = id.flatMap({ control?.client($0) }) else { return }
    client.awaitsAnswer = false
    client.answer = Array("ok\n\(text)".utf8)
    write(client)
  }

  private func beginTail(_ client: ControlServer.Client) {
    client.subscription = Subscription(
      name: "tail", limits: .init(records: 2000, bytes: 4 << 20, whenFull: .dropNewest),
      encoding: .string, announcesGaps: true, node: node, journal: journal)
    client.answer = Array("ok\n".utf8)
    write(client)
  }

  /// Gives the listeners what has just come.
  func feedListeners(_ batch: Journal.Batch, wall: Int64) {
    for client in control?.listeners ?? [] {
      client.subscription?.admit(batch, journal: journal, now: wall)
      write(client)
    }
  }

  private func write(_ client: ControlServer.Client) {
    guard !client.isBlocked else { return }
    let fd = client.descriptor.number
    while !client.answer.isEmpty {
      let result = unsafe client.answer.withUnsafeBytes { unsafe UnixSocket.send(fd, $0) }
      guard case .bytes(let count) = result else { return waitOrDrop(client, result) }
      client.answer.removeFirst(count)
    }
    if client.subscription == nil { return drop(client) }
    while true {
      let result = unsafe client.subscription?.withNextBytes(
        journal: journal, now: WallClock.milliseconds, scratch: &scratch
      ) { unsafe UnixSocket.send(fd, $0) }
      guard let result else { break }
      guard case .bytes(let count) = result else { return waitOrDrop(client, result) }
      client.subscription?.wrote(count)
      client.subscription?.setUnread(0)
    }
    poller.change(fd, Token.client | UInt64(client.id), .read)
  }

  private func waitOrDrop(_ client: ControlServer.Client, _ result: WriteResult) {
    guard case .wouldBlock = result else { return drop(client) }
    client.isBlocked = true
    let token = Token.client | UInt64(client.id)
    let fd = client.descriptor.number
    if !poller.change(fd, token, [.read, .write]) { _ = poller.add(fd, token, .write) }
  }

  private func drop(_ client: ControlServer.Client) {
    poller.remove(client.descriptor.number)
    control?.drop(client)
  }
}
