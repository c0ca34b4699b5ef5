import Foundation
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

/// What a client, or whoever sends signals, may do without costing anybody anything.
@Suite("audispatch-socket", .onThreads)
struct SocketClientTricksTests {
  /// Hundredths of a second of processor time in half a second.
  private func ticks(_ run: PluginRun) async throws -> Int {
    func taken() throws -> Int {
      let stat = try String(contentsOfFile: "/proc/\(run.pid)/stat", encoding: .utf8)
      let fields = stat.drop { $0 != ")" }.split(separator: " ")
      return try #require(Int(fields[12])) + #require(Int(fields[13]))
    }
    let before = try taken()
    try await Task.sleep(for: .milliseconds(500))
    return try taken() - before
  }

  @Test func `rests with a client that has sent an urgent byte, and feeds it`() async throws {
    let run = try SocketPluginTests.run("0600", "DIR/s")
    let first = try SocketPluginTests.client(run)
    let socket = try UnixSocket.connect("\(run.folder)/s")
    var byte = UInt8(ascii: "!")
    #expect(unsafe send(socket.number, &byte, 1, Int32(MSG_OOB)) == 1)
    try run.send([SocketPluginTests.record(1)])
    #expect(first.await(":1): x=\n"))
    #expect(try await ticks(run) < 10)
    #expect(Poll.readable([socket.number], within: .seconds(60)) == [true])
    try run.send([SocketPluginTests.record(2)])
    #expect(first.await(":2): x=\n"))
    run.close()
    #expect(run.end() == .exit(0))
  }

  @Test func `goes on through any number of SIGHUP`() throws {
    let run = try SocketPluginTests.run("0600", "DIR/s")
    let client = try SocketPluginTests.client(run)
    for serial in 1...100 {
      run.signal(SIGHUP)
      try run.send([SocketPluginTests.record(serial)])
    }
    #expect(client.await(":100): x=\n"))
    #expect(client.lines == (1...100).map { SocketPluginTests.record($0) })
    run.close()
    #expect(run.end() == .exit(0))
  }
}
