import Configuration
import Glibc
import Linux
import RemoteProtocol

/// audispatch-receive as a child: its process, the connection to it, and what it prints.
final class ReceiverProcess {
  private static let nobody: UInt32 = 65_534

  let child: HelperProcess
  let channel: PacketChannel
  private(set) var output: OutputCatcher
  /// What it did not take yet: orders that go together, or one with a descriptor that is ours.
  private var packets: [(orders: [UInt8], descriptor: Int32?)] = []
  /// Records that came from it, and those of them that it knows to be safe.
  private var records: UInt64 = 0
  private var told: UInt64 = 0

  /// Has it started, with no rights: it is nobody where this process may make it so, and gives up the file
  /// system itself. Nothing waits for that.
  ///
  /// - Parameter asNobody: `false`: the program lies where only this process's user finds it.
  init(
    connections: Int, asNobody: Bool, by starter: StarterLink
  ) throws(SystemError) {
    let ends = try MessageChannel.pair()
    let ourEnd = ends.ours
    let theirEnd = ends.theirs
    let pipe = try Pipe()
    let errors = pipe.writing
    let caught = OutputCatcher(owning: pipe.reading)
    let null = try Descriptor.open("/dev/null", O_WRONLY)
    child = try starter.start(
      StartRequest(
        path: Installed.receiver, arguments: [],
        environment: HelperProcess.environment,
        confinement: Self.confinement(connections, asNobody: asNobody)),
      input: theirEnd.number, output: null.number, error: errors.number)
    ourEnd.setNonblocking(true)
    channel = PacketChannel(owning: ourEnd)
    output = caught
  }

  private static func confinement(_ connections: Int, asNobody: Bool) -> Confinement {
    var confinement = Confinement()
    confinement.noNewPrivileges = true
    confinement.isOrdinary = true
    // A reload may let it have more connections than it begins with.
    confinement.limits.files = max(mostDescriptors, Int64(connections + 64))
    confinement.limits.core = 0
    let permitted = Capabilities.permitted
    if asNobody, permitted.isSuperset(of: [.setUser, .setGroup]), geteuid() == 0 {
      confinement.user = nobody
      confinement.group = nobody
    }
    if permitted.contains(.setBound) { confinement.capabilities = [] }
    return confinement
  }

  deinit { for packet in packets { packet.descriptor.map { _ = close($0) } } }

  /// Tells it; what it has no room for now follows with the next order, or with `flush`.
  func order(_ order: ReceiverOrder) {
    let last = packets.count - 1
    if last >= 0, packets[last].descriptor == nil, packets[last].orders.count < 16 << 10 {
      order.append(to: &packets[last].orders)
    } else {
      flush()
      packets.append(([], nil))
      order.append(to: &packets[packets.count - 1].orders)
    }
  }

  /// Tells it, with a descriptor that is its from now on, and no longer the caller's.
  func give(_ order: ReceiverOrder, owning descriptor: Int32) {
    var orders: [UInt8] = []
    order.append(to: &orders)
    packets.append((orders, descriptor))
  }

  /// `true` when it has taken all orders.
  @discardableResult
  func flush() -> Bool {
    var sent = 0
    defer { packets.removeFirst(sent) }
    for packet in packets {
      guard case .bytes = channel.send(packet.orders, packet.descriptor.map { [$0] } ?? []) else {
        return false
      }
      packet.descriptor.map { _ = close($0) }
      sent += 1
    }
    return true
  }

  /// A record came from it.
  ///
  /// - Returns: which one it is.
  func count() -> UInt64 {
    records += 1
    return records
  }

  /// All its records up to this one are safe.
  func isSafe(upTo count: UInt64) { told = count }

  /// Tells it how many are safe.
  func acknowledge(_ permit: borrowing Permit) {
    order(.ok(told))
    flush()
  }

  // MARK: What it prints

  func readOutput(_ now: Moment, _ body: (String) -> Void) -> OutputCatcher.Outcome {
    output.read(now, body)
  }

  func tellOutput(_ now: Moment, _ body: (String) -> Void) { output.tell(now, body) }
}
