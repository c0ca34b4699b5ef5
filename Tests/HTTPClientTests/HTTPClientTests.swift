import Foundation
import HTTPClient
import Linux
import PluginHarness
import TestSupport
import Testing

@Suite("HTTP requests", .onThreads)
struct HTTPClientTests {
  static func ask(
    _ client: HTTPClient, _ request: HTTPRequest, number: UInt64 = 1
  ) -> HTTPAnswer? {
    client.send(request, number: number)
    for _ in 0..<60 {
      if let (answered, answer) = client.takeAnswers().first {
        #expect(answered == number)
        return answer
      }
      _ = Poll.wait(client.number, for: .read, milliseconds: 1000)
    }
    return nil
  }

  static func bulk(_ server: StandInIndex, _ ids: ClosedRange<Int>, fill: Int = 0) -> HTTPRequest {
    let lines = ids.map {
      "{\"create\":{\"_id\":\"\($0)\"}}\n{\"a\":\"\(String(repeating: "x", count: fill))\"}\n"
    }
    return HTTPRequest(
      .post, "\(server.url)/i/_bulk", headers: ["Content-Type: application/x-ndjson"],
      body: Array(lines.joined().utf8))
  }

  @Test func `bring the answer, whatever its status`() throws {
    let server = try StandInIndex()
    let client = try HTTPClient(HTTPSettings(agent: "test"))
    defer { client.stop() }
    guard case .status(let status, let body, _) = Self.ask(client, HTTPRequest(.get, server.url))
    else { throw Errno(ENOMSG) }
    #expect(status == 200)
    #expect(String(decoding: body, as: UTF8.self).contains("You Know, for Search"))
    guard
      case .status(let missing, _, _) = Self.ask(
        client, HTTPRequest(.head, "\(server.url)/nothing"))
    else { throw Errno(ENOMSG) }
    #expect(missing == 404)
  }

  @Test(arguments: [0, 1, 9]) func `are compressed as hard as was asked`(_ level: Int) throws {
    let server = try StandInIndex()
    let client = try HTTPClient(HTTPSettings(agent: "test"))
    defer { client.stop() }
    var request = Self.bulk(server, 1...50, fill: 500)
    request.compression = level
    guard case .status(200, _, _) = Self.ask(client, request) else { throw Errno(ENOMSG) }
    #expect(try server.count() == 50)
    let headers = try #require(try server.ask([:])["headers"] as? [String: String])
    #expect((headers["Content-Encoding"] == "gzip") == (level > 0))
    let length = try #require(Int(headers["Content-Length"] ?? ""))
    #expect(level == 0 ? length > 25_000 : length < 2000)
  }

  @Test func `leave no connection behind when their client stops`() throws {
    let server = try Loopback(stream: true)
    let client = try HTTPClient(HTTPSettings(agent: "test"))
    client.send(HTTPRequest(.get, "http://127.0.0.1:\(server.port)/"), number: 1)
    let connection = server.accept()
    #expect(String(decoding: connection.hear(4096), as: UTF8.self).hasPrefix("GET / "))
    connection.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    #expect(Poll.wait(client.number, for: .read, milliseconds: 10_000))
    #expect(client.takeAnswers().count == 1)
    #expect(!Poll.wait(connection.number, for: .read, milliseconds: 200), "it is kept")
    client.stop()
    #expect(Poll.wait(connection.number, for: .read, milliseconds: 10_000))
    #expect(connection.hear(1).isEmpty)
  }

  @Test func `run together`() throws {
    let server = try StandInIndex()
    let client = try HTTPClient(HTTPSettings(agent: "test"))
    defer { client.stop() }
    for number in 1...20 { client.send(Self.bulk(server, number...number), number: UInt64(number)) }
    var answered: [UInt64] = []
    for _ in 0..<60 where answered.count < 20 {
      answered += client.takeAnswers().map(\.number)
      _ = Poll.wait(client.number, for: .read, milliseconds: 1000)
    }
    #expect(answered.sorted() == Array(1...20))
    #expect(try server.count() == 20)
  }

  @Test func `that reached nobody say so`() throws {
    let client = try HTTPClient(HTTPSettings(agent: "test"))
    defer { client.stop() }
    // Nobody listens at port 1 of the loopback.
    for url in ["http://127.0.0.1:1/", "http://name.invalid/", "ftp://127.0.0.1/"] {
      guard
        case .failed(let why, let mayHaveArrived) = Self.ask(client, HTTPRequest(.get, url))
      else { throw Errno(ENOMSG) }
      #expect(!why.isEmpty && !mayHaveArrived, "\(url): \(why)")
    }
  }

  @Test func `that may have been done say so, and are never sent twice`() throws {
    let server = try StandInIndex()
    let client = try HTTPClient(HTTPSettings(agent: "test"))
    defer { client.stop() }
    // Over a new connection, and over one that is kept.
    for (step, ids) in [1...1, 2...2, 3...3].enumerated() {
      try server.set(["die_after": step == 1 ? 0 : 1000])
      let answer = Self.ask(client, Self.bulk(server, ids))
      if step == 1 {
        guard case .status = answer else { throw Errno(ENOMSG) }
      } else {
        guard case .failed(_, mayHaveArrived: true) = answer else { throw Errno(ENOMSG) }
      }
    }
    #expect(try server.requests("_bulk") == 3)
    #expect(try server.count() == 3)
  }

  @Test func `take no answer beyond its bound, nor beyond its time`() throws {
    let server = try StandInIndex()
    let client = try HTTPClient(HTTPSettings(agent: "test"))
    defer { client.stop() }
    var request = Self.bulk(server, 1...50)
    request.answerLimit = 100
    guard case .failed(_, mayHaveArrived: true) = Self.ask(client, request) else {
      throw Errno(ENOMSG)
    }
    try server.set(["slow": 20])
    request = Self.bulk(server, 51...60)
    request.time = .milliseconds(300)
    guard case .failed(_, mayHaveArrived: true) = Self.ask(client, request) else {
      throw Errno(ENOMSG)
    }
  }
}
