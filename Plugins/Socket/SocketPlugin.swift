import AudispatchPlugin
import AuditRecord
import Glibc
import Linux

/// Gives every record to every client that is connected, each through a queue of its own: the
/// input is always read, and a client that does not read loses events alone.
struct SocketPlugin: RecordPlugin, ~Copyable {
  typealias Options = SocketOptions

  /// How often the socket's place is looked at, or tried to be had.
  private static let lookEvery = Duration.seconds(5)
  private static let wordEvery = Duration.seconds(60)
  /// How long clients may take at the end to read what waits for them.
  private static let lastTime = Duration.seconds(1)
  private static let listener: UInt64 = .max

  private var options: SocketOptions
  private var log: PluginLog
  /// What gap records call it.
  private let name: String
  private var fixed: Bool?
  private var tracker = EventTracker()
  private var clients: [UInt64: Client] = [:]
  private var nextClient: UInt64 = 0
  private var socket: ListeningSocket?
  /// Whether the socket is not looked at before the next look at its place.
  private var rests = false
  private var poller: Poller
  private var nextLook = Duration.zero
  private var nextRefusal = Duration.zero
  private var nextCrowd = Duration.zero
  private var counts = Counts()

  /// In records, but for the clients.
  private struct Counts {
    var clients = 0
    var turnedAway = 0
    /// Of clients that are gone.
    var dropped = 0
    /// What waited for clients when they went.
    var left = 0
    /// With nobody connected.
    var unheard = 0
  }

  init(_ options: SocketOptions, log: PluginLog, name: String) throws {
    self.options = options
    self.log = log
    self.name = name
    poller = try Poller()
    fixed = Self.framing(options)
    look()
  }

  private static func framing(_ options: SocketOptions) -> Bool? {
    guard options.format == .binary else { return nil }
    switch options.framing {
    case .compact: return false
    case .fixed: return true
    case .installed: return !InstalledAudit.writesCompactRecords
    }
  }

  // MARK: What the session calls

  mutating func handle(_ batch: RecordBatch) {
    // Whoever connected before these records came has them.
    accept()
    let prepared = PreparedBatch(batch, &tracker)
    guard !clients.isEmpty else {
      counts.unheard += prepared.records.count
      return
    }
    for (key, client) in clients {
      var next = 0
      while next < prepared.records.count {
        let portion = client.queue.portion(of: prepared, from: next)
        client.queue.offer(prepared, portion) { gap in
          options.gapRecord ? Self.announcement(gap, name) : nil
        }
        next = portion.upperBound
        guard send(key, client) else { break }
      }
      reportSlow(client)
    }
  }

  var watched: Int32? { poller.number }
  var deadline: Duration? { nextLook }

  mutating func wake() {
    let count = poller.wait(milliseconds: 0)
    for index in 0..<count {
      let (token, ready) = poller.event(index)
      if token == Self.listener {
        accept()
      } else if let client = clients[token] {
        if ready.contains(.ended) { remove(token, client) } else { send(token, client) }
      }
    }
    if MonotonicTime.now >= nextLook { look() }
  }

  mutating func reload(_ new: SocketOptions) {
    let moves =
      new.path != options.path || new.mode != options.mode || new.group != options.group
    let speaksOtherwise = new.format != options.format || new.framing != options.framing
    options = new
    if speaksOtherwise {
      fixed = Self.framing(new)
      for (key, client) in clients { remove(key, client) }
    }
    if moves { close() }
    nextLook = .zero
    nextRefusal = .zero
    look()
  }

  /// A client had not read everything at the end.
  private(set) var hasLost = false

  mutating func finish() {
    close()
    let end = MonotonicTime.now + Self.lastTime
    while clients.values.contains(where: { !$0.isIdle }), MonotonicTime.now < end {
      _ = Poll.wait(poller.number, for: .read, milliseconds: 50)
      wakeClients()
    }
    hasLost = clients.values.contains { !$0.isIdle }
    for (key, client) in clients { remove(key, client) }
  }

  var figures: [(name: String, value: Int)] {
    [
      ("clients", clients.count), ("connected", counts.clients),
      ("turned_away", counts.turnedAway), ("unheard", counts.unheard),
      ("dropped", clients.values.reduce(counts.dropped) { $0 + $1.queue.dropped.records }),
      ("left", counts.left),
    ]
  }

  private mutating func wakeClients() {
    for (key, client) in clients { send(key, client) }
  }

  // MARK: The socket

