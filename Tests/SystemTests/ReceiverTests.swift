import Foundation
import Linux
import RemoteProtocol
import Testing

/// audispatch-receive, with a test in the place of audispatchd.
private final class Receiver {
  let port: UInt16
  private let child: Child
  private let channel: PacketChannel
  private var buffer = [UInt8](repeating: 0, count: PacketChannel.limit)
  /// Records that it has passed on.
  private(set) var records = 0

  /// Takes peers over TLS that have that key.
  init(_ scratch: Scratch, identity: String, key: String) throws {
    let ends = try MessageChannel.pair()
    let ourEnd = ends.ours
    let theirEnd = ends.theirs
    ourEnd.setNonblocking(true)
    channel = PacketChannel(owning: ourEnd)
    child = try Child(
      Programs.product("audispatch-receive"), [], input: theirEnd.number,
      error: scratch("receiver.err"))
    let address = try #require(
      InternetAddress.resolve("127.0.0.1", port: 0, numeric: true).first)
    let socket = try address.listen(backlog: 8)
    port = try socket.boundPort()
    let file = try Descriptor.open(scratch.write(key + "\n", to: "key", mode: 0o400), O_RDONLY)
    order(
      .begin(
        .init(
          connections: 8, perAddress: 8, firstPort: 0, lastPort: 0, idleMilliseconds: 0,
          files: [])))
    order(.sharedKey(identity: identity), file.number)
    order(.apply)
    order(.listener(source: 0, isSecure: true), socket.number)
  }

  func order(_ order: ReceiverOrder, _ descriptor: Int32? = nil) {
    var packet: [UInt8] = []
    order.append(to: &packet)
    #expect(channel.send(packet, descriptor.map { [$0] } ?? []) == .bytes(packet.count))
  }

  /// Takes what it says within that time, and what follows at once.
  ///
  /// - Returns: whether it said anything.
  func hear(within time: Duration) -> Bool {
    var said = 0
    guard Poll.readable([channel.number], within: time)[0] else { return false }
    while case .packet(let count, _, _) = channel.receive(into: &buffer) {
      let items = ReceiverItem.all(in: buffer[..<count]) ?? []
      said += items.count
      for case .record in items { records += 1 }
    }
    return said > 0
  }
}

@Suite(
  "What a peer has sent", .inTurn, .enabled(if: Host.isRoot, "needs root"),
  .enabled(if: Host.has("/usr/bin/openssl"), "needs openssl"))
struct ReceiverTests {
  /// Records of 64 bytes that fill one record of TLS.
  private static func block(_ numbers: Range<Int>) -> [UInt8] {
    numbers.flatMap { number in
      let line = ReceiveTests.line(number)
      return RawPeer.message(
        0, UInt32(number), line + String(repeating: " ", count: 47 - line.utf8.count) + "\n")
    }
  }

  /// What is read of a record of TLS leaves the rest of it in OpenSSL's memory, which no poll shows.
  @Test func `is read to its end over TLS, however little is safe at a time`() throws {
    let scratch = try Scratch()
    let key = String(repeating: "a1", count: 32)
    let receiver = try Receiver(scratch, identity: "k", key: key)
    let peers = try (0..<2).map { _ in
      try SecurePeer(port: receiver.port, ["-tls1_3", "-psk_identity", "k", "-psk", key])
    }
    let (size, blocks) = (256, 3)
    let wanted = peers.count * blocks * size
    func send(block: Int) throws {
      for peer in peers {
        try peer.peer.say(Self.block(block * size + 1..<(block + 1) * size + 1))
      }
    }
    try send(block: 0)
    while receiver.records < peers.count * size {
      guard receiver.hear(within: .seconds(10)) else { break }
    }
    for block in 1..<blocks { try send(block: block) }
    // One by one: so often there is room for none of what was read.
    var safe = 0
    while safe < wanted {
      if safe < receiver.records {
        safe += 1
        receiver.order(.ok(UInt64(safe)))
        _ = receiver.hear(within: .milliseconds(1))
      } else if !receiver.hear(within: .seconds(10)) {
        break
      }
    }
    #expect(receiver.records == wanted)
    #expect(safe == wanted)
    if safe < wanted { return }
    for peer in peers {
      try ReceiveTests.expectAcknowledged(peer.peer, 1...UInt32(blocks * size))
    }
  }
}
