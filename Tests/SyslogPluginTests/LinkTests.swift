import Foundation
import Linux
import SecureChannel
import TestSupport
import Testing

@testable import AudispatchPlugin
@testable import SyslogSending
@testable import audispatch_syslog

@Suite("A connection")
struct LinkTests {
  private func outlet(_ arguments: String...) throws -> Outlet {
    try Outlet(settled(arguments + ["--retry-delay", "0.1"]).options.servers)
  }

  /// Advances until something is so; whether it became so.
  private func advance(
    _ outlet: inout Outlet, until isSo: (borrowing Outlet, DeliveryToken?) -> Bool
  ) -> Bool {
    let end = MonotonicTime.now + .seconds(20)
    while MonotonicTime.now < end {
      let token = outlet.advance()
      if isSo(outlet, token) { return true }
      outlet.wait(atMost: .milliseconds(50))
    }
    return false
  }

  @Test func `over UDP wakes nobody when nobody listens`() throws {
    // Bound and let go: nothing listens there.
    let port = try Loopback(stream: false).port
    var outlet = try outlet("--server", "udp://127.0.0.1:\(port)")
    outlet.append(bytes("a"), token: nil)
    #expect(advance(&outlet) { outlet, _ in outlet.done == 1 })
    _ = outlet.advance()
    let reports = outlet.takeReports().map(\.1)
    #expect(reports.contains { $0.contains("Connection refused") }, "\(reports)")
    let begun = MonotonicTime.now
    outlet.wait(atMost: .milliseconds(300))
    #expect(MonotonicTime.now - begun >= .milliseconds(300))
  }

  @Test func `over UDP goes on with the next address of a name`() throws {
    let other = try Loopback(stream: false)
    // Bound and let go: nothing listens there.
    let port = try Loopback(stream: false).port
    let addresses = try [port, other.port].flatMap { port in
      try InternetAddress.resolve("127.0.0.1", port: port, numeric: true)
    }
    let server = ServerAddress(kind: .udp, host: "h", port: port)
    let link = UDPLink(server, try .known(addresses), MonotonicTime.now, .seconds(1))
    var queue = MessageQueue()
    for text in ["a", "b"] { queue.append(bytes(text), token: nil) }
    var done = 0
    let end = MonotonicTime.now + .seconds(20)
    while link.generation < 2, MonotonicTime.now < end {
      try link.advance(&queue, MonotonicTime.now, &done)
    }
    queue.append(bytes("c"), token: nil)
    try link.advance(&queue, MonotonicTime.now, &done)
    #expect(link.generation == 2 && done == 3)
    #expect(["b", "c"].contains(text(other.receive())))
  }

  /// The marks of what arrived, which RELP needs none of, were kept for ever and asked after.
  @Test func `over RELP waits for no moment once all is answered`() throws {
    let server = try Loopback(stream: true)
    var outlet = try outlet("--server", "relp://127.0.0.1:\(server.port)")
    outlet.append(bytes("a"), token: nil)
    try #require(advance(&outlet) { _, _ in server.isAsked })
    let connection = server.accept()
    connection.say("1 rsp 37 200 OK\nrelp_version=0\ncommands=syslog\n")
    #expect(advance(&outlet) { outlet, _ in outlet.connections == 1 })
    connection.say("2 rsp 6 200 OK\n")
    #expect(advance(&outlet) { outlet, _ in outlet.done == 1 })
    #expect(outlet.deadline == nil)
  }

