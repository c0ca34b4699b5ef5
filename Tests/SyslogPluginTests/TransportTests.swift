import TestSupport
import Testing

@testable import AudispatchPlugin
@testable import SyslogSending
@testable import audispatch_syslog

@Suite("The client's side of RELP")
struct RelpSessionTests {
  static let offers = "relp_version=0\nrelp_software=audispatch-syslog,0.1.0\ncommands=syslog"
  static let agreed = "1 rsp 60 200 OK\nrelp_version=0\nrelp_software=librelp\ncommands=syslog\n"

  private func open() throws -> RelpSession {
    var session = RelpSession()
    var out: [UInt8] = []
    session.open(&out)
    #expect(text(out) == "1 open \(Self.offers.utf8.count) \(Self.offers)\n")
    #expect(session.state == .opening)
    let data = "200 OK\nrelp_version=0\nrelp_software=librelp,1.11.0\ncommands=syslog"
    #expect(try session.take(bytes("1 rsp \(data.utf8.count) \(data)\n")[...]) == 0)
    #expect(session.state == .open)
    return session
  }

  private func send(_ session: inout RelpSession, _ messages: String...) -> String {
    var out: [UInt8] = []
    for message in messages { session.send(bytes(message), &out) }
    return text(out)
  }

  @Test func `numbers messages behind its offers, and says what is done`() throws {
    var session = try open()
    #expect(send(&session, "one", "two\nlines") == "2 syslog 3 one\n3 syslog 9 two\nlines\n")
    #expect(session.outstanding == 2)
    #expect(try session.take(bytes("2 rsp 6 200 OK\n")[...]) == 1)
    #expect(try session.take(bytes("3 rsp 6 200 OK\n")[...]) == 1)
    #expect(session.outstanding == 0)
  }

  @Test func `waits for the first where a later one is answered before`() throws {
    var session = try open()
    _ = send(&session, "a", "b", "c")
    #expect(try session.take(bytes("3 rsp 6 200 OK\n4 rsp 6 200 OK\n")[...]) == 0)
    #expect(try session.take(bytes("2 rsp 6 200 OK\n")[...]) == 3)
  }

  @Test func `takes answers in pieces`() throws {
    var session = try open()
    _ = send(&session, "a", "b")
    var done = 0
    for byte in bytes("2 rsp 6 200 OK\n3 rsp 10 200 OK, ok\n") {
      done += try session.take([byte])
    }
    #expect(done == 2)
  }

  @Test func `ends when it has said so and the server has answered`() throws {
    var session = try open()
    _ = send(&session, "a")
    var out: [UInt8] = []
    session.close(&out)
    #expect(text(out) == "3 close 0\n")
    #expect(try session.take(bytes("2 rsp 6 200 OK\n")[...]) == 1)
    #expect(session.state == .closing)
    #expect(try session.take(bytes("3 rsp 0\n0 serverclose 0\n")[...]) == 0)
    #expect(session.state == .closed)
  }

  @Test func `notices that the server ends`() throws {
    var session = try open()
    _ = try session.take(bytes("0 serverclose 0\n")[...])
    #expect(session.state == .closed)
  }

  @Test(arguments: ["3 rsp 9 500 Error\n", "HTTP/1.1 400 Bad Request\r\n\r\n"])
  func `counts what was taken in front of a violation`(_ answer: String) throws {
    var session = try open()
    _ = send(&session, "a", "b")
    do throws(RelpSession.Violation) {
      _ = try session.take(bytes("2 rsp 6 200 OK\n" + answer)[...])
      Issue.record("no violation")
    } catch { #expect(error.done == 1) }
  }

  @Test(arguments: [
    "2 rsp 9 500 Error\n", "9 rsp 6 200 OK\n", "2 rsp 6 200 OK\n2 rsp 6 200 OK\n",
    "HTTP/1.1 400 Bad Request\r\n\r\n", "2 rsp 5 200 OK\n", "2 syslog 1 a\n", "x rsp 6 200 OK\n",
    "2 rsp 99999999 200 OK\n", "2 rsp 9999999999999999999 200 OK\n", "2 rsp -1 200 OK\n",
    "22222222222222222222222222222222222222222222222", "\0\0\0\0 \n",
  ])
  func `gives up a server that speaks otherwise`(_ answer: String) throws {
    var session = try open()
    _ = send(&session, "a")
    #expect(throws: RelpSession.Violation.self) { try session.take(bytes(answer)[...]) }
  }

  @Test(arguments: UInt64(1)...20)
  func `survives whatever a server says`(_ seed: UInt64) throws {
    var chance = Seeded(seed)
    func random(_ bound: UInt64) -> UInt64 { UInt64.random(in: 0..<bound, using: &chance) }
    let words = [
      "1", "2", "3", " ", " ", "\n", "rsp", "6", "200 OK", "0", "serverclose", "\0", "99",
    ]
    for _ in 0..<300 {
      var session = try open()
      _ = send(&session, "a", "b", "c")
      do throws(RelpSession.Violation) {
        for _ in 0..<random(60) {
          _ = try session.take(bytes(words[Int(random(UInt64(words.count)))])[...])
          #expect(session.outstanding <= 3)
        }
      } catch {}
    }
  }

  @Test func `escapes what a server refuses it with`() throws {
    var session = try open()
    _ = send(&session, "a")
    let refusal = "500 \u{1b}[2Jno\u{202e}"
    var expected = RelpSession.Violation(#"the server refuses: 500 \x1b[2Jno\u{202e}"#)
    expected.refused = 0
    #expect(throws: expected) {
      try session.take(bytes("2 rsp \(refusal.utf8.count) \(refusal)\n")[...])
    }
  }

  @Test func `gives up a server that does not take syslog`() throws {
    var session = RelpSession()
    var out: [UInt8] = []
    session.open(&out)
    #expect(throws: RelpSession.Violation.self) {
      try session.take(bytes("1 rsp 23 200 OK\ncommands=nothing\n")[...])
    }
  }
}

