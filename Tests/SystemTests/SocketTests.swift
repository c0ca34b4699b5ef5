import Foundation
import Linux
import Synchronization
import Testing

/// A program that has connected to a dispatcher's socket.
final class SocketClient: Sendable {
  private let socket: Int32
  private let taken = Mutex<[UInt8]>([])

  init(_ path: String) throws {
    let connection = try UnixSocket.connect(path)
    connection.setNonblocking(true)
    socket = connection.release()
  }

  deinit { close(socket) }

  /// What has come until now.
  var bytes: [UInt8] {
    taken.withLock { taken in
      var buffer = [UInt8](repeating: 0, count: 64 << 10)
      while case .bytes(let count) = unsafe buffer.withUnsafeMutableBytes({
        unsafe Transfer.read(socket, into: $0)
      }) { taken += buffer[..<count] }
      return taken
    }
  }

  var serials: [Int] { split(String(decoding: bytes, as: UTF8.self)).compactMap(Receipt.serial) }
}

/// Cases U1 to U5: the same file of `plugins.d`, which names `builtin_af_unix`, with auditd's
/// dispatcher and with ours.
@Suite("The socket of builtin_af_unix", .inTurn, .enabled(if: RealAuditd.isHere, RealAuditd.why))
struct SocketTests {
  private func start(
    _ kind: DispatcherKind, _ arguments: String, format: String = "string", _ scratch: Scratch
  ) async throws -> any Dispatcher {
    let socket = PluginFile(
      "af_unix",
      text: """
        active = yes
        direction = out
        path = builtin_af_unix
        type = builtin
        args = \(arguments.replacing("DIR", with: scratch.path))
        format = \(format)

        """)
    let copy = PluginFile("copy", try await Programs.plugin(), ["copy", scratch("copy")])
    return try await kind.start([socket, copy], scratch: scratch)
  }

  private func end(_ dispatcher: any Dispatcher) async throws {
    dispatcher.child.signal(SIGTERM)
    #expect(try await dispatcher.child.end() == .exited(0))
  }

  private func client(_ scratch: Scratch) async throws -> SocketClient {
    try await eventually("the socket") { (try? UnixSocket.connect(scratch("s"))) != nil }
    return try SocketClient(scratch("s"))
  }

  /// Sends an event and waits until the plugin beside the socket has it.
  private func send(_ serial: Int, _ dispatcher: any Dispatcher, _ scratch: Scratch) async throws {
    try await dispatcher.send([TestEvent(serial)])
    try await eventually("event \(serial) at the plugin beside") {
      scratch.text("copy").contains(TestEvent.id(serial))
    }
  }

  /// Ours is a process beside the other plugin: that has its event before a socket could be there.
  private func ourPluginHasSaid(so dispatcher: any Dispatcher) async throws {
    guard let ours = dispatcher as? Audispatchd else { return }
    try await eventually("it says that there is none", detail: { ours.messages }) {
      ours.messages.contains("af_unix: audispatch-socket: ")
    }
  }

  struct Place: Sendable {
    let arguments: String
    /// `nil`: there is no socket.
    let mode: Expected<Int?>
  }

  static let places = [
    Place(arguments: "0640 DIR/s", mode: Expected(both: 0o640)),
    Place(arguments: "DIR/s 0600", mode: Expected(both: 0o600)),
    // auditd leaves it to its umask.
    Place(arguments: "DIR/s", mode: Expected(auditd309: 0o755, ours: 0o640)),
    Place(arguments: "0640 foo", mode: Expected(both: nil)),
    Place(arguments: "0640 DIR/none/s", mode: Expected(both: nil)),
  ]

  @Test("U1 and U2, its place and mode", arguments: DispatcherKind.allCases, places.indices)
  func place(kind: DispatcherKind, _ index: Int) async throws {
    let place = Self.places[index]
    let scratch = try Scratch()
    let dispatcher = try await start(kind, place.arguments, scratch)
    if let mode = place.mode[kind] {
      try await eventually("the socket's mode") {
        let status = try? Files.status(of: scratch("s"))
        return status?.kind == .socket && status.map { Int($0.mode) } == mode
      }
    }
    try await send(1, dispatcher, scratch)
    if place.mode[kind] == nil {
      try await ourPluginHasSaid(so: dispatcher)
      #expect(!scratch.exists("s"))
    }
    try await end(dispatcher)
    #expect(!scratch.exists("s"), "it is removed at the end")
  }

