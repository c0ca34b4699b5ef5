import Linux
import RemoteProtocol

/// The connection to audispatchd: items go in packets, as many together as came together.
final class Link {
  /// A packet that has so much goes on its way.
  private static let packetBytes = 32 << 10

  private let channel: PacketChannel
  private var packet: [UInt8] = []
  private var packets: [[UInt8]] = []
  private var buffer = [UInt8](repeating: 0, count: PacketChannel.limit)
  /// audispatchd does not read what there is; nothing more is to be put in.
  private(set) var isFull = false

  init(_ channel: consuming PacketChannel) { self.channel = channel }

  var number: Int32 { channel.number }

  func put(_ item: ReceiverItem) {
    item.append(to: &packet)
    sendIfLong()
  }

  func putRecord(peer: UInt32, sequence: UInt32, payload: [UInt8]) {
    ReceiverItem.appendRecord(peer: peer, sequence: sequence, payload: payload, to: &packet)
    sendIfLong()
  }

  private func sendIfLong() {
    guard packet.count >= Self.packetBytes else { return }
    packets.append(packet)
    packet.removeAll(keepingCapacity: true)
    flush()
  }

  /// Sends what is there, as far as it is taken.
  func flush() {
    if packets.isEmpty, packet.isEmpty { return isFull = false }
    if !packet.isEmpty {
      packets.append(packet)
      packet.removeAll(keepingCapacity: true)
    }
    var sent = 0
    loop: for next in packets {
      switch channel.send(next) {
      case .bytes: sent += 1
      case .wouldBlock: break loop
      // Its end is seen where it is read from.
      case .failed: break loop
      }
    }
    packets.removeFirst(sent)
    isFull = !packets.isEmpty
  }

  enum Received: ~Copyable {
    case orders([ReceiverOrder], Descriptor?)
    case nothing
    case ended
  }

  /// The next orders, and the descriptor that belongs to the first.
  func receive() -> Received {
    switch channel.receive(into: &buffer) {
    case .nothing: return .nothing
    case .ended: return .ended
    case .packet(let count, let file, _):
      // A packet of somebody else's is as good as an end.
      guard let orders = ReceiverOrder.all(in: buffer[..<count]) else { return .ended }
      return .orders(orders, file)
    }
  }
}