  /// Sees to it that the socket is there.
  private mutating func look() {
    nextLook = MonotonicTime.now + Self.lookEvery
    if let socket {
      if socket.isInPlace { return listenAgain(socket) }
      log.write(.warning, "\(socket.path) was removed; it is made again")
      close()
    }
    do throws(ListeningSocket.Refusal) {
      let made = try ListeningSocket(options.path, mode: options.mode, group: options.group)
      _ = poller.add(made.number, Self.listener, .read)
      socket = made
      if nextRefusal > .zero { log.write(.notice, "listens at \(options.path) now") }
      nextRefusal = .zero
    } catch {
      guard MonotonicTime.now >= nextRefusal else { return }
      nextRefusal = MonotonicTime.now + Self.wordEvery
      log.write(.error, "\(error); tried again each 5 s")
    }
  }

  private mutating func close() {
    guard let socket else { return }
    // Who has connected already stays.
    accept()
    poller.remove(socket.number)
    socket.remove()
    self.socket = nil
    rests = false
  }

  private mutating func accept() {
    while let socket {
      do throws(Errno) {
        guard let descriptor = try socket.accept() else { return }
        if clients.count < options.clients {
          take(descriptor)
        } else {
          noteTurnedAway("\(clients.count) clients are connected")
        }
      } catch {
        guard turnAway(socket, for: error) else { return }
      }
    }
  }

  /// Lets a client go that cannot be had; `false` when there is none, or not even that can be done.
  private mutating func turnAway(_ socket: ListeningSocket, for reason: Errno) -> Bool {
    do throws(Errno) {
      guard try socket.turnAway() else { return false }
      noteTurnedAway("\(reason)")
      return true
    } catch {
      // It would be announced without end.
      rests = true
      poller.change(socket.number, Self.listener, [])
      sayCrowd("\(error): clients wait")
      return false
    }
  }

  private mutating func listenAgain(_ socket: ListeningSocket) {
    guard rests else { return }
    rests = false
    poller.change(socket.number, Self.listener, .read)
  }

  private mutating func take(_ descriptor: consuming Descriptor) {
    let peer = (try? Peer(of: descriptor.number)).map { " (pid \($0.pid), uid \($0.user))" }
    let key = nextClient
    nextClient += 1
    counts.clients += 1
    _ = poller.add(descriptor.number, key, [])
    clients[key] = Client(
      descriptor, name: "client \(key + 1)\(peer ?? "")",
      queue: ClientQueue(depth: options.depth, bytes: options.bytes, start: tracker.next))
  }

  private mutating func noteTurnedAway(_ why: String) {
    counts.turnedAway += 1
    sayCrowd("\(why): another is turned away; \(counts.turnedAway) in all")
  }

  private mutating func sayCrowd(_ text: String) {
    guard MonotonicTime.now >= nextCrowd else { return }
    nextCrowd = MonotonicTime.now + Self.wordEvery
    log.write(.warning, text)
  }

  // MARK: Clients

  /// Sends what a client's socket takes; `false` when the client is gone.
  @discardableResult
  private mutating func send(_ key: UInt64, _ client: Client) -> Bool {
    guard client.send(fixed: fixed) == .open else {
      remove(key, client)
      return false
    }
    if client.isIdle == client.isAwaited {
      client.isAwaited.toggle()
      poller.change(client.socket.number, key, client.isAwaited ? .write : [])
    }
    return true
  }

  private mutating func remove(_ key: UInt64, _ client: Client) {
    poller.remove(client.socket.number)
    counts.dropped += client.queue.dropped.records
    counts.left += client.queue.records
    if client.queue.dropped.records > client.said { sayDropped(client, "is gone") }
    clients[key] = nil
  }

  /// Says that a client loses events: at once, and again each minute as long as it lasts.
  private mutating func reportSlow(_ client: Client) {
    guard client.queue.dropped.records > client.said else { return }
    let now = MonotonicTime.now
    if let next = client.nextWord, now < next { return }
    client.nextWord = now + Self.wordEvery
    sayDropped(client, "does not read fast enough")
  }

  private mutating func sayDropped(_ client: Client, _ what: String) {
    let dropped = client.queue.dropped
    client.said = dropped.records
    log.write(
      .warning,
      "\(client.name) \(what): \(dropped.records) records of \(dropped.events) events "
        + "dropped for it")
  }

  /// The record in a client's stream about what it has missed.
  private static func announcement(_ gap: ClientQueue.Gap, _ name: String) -> PreparedBatch {
    let now = RecordStamp(milliseconds: UInt64(WallClock.milliseconds), serial: gap.serial)
    let line =
      "type=DAEMON_ERR msg=audit(\(now.text)): op=queue-drop "
      + "plugin=\(name) dropped=\(gap.records) events=\(gap.events) reason=queue_full res=failed\n"
    let bytes = Array(line.utf8)
    return PreparedBatch(
      bytes: bytes,
      records: [
        PreparedBatch.Record(
          end: bytes.count, event: 0, isFirst: true, serial: gap.serial, type: .daemonError)
      ])
  }
}
