import Foundation
import Testing

/// audispatch-receive that lives, and does nothing.
@Suite("A receiver that stands still", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct StoppedReceiverTests {
  private func waitUntilSaid(_ text: String, _ host: CentralHost) async throws {
    try await eventually(
      "'\(text)' is said", within: .seconds(60), detail: { host.daemon.messages }
    ) {
      host.daemon.messages.contains(text)
    }
  }

  @Test func `is reported, killed and replaced, and what it had is stored once`() async throws {
    let host = try await CentralHost(Scratch())
    let peer = try host.peer()
    try peer.say(RawPeer.message(1, 1, "audispatch 1 1 web1/remote"))
    _ = try peer.reply()
    for number in 1...20 { try peer.record(ReceiveTests.line(number), UInt32(number)) }
    try ReceiveTests.expectAcknowledged(peer, 1...20)
    let receiver = try #require(host.receivers.first)
    #expect(kill(receiver, SIGSTOP) == 0)
    // Taken by the kernel, and by nobody else.
    for number in 21...40 { try peer.record(ReceiveTests.line(number), UInt32(number)) }
    try await waitUntilSaid("audispatch-receive (process \(receiver)) has not answered for", host)
    try await waitUntilSaid("it is killed, and started anew", host)
    try await eventually("another one serves", within: .seconds(60)) {
      guard let next = host.receivers.first, next != receiver else { return false }
      guard let peer = try? host.peer() else { return false }
      guard (try? peer.say(RawPeer.message(1, 1))) != nil else { return false }
      return (try? peer.reply()) != nil
    }
    #expect(try peer.isEnded())
    let again = try host.peer()
    try again.say(RawPeer.message(1, 1, "audispatch 1 21 web1/remote"))
    #expect(try again.reply()?.text == "audispatch 1 has 20")
    for number in 21...40 { try again.record(ReceiveTests.line(number), UInt32(number)) }
    try ReceiveTests.expectAcknowledged(again, 21...40)
    try await host.expectStored((1...40).map { ReceiveTests.line($0) })
    try await host.stop()
  }

  @Test func `and goes on in time is reported, and goes on`() async throws {
    let host = try await CentralHost(Scratch())
    let peer = try host.peer()
    let receiver = try #require(host.receivers.first)
    #expect(kill(receiver, SIGSTOP) == 0)
    try peer.record(ReceiveTests.line(1), 1)
    try await waitUntilSaid("peers wait, and keep what they send", host)
    #expect(kill(receiver, SIGCONT) == 0)
    try ReceiveTests.expectAcknowledged(peer, [1])
    try await waitUntilSaid("audispatch-receive answers again", host)
    #expect(host.receivers == [receiver])
    try await host.expectStored([ReceiveTests.line(1)])
    try await host.stop()
  }

  /// As when all of it is frozen, and goes on.
  @Test func `beside a dispatcher that stood still itself is not given up`() async throws {
    let host = try await CentralHost(Scratch())
    let receiver = try #require(host.receivers.first)
    let worker = host.daemon.worker ?? host.daemon.child.pid
    for pid in [worker, receiver] { #expect(kill(pid, SIGSTOP) == 0) }
    try await Task.sleep(for: .seconds(15))
    for pid in [worker, receiver] { #expect(kill(pid, SIGCONT) == 0) }
    let peer = try host.peer()
    try peer.record(ReceiveTests.line(1), 1)
    try ReceiveTests.expectAcknowledged(peer, [1])
    try await Task.sleep(for: .seconds(3))
    #expect(host.receivers == [receiver])
    #expect(!host.daemon.messages.contains("has not answered"))
    try await host.stop()
  }
}
