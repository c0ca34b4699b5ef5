import Configuration
import Glibc
import Journal
import Linux
import RemoteProtocol

/// The sources that other hosts connect to: their sockets, the process that serves them, and what is
/// known of peers.
final class RemoteSources {
  /// One address that peers connect to.
  final class Place {
    let source: SourceConfiguration
    let place: HostAndPort
    var socket: Descriptor?
    /// The receiver was given the socket.
    var isHeard = false
    var records: UInt64 = 0
    var events: UInt64 = 0
    var bytes: UInt64 = 0
    var malformed: UInt64 = 0
    var duplicates: UInt64 = 0
    /// Records that claimed another host's node.
    var refused: UInt64 = 0
    /// Connections that were not taken.
    var turnedAway: UInt64 = 0

    init(_ source: SourceConfiguration, _ place: HostAndPort) {
      self.source = source
      self.place = place
    }

    var kind: String { if case .tls = source { "tls" } else { "tcp" } }
    var isSecure: Bool { if case .tls = source { true } else { false } }
    var name: String { "\(kind):\(place)" }
  }

  /// A record that came and is not known to be safe: which it is of those that came from the receiver,
  /// and what it has to be safe for.
  struct Unsafe {
    var count: UInt64
    var record: RecordNumber
    var place: Int?
    var key: [UInt8]
    /// Its number, or the number of its connection.
    var number: UInt64
    var isNumbered: Bool
  }

  let places: [Place]
  var configuration: RemoteConfiguration
  var process: ReceiverProcess?
  /// When it is tried again to start it, and after which pause.
  var retry = Moment(nanoseconds: 0)
  var delay = Duration.milliseconds(100)
  var opening: LedgerOpening?
  /// When the ledger is tried again.
  var nextOpening = Moment(nanoseconds: 0)
  private var mapped: MappedFile?
  private(set) var ledger: SenderLedger?
  /// The ledger was compared with the log.
  var isLedgerSettled = false
  var peers: PeerTable
  var claims: NodeClaims
  /// Answers that wait for the log, in order, from `firstUnsafe` on.
  private var unsafeRecords: [Unsafe] = []
  private var firstUnsafe = 0
  var isHolding = false
  /// Receivers that ended and were not waited for yet.
  var leaving: [ReceiverProcess] = []
  var turns = Turns()
  /// Nothing is taken from the receiver now.
  var isPaused = false
  var isFinishing = false
  var buffer = [UInt8](repeating: 0, count: PacketChannel.limit)
  /// What was said of whom, at a low rate.
  var faultReport = RateLimit(every: .seconds(10))
  var refusalReport = RateLimit(every: .seconds(10))
  var nodeReport = RateLimit(every: .seconds(10))
  var startReport = RateLimit(every: .seconds(60))
  var endReport = RateLimit(every: .seconds(10))
  var holdReport = RateLimit(every: .seconds(60))
  var turnReport = RateLimit(every: .seconds(60))

  init?(_ configuration: DaemonConfiguration, node: String?) {
    places = configuration.remoteSources.compactMap { source in
      source.place.map { Place(source, $0) }
    }
    guard !places.isEmpty else { return nil }
    self.configuration = configuration.remote
    peers = PeerTable(first: UInt64(clamping: WallClock.milliseconds))
    claims = NodeClaims(ownName: node)
  }

  /// Opens what is not open; each address that cannot be had, and why.
  func listen() -> [(Place, String)] {
    var failed: [(Place, String)] = []
    for place in places where place.socket == nil {
      let port = place.place.port ?? 60
      do throws(InternetAddress.Failure) {
        let addresses = try InternetAddress.resolve(place.place.host, port: port, numeric: true)
        guard let address = addresses.first else { continue }
        do throws(Errno) {
          place.socket = try address.listen(backlog: configuration.listenQueue)
        } catch { failed.append((place, error.description)) }
      } catch { failed.append((place, error.description)) }
    }
    return failed
  }

  /// Remembers senders in this file; in memory only without one.
  func begin(_ file: consuming Descriptor?) throws(SystemError) {
    let count = SenderLedger.byteCount
    let mapped =
      if let file { try MappedFile(file, count: count) } else {
        try MappedFile.anonymous("audispatch-senders", count: count)
      }
    ledger = unsafe SenderLedger(mapped.memory)
    self.mapped = mapped
  }

  // MARK: What is not safe yet

  var hasUnsafe: Bool { firstUnsafe < unsafeRecords.count }

  func wait(for record: Unsafe) { unsafeRecords.append(record) }

  /// Takes the records that are safe now.
  ///
  /// - Parameter end: everything in the journal below that is.
  func takeSafe(below end: RecordNumber, _ body: (Unsafe) -> Void) {
    while firstUnsafe < unsafeRecords.count, unsafeRecords[firstUnsafe].record < end {
      body(unsafeRecords[firstUnsafe])
      firstUnsafe += 1
    }
    if firstUnsafe == unsafeRecords.count {
      unsafeRecords.removeAll(keepingCapacity: true)
      firstUnsafe = 0
    } else if firstUnsafe > 4096, firstUnsafe * 2 > unsafeRecords.count {
      unsafeRecords.removeFirst(firstUnsafe)
      firstUnsafe = 0
    }
  }

  /// The log did not take what was waited for: it is not said to be safe, and not known as stored.
  func dropUnsafe() {
    for record in unsafeRecords[firstUnsafe...] where !record.key.isEmpty {
      if record.isNumbered {
        ledger?.drop(record.key, number: record.number)
      } else {
        ledger?.dropLast(record.key, connection: record.number)
      }
    }
    unsafeRecords.removeAll(keepingCapacity: true)
    firstUnsafe = 0
  }
}