@Suite("What has arrived on a stream")
struct StreamArrivalTests {
  @Test func `is a message whose last byte was acknowledged`() {
    var arrival = StreamArrival()
    arrival.sent(upTo: 10)
    arrival.sent(upTo: 25)
    #expect(!arrival.isAwaited)
    arrival.wrote(12, raw: 12)
    arrival.wrote(13, raw: 25)
    #expect(arrival.isAwaited)
    #expect(arrival.take(9) == 0)
    #expect(arrival.take(12) == 1)
    #expect(arrival.take(24) == 0)
    #expect(arrival.take(25) == 1)
    #expect(!arrival.isAwaited)
  }

  @Test func `is reckoned in bytes on the wire`() {
    var arrival = StreamArrival()
    arrival.sent(upTo: 10)
    arrival.wrote(10, raw: 532)
    arrival.sent(upTo: 10)
    arrival.wrote(10, raw: 564)
    #expect(arrival.take(531) == 0)
    #expect(arrival.take(540) == 1)
    #expect(arrival.take(564) == 1)
  }
}

@Suite("The next server")
struct BackoffTests {
  @Test func `is tried at once, until all have failed, then later and later`() {
    var backoff = Backoff(servers: 2, from: .seconds(1), to: .seconds(5))
    var tried: [String] = []
    for _ in 0..<8 {
      let server = backoff.server
      tried.append("\(server) \(backoff.failed(wasOfUse: false).components.seconds)")
    }
    #expect(tried == ["0 0", "1 1", "0 0", "1 2", "0 0", "1 4", "0 0", "1 5"])
  }

  @Test func `is the first one when a good connection is lost`() {
    var backoff = Backoff(servers: 3, from: .seconds(1), to: .seconds(5))
    _ = backoff.failed(wasOfUse: false)
    #expect(backoff.server == 1)
    #expect(backoff.failed(wasOfUse: true) == .zero)
    #expect(backoff.server == 0)
  }
}

@Suite("Messages that wait")
struct MessageQueueTests {
  private let tokens = (1...9).map { DeliveryToken(place: $0) }

  @Test func `are sent in order, and done with their tokens`() {
    var queue = MessageQueue()
    queue.append([1], token: nil)
    queue.append([2, 2], token: tokens[0])
    queue.append([3], token: tokens[1])
    #expect(queue.next() == [1] && queue.next() == [2, 2])
    #expect(queue.sent == 2 && queue.unsent == 1 && queue.bytes == 4)
    #expect(queue.finish(1) == nil)
    #expect(queue.finish(1) == tokens[0])
    #expect(queue.bytes == 1 && queue.count == 1)
  }

  @Test func `are sent again from the first that is not done`() {
    var queue = MessageQueue()
    for byte in UInt8(1)...5 { queue.append([byte], token: nil) }
    for _ in 0..<4 { _ = queue.next() }
    _ = queue.finish(2)
    #expect(queue.startOver() == 2)
    #expect(
      queue.next() == [3] && queue.next() == [4] && queue.next() == [5] && queue.next() == nil)
  }

  @Test func `can be set aside, and put back to where they were`() {
    var queue = MessageQueue()
    for place in 0..<3 { queue.append([1], token: tokens[place], serial: UInt64(place)) }
    _ = queue.next()
    #expect(queue.finish(1) == tokens[0])
    let aside = queue.setAside()
    #expect(aside?.serial == 1 && queue.count == 1 && queue.bytes == 1)
    #expect(queue.setAside()?.serial == nil)
    queue.putBack(aside!)
    #expect(queue.count == 2 && queue.bytes == 2)
    _ = queue.next()
    #expect(queue.finish(1) == tokens[1])
  }

  @Test func `keep little of what is done`() {
    var queue = MessageQueue()
    for number in 0..<10_000 {
      queue.append([UInt8(truncatingIfNeeded: number)], token: tokens[0])
      _ = queue.next()
      #expect(queue.finish(1) == tokens[0])
    }
    #expect(queue.count == 0 && queue.bytes == 0)
  }
}