  @Test("What is there and is no socket", arguments: DispatcherKind.allCases)
  func otherFile(kind: DispatcherKind) async throws {
    let scratch = try Scratch()
    try scratch.write("mine", to: "s")
    let dispatcher = try await start(kind, "0640 DIR/s", scratch)
    try await send(1, dispatcher, scratch)
    try await ourPluginHasSaid(so: dispatcher)
    switch kind {
    case .auditd309: #expect(try Files.status(of: scratch("s")).kind == .socket)
    case .ours: #expect(scratch.text("s") == "mine")
    }
    try await end(dispatcher)
  }

  @Test("U3 a client has the events from its connecting on", arguments: DispatcherKind.allCases)
  func reconnecting(kind: DispatcherKind) async throws {
    let scratch = try Scratch()
    let dispatcher = try await start(kind, "0640 DIR/s", scratch)
    // Ours is a process beside the other plugin: somebody must see what it has had.
    let witness = kind == .ours ? try await client(scratch) : nil
    func sendAndSee(_ serial: Int) async throws {
      try await send(serial, dispatcher, scratch)
      guard let witness else { return }
      try await eventually("the socket's plugin has had \(serial)") {
        witness.serials.last == serial
      }
    }
    try await sendAndSee(1)
    do {
      let first = try await client(scratch)
      // auditd gives the socket to who came first, even if that is gone.
      try await eventually("the first client has an event") {
        try await dispatcher.send([TestEvent(2)])
        return first.serials.contains(2)
      }
      #expect(!first.serials.contains(1))
    }
    try await sendAndSee(3)
    try await sendAndSee(4)
    let second = try await client(scratch)
    try await eventually("the second client has an event") {
      try await dispatcher.send([TestEvent(5)])
      return second.serials.contains(5)
    }
    #expect(Set(second.serials) == [5])
    try await end(dispatcher)
  }

  @Test("U4 binary records are as auditd's", arguments: DispatcherKind.allCases)
  func binary(kind: DispatcherKind) async throws {
    let scratch = try Scratch()
    let dispatcher = try await start(kind, "0640 DIR/s", format: "binary", scratch)
    let client = try await client(scratch)
    let event = TestEvent(7, fill: 100)
    try await eventually("a record at the client") {
      try await dispatcher.send([event])
      return client.bytes.count >= 8986
    }
    let record = client.bytes.prefix(8986)
    let expected = Binary.record(event.lines[0], fixed: true)
    #expect(
      Array(record.prefix(16 + event.lines[0].utf8.count))
        == Array(expected.prefix(16 + event.lines[0].utf8.count)))
    try await eventually("whole records") { client.bytes.count % 8986 == 0 }
    // What auditd has behind it is what its memory held.
    if kind == .ours { #expect(Data(record) == expected) }
    try await end(dispatcher)
  }

  @Test("U5 a second client", arguments: DispatcherKind.allCases)
  func two(kind: DispatcherKind) async throws {
    let scratch = try Scratch()
    let dispatcher = try await start(kind, "0640 DIR/s", scratch)
    let first = try await client(scratch)
    try await eventually("the first client has an event") {
      try await dispatcher.send([TestEvent(1)])
      return first.serials.contains(1)
    }
    let second = try await client(scratch)
    try await send(2, dispatcher, scratch)
    try await eventually("the first client has it") { first.serials.contains(2) }
    switch kind {
    case .auditd309: #expect(second.serials == [])
    case .ours: try await eventually("the second client has it") { second.serials == [2] }
    }
    try await end(dispatcher)
  }

  /// No dispatcher of ours is in it.
  @Test(arguments: ["string", "binary"])
  func `is audispatch-socket's under auditd itself too`(_ format: String) async throws {
    let scratch = try Scratch()
    let plugins = [
      PluginFile(
        "socket", Programs.product("audispatch-socket"), ["0640", scratch("s")], format: format),
      PluginFile("copy", try await Programs.plugin(), ["copy", scratch("copy")]),
    ]
    let auditd = try await RealAuditd(plugins, scratch: scratch)
    let clients = try await [client(scratch), client(scratch)]
    let events = TestEvent.stream(1..<501, records: 3, eoe: true)
    try await auditd.send(events)
    for client in clients {
      try await eventually("all events at a client", detail: { auditd.messages }) {
        client.serials.count >= 2000
      }
      #expect(
        Receipt(of: split(String(decoding: client.bytes, as: UTF8.self)), sent: events).complete
          .count == 500)
    }
    try await auditd.stop()
    try await eventually("its socket is removed") { !scratch.exists("s") }
  }
}