  /// Refused again and again: the second message alone, or all that come.
  @Test(arguments: [true, false])
  func `over RELP leaves out what is refused three times while others are taken`(
    takesOthers: Bool
  ) throws {
    let server = try Loopback(stream: true)
    var outlet = try outlet(
      "--server", "relp://127.0.0.1:\(server.port)", "--retry-delay", "0.01", "--retry-delay-max",
      "0.01")
    for place in 1...3 {
      outlet.append(
        bytes("m\(place)"), token: DeliveryToken(place: UInt64(place)), serial: UInt64(70 + place))
    }
    var reports: [String] = []
    var token: DeliveryToken?
    for attempt in 1...4 {
      try #require(advance(&outlet) { _, _ in server.isAsked })
      let connection = server.accept()
      connection.say("1 rsp 37 200 OK\nrelp_version=0\ncommands=syslog\n")
      #expect(advance(&outlet) { outlet, _ in outlet.connections == attempt })
      // The first is taken at first; what is refused is the second, and the third if it comes alone.
      let answer = attempt == 1 ? "2 rsp 6 200 OK\n3 rsp 9 500 ERROR\n" : "2 rsp 9 500 ERROR\n"
      let isLast = attempt == 4 && takesOthers
      connection.say(isLast ? "2 rsp 6 200 OK\n" : answer)
      let again = outlet.sentAgain
      #expect(
        advance(&outlet) { outlet, done in
          token = done ?? token
          return isLast ? outlet.waiting == 0 : outlet.sentAgain > again
        })
      reports += outlet.takeReports().map(\.1)
    }
    let left =
      "the message of event 72 is left out, refused 3 times: the server refuses: 500 ERROR"
    #expect(reports.contains(left) == takesOthers)
    #expect(outlet.refused == (takesOthers ? 1 : 0))
    #expect(outlet.waiting == (takesOthers ? 0 : 2))
    #expect(token == DeliveryToken(place: takesOthers ? 3 : 1))
    #expect(!reports.contains { $0.contains("no server can be reached") }, "\(reports)")
  }

  @Test func `to a stream of this host ends messages with NUL, and notices its end`() throws {
    let path = NSTemporaryDirectory() + "audispatch-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let listener = try UnixSocket.listen(path, mode: 0o600)
    var outlet = try outlet("--server", "unix:" + path)
    for text in ["one", "two"] { outlet.append(bytes(text), token: nil) }
    #expect(advance(&outlet) { outlet, _ in outlet.done == 2 })
    do {
      guard let connection = UnixSocket.accept(listener.number) else { throw Errno.current }
      #expect(connection.hear(8) == bytes("one\0two\0"))
    }
    #expect(
      advance(&outlet) { _, _ in UnixSocket.accept(listener.number) != nil },
      "it connects anew")
    #expect(outlet.takeReports().contains { $0.1.contains("ended the connection") })
  }

  @Test func `to a stream of this host takes records as they are, too`() throws {
    let path = NSTemporaryDirectory() + "audispatch-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let listener = try UnixSocket.listen(path, mode: 0o600)
    var socket = LocalSocket(path: path, retryDelay: .milliseconds(10))
    let lines = [DatagramSocket.Line(0..<3), DatagramSocket.Line(4..<7)]
    #expect(socket.send(bytes("<1>"), lines[...], of: bytes("a\u{1d}b\ncde")) == .bytes(2))
    guard let connection = UnixSocket.accept(listener.number) else { throw Errno.current }
    #expect(connection.hear(14) == bytes("<1>a b\0<1>cde\0"))
  }

  @Test(arguments: ["0 serverclose 0\n", "", "not RELP\n"])
  func `over RELP counts an answer that the server's end comes with`(_ last: String) throws {
    let server = try Loopback(stream: true)
    var outlet = try outlet("--server", "relp://127.0.0.1:\(server.port)")
    let token = DeliveryToken(place: 1)
    outlet.append(bytes("a"), token: token)
    _ = outlet.advance()
    var isOpen = false
    do {
      let connection = server.accept()
      connection.say("1 rsp 37 200 OK\nrelp_version=0\ncommands=syslog\n")
      isOpen = advance(&outlet) { outlet, _ in outlet.connections == 1 }
      connection.say("2 rsp 6 200 OK\n" + last)
    }
    #expect(isOpen)
    #expect(advance(&outlet) { _, done in done == token })
    #expect(outlet.waiting == 0 && outlet.sentAgain == 0)
  }
}
