import AudispatchPlugin
import Glibc
import Linux
import Synchronization
import TestSupport
import Testing

@testable import audispatch_json

@Suite("A connection to another host", .onThreads)
struct HostConnectionTests {
  /// A name server that says nothing until it is told to.
  private final class NameServer: Sendable {
    private let state = Mutex((asked: 0, answer: HostConnection.Answer?.none))

    var asked: Int { state.withLock { $0.asked } }
    func say(_ answer: HostConnection.Answer) { state.withLock { $0.answer = answer } }

    func resolve() -> HostConnection.Answer {
      state.withLock { $0.asked += 1 }
      while true {
        if let answer = state.withLock({ $0.answer }) { return answer }
        Pause.nanoseconds(1_000_000)
      }
    }
  }

  private static func addresses(_ ports: UInt16...) throws -> [InternetAddress] {
    try ports.flatMap { try InternetAddress.resolve("127.0.0.1", port: $0, numeric: true) }
  }

  /// Goes on until it is there, or fails.
  private static func connected(
    _ connection: HostConnection
  ) throws(DestinationFailure) -> Opened? {
    for _ in 0..<2000 {
      if let opened = try connection.advance(MonotonicTime.now) { return opened }
      guard let waiting = connection.waiting else { return nil }
      _ = Poll.wait(waiting.descriptor, for: waiting.interest, milliseconds: 10)
    }
    return nil
  }

  @Test func `waits for no name server, and says after ten seconds that it is silent`() throws {
    let (names, server) = (NameServer(), try Loopback(stream: true))
    let connection = HostConnection("log.example.org", 1) { _, _ in names.resolve() }
    let began = MonotonicTime.now
    #expect(try connection.advance(.seconds(100)) === nil)
    #expect(connection.waiting?.until == .seconds(110))
    #expect(try connection.advance(.seconds(109)) === nil)
    let silent = DestinationFailure(
      text: "cannot resolve log.example.org: no answer within 10 s")
    #expect(throws: silent) { try connection.advance(.seconds(110)) }
    connection.giveUp()
    // It is not asked once more while it is silent.
    #expect(try connection.advance(.seconds(120)) === nil)
    #expect(connection.waiting?.until == .seconds(130))
    #expect(MonotonicTime.now - began < .seconds(5))
    connection.giveUp()
    names.say(.success(try Self.addresses(server.port)))
    #expect(try Self.connected(connection) !== nil)
    #expect(names.asked == 1)
  }

  @Test func `asks a name server anew when its answer was none`() throws {
    let names = NameServer()
    let connection = HostConnection("nowhere.example", 1) { _, _ in names.resolve() }
    names.say(.success([]))
    #expect(
      throws: DestinationFailure(text: "cannot connect to nowhere.example port 1: no address")
    ) {
      try Self.connected(connection)
    }
    let server = try Loopback(stream: true)
    names.say(.success(try Self.addresses(server.port)))
    #expect(try Self.connected(connection) !== nil)
    #expect(names.asked == 2)
  }

  @Test func `tries the next address where one is not served`() throws {
    // Bound and let go: nothing listens there.
    let closed = try Loopback(stream: true).port
    let server = try Loopback(stream: true)
    let found = try Self.addresses(closed, server.port)
    let connection = HostConnection("log.example.org", 1) { _, _ in .success(found) }
    let opened = try Self.connected(connection)
    #expect(opened !== nil)
    #expect(server.isAsked)
    let none = HostConnection("127.0.0.1", closed)
    let refused = DestinationFailure(
      text: "cannot connect to 127.0.0.1 port \(closed): Connection refused")
    #expect(throws: refused) { try Self.connected(none) }
  }

  @Test func `gives up an address that does not answer`() throws {
    // A queue that is full: what comes is not accepted.
    let server = try Loopback(stream: true, waiting: 0)
    var fillers: [Opened] = []
    for address in try Self.addresses(server.port, server.port, server.port) {
      fillers.append(Opened(try address.beginStream()))
    }
    let connection = HostConnection("127.0.0.1", server.port)
    let now = MonotonicTime.now
    try #require(try connection.advance(now) === nil)
    let silent = DestinationFailure(
      text: "cannot connect to 127.0.0.1 port \(server.port): does not answer")
    #expect(connection.waiting?.until == now + .seconds(2))
    #expect(throws: silent) { try connection.advance(now + .seconds(2)) }
    #expect(fillers.count == 3)
  }
}
