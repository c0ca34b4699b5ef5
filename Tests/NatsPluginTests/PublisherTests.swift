import Linux
import PluginHarness
import Shipping
import Synchronization
import TestSupport
import Testing

@testable import audispatch_nats

@Suite(
  "Looking up what a stream has", .onThreads,
  .enabled(if: NatsServer.isHere, "\(NatsServer.why)"))
struct PublisherTests {
  private static func messages(
    _ nodes: [String], _ serials: ClosedRange<Int>
  ) -> [OutgoingMessage] {
    nodes.flatMap { node in
      serials.map { serial in
        OutgoingMessage(
          subject: "audit.\(node).x", node: Array(node.utf8), id: Array("\(node):1:\(serial)".utf8),
          body: [0x7b, 0x7d], milliseconds: 1_700_000_000_000)
      }
    }
  }

  private static func ids(_ messages: [OutgoingMessage]) -> Set<[UInt8]> {
    Set(messages.map(\.id))
  }

  /// Stores messages as a process before this one, so long ago that a stream with a window of a second
  /// may have forgotten them.
  private static func store(_ messages: [OutgoingMessage], _ server: NatsServer) throws {
    let client = try StreamClient(try server.options())
    defer { client.close() }
    try client.open()
    #expect(client.publish(messages).published.fates == messages.map { _ in .stored })
    Pause.nanoseconds(600_000_000)
  }

  @Test func `finds each message of more nodes than it remembers, and no other`() throws {
    let server = try NatsServer()
    try server.makeStream(StreamState(window: .seconds(1)))
    let there = Self.messages(["a", "b", "c"], 1...3)
    try Self.store(there, server)
    let publisher = try StreamPublisher(try server.options(), mostKnown: 4)
    defer { publisher.close() }
    let new = Self.messages(["b", "c"], 4...5)
    for _ in 1...2 {
      #expect(
        try publisher.prepare(there + new, areDoubtful: true) == FoundBefore(Self.ids(there)))
    }
    let some = Self.messages(["a", "c"], 2...2)
    #expect(try publisher.prepare(some, areDoubtful: true) == FoundBefore(Self.ids(some)))
    // From now on the last message is a new one, and those before it may be forgotten all the same.
    #expect(publisher.publish(new) { _ in }.fates == new.map { _ in .stored })
    #expect(
      try publisher.prepare(there + new, areDoubtful: true).ids.isSuperset(of: Self.ids(there)))
  }

  @Test func `stores what others publish at the same time in this process`() throws {
    let server = try NatsServer()
    try server.makeStream()
    let sides = try ["a", "b", "c"].map { node in
      Side(Self.messages([node], 1...200), try server.options())
    }
    for side in sides { try WorkThread(side).detach() }
    for side in sides {
      while side.isUnderWay { Pause.nanoseconds(10_000_000) }
      #expect(side.fates == Array(repeating: .stored, count: 200))
    }
    #expect(try server.ids(of: "audit.b.x") == (1...200).map { "b:1:\($0)" })
  }

  @Test func `keeps what is found when a node's messages cannot be looked up`() throws {
    let server = try NatsServer()
    try server.ask(
      "STREAM.CREATE.AUDIT",
      [
        "name": "AUDIT", "subjects": ["audit.*.*"], "duplicate_window": 1_000_000_000,
        "max_consumers": 1,
      ])
    let (a, b) = (Self.messages(["a"], 1...3), Self.messages(["b"], 1...3))
    try Self.store(a + b, server)
    let publisher = try StreamPublisher(try server.options())
    defer { publisher.close() }
    #expect(try publisher.prepare(b, areDoubtful: true) == FoundBefore(Self.ids(b)))
    // Nobody may have another one now.
    try server.ask(
      "CONSUMER.DURABLE.CREATE.AUDIT.other",
      [
        "stream_name": "AUDIT", "config": ["durable_name": "other", "ack_policy": "explicit"],
      ])
    let found = try publisher.prepare(a + b, areDoubtful: true)
    #expect(found.ids == Self.ids(b))
    #expect(found.notLookedUp?.contains("consumers") == true, "\(found.notLookedUp ?? "")")
    try server.ask("CONSUMER.DELETE.AUDIT.other", [:])
    #expect(try publisher.prepare(a + b, areDoubtful: true) == FoundBefore(Self.ids(a + b)))
  }

  @Test func `waits once for an answer where it may not ask, however many nodes there are`() throws
  {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let (server, user) = try NatsServer.denying(
      ["$JS.API.STREAM.MSG.GET.>"], folder)
    let options = try server.options(user + ["answer_time = 0.5"])
    let client = try StreamClient(options)
    defer { client.close() }
    try client.open()
    try client.make(StreamState(window: .seconds(60)), for: "audit.*.*")
    let publisher = try StreamPublisher(options)
    defer { publisher.close() }
    let messages = Self.messages((0..<20).map { "n\($0)" }, 1...1)
    let began = Moment.now
    let found = try publisher.prepare(messages, areDoubtful: true)
    #expect(Moment.now - began < .seconds(5))
    #expect(found.ids == [])
    #expect(found.notLookedUp?.contains("ermission") == true, "\(found.notLookedUp ?? "")")
  }
}

/// What publishes beside others.
private final class Side: ThreadWork {
  private let answers = Mutex<[MessageFate]?>(nil)
  private let messages: [OutgoingMessage]
  private let options: NatsOptions

  init(_ messages: [OutgoingMessage], _ options: NatsOptions) {
    self.messages = messages
    self.options = options
  }

  var isUnderWay: Bool { answers.withLock { $0 == nil } }
  var fates: [MessageFate] { answers.withLock { $0 ?? [] } }

  func run() {
    let fates = publish()
    answers.withLock { $0 = fates }
  }

  private func publish() -> [MessageFate] {
    guard let client = try? StreamClient(options) else { return [] }
    defer { client.close() }
    guard (try? client.open()) != nil else { return [] }
    return stride(from: 0, to: messages.count, by: 4).flatMap { start in
      client.publish(Array(messages[start..<start + 4])).published.fates
    }
  }
}
