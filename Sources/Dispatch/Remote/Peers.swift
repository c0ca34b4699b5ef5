import AuditRecord
import Configuration
import Linux
import RemoteProtocol

/// Who is connected, what each may send, and what is said of them.
final class Peers: Owner {
  let base: Base
  private let places: [RemotePlace]
  private var table = PeerTable(first: UInt64(clamping: WallClock.milliseconds))
  private var claims: NodeClaims
  private var keyNodes = KeyNodes()
  /// Where what was counted survives this process.
  private var ledger: FigureLedger?
  private var faultReport = RateLimit(every: .seconds(10))
  private var refusalReport = RateLimit(every: .seconds(10))
  private var nodeReport = RateLimit(every: .seconds(10))
  private var connectionReport = RateLimit(every: .milliseconds(100))

  init(_ base: Base, _ places: [RemotePlace]) {
    self.base = base
    self.places = places
    claims = NodeClaims(ownName: base.settings.node)
  }

  /// The kernel's, at the moment: it may have got its name after this process had begun.
  private static var host: String { ((try? NodeName.resolve(.hostname, name: nil)) ?? nil) ?? "" }

  func ownNode(is name: String) { claims.ownName = name }

  // MARK: For the status

  var figures: [PeerTable.Figures] { table.figures }
  var others: PeerTable.Figures { table.others }
  func connected(to place: Int) -> Int { table.connected(to: place) }

  // MARK: For a successor

  /// Goes on with what a predecessor counted, or begins to count.
  func begin(_ ledger: FigureLedger, isSuccessor: Bool) {
    self.ledger = ledger
    guard isSuccessor else { return ledger.clear() }
    for place in places { ledger.figures(of: place.name).map { place.goOn($0) } }
    let figures = places.map(\.figures)
    source.adoptForeign(
      records: figures.reduce(0) { $0 + $1.records }, bytes: figures.reduce(0) { $0 + $1.bytes },
      malformed: figures.reduce(0) { $0 + $1.malformed })
    table.goOn(ledger, sources: places.count)
  }

  /// Keeps what has changed.
  func keep() {
    guard let ledger else { return }
    for place in places { place.takeChanged().map { ledger.store($0, as: place.name) } }
    table.keep(in: ledger)
  }

  // MARK: Connections

  func opened(
    _ peer: UInt32, source: Int, address: String, port: UInt16, identity: String
  ) {
    claims.host = Self.host
    table.open(
      peer, source: source, address: address, identity: identity,
      seconds: WallClock.milliseconds / 1000)
    let who = identity.isEmpty ? "" : " (\(printable(identity.utf8)))"
    guard let held = connectionReport.pass(loop.now) else { return }
    let more = held > 0 ? " (so did \(held) others)" : ""
    loop.say(.info, "\(address) port \(port)\(who) is connected\(more)")
  }

  /// A sender of ours says who it is.
  ///
  /// - Returns: what it is known by.
  func named(_ peer: UInt32, _ opening: Opening) -> [UInt8] {
    table.name(peer, opening)
    return table.connections[peer]?.key ?? []
  }

  /// What it may have been known by before; none once something came that was not stored.
  func setFormerKeys(_ peer: UInt32, _ keys: [[UInt8]]) { table.setFormerKeys(peer, keys) }

  func closed(_ peer: UInt32, isFault: Bool, _ reason: String) {
    let connection = table.close(peer, error: reason)
    guard isFault, let held = faultReport.pass(loop.now) else { return }
    let more = held > 0 ? " (\(held) such reports held back)" : ""
    loop.say(.warning, "\(connection?.address ?? "a peer"): \(printable(reason.utf8))\(more)")
  }

  /// Nothing more is taken over that connection, which the receiver is told to end.
  func leaves(_ peer: UInt32) { table.close(peer, error: "\(PeerEnd.holding)") }

  func refused(at source: Int, _ address: String, _ reason: String) {
    if source < places.count { places[source].count { $0.turnedAway += 1 } }
    guard let held = refusalReport.pass(loop.now) else { return }
    let more = held > 0 ? " (\(held) others, too)" : ""
    let who = address.isEmpty ? "a peer" : address
    loop.say(.warning, "\(who) is not served: \(printable(reason.utf8))\(more)")
  }

  func receiverEnded() { table.closeAll(error: "the receiver ended") }

  // MARK: Records

  /// Whose record it is; `nil`: nothing is taken over that connection any more.
  func sender(_ peer: UInt32, sequence: UInt32) -> PeerTable.Noted? {
    guard let noted = table.note(peer, sequence: sequence),
      noted.connection.source < places.count
    else { return nil }
    table.count(noted.connection.place) {
      $0.records += 1
      $0.unanswered += 1
    }
    return noted
  }

  func repeated(_ connection: PeerTable.Connection) {
    places[connection.source].count { $0.duplicates += 1 }
    table.count(connection.place) { $0.duplicates += 1 }
  }

  func acknowledged(_ place: Int?) {
    table.count(place) {
      $0.acknowledged += 1
      $0.unanswered = max(0, $0.unanswered - 1)
    }
  }

  /// It is not told of a record, and sends it again.
  func forgot(_ place: Int?) { table.count(place) { $0.unanswered = max(0, $0.unanswered - 1) } }

  /// The line as it is kept; `nil` for one that is refused, as it claims to be another host's.
  ///
  /// Where claims are looked at, a line without a mark is of whoever it names, or of this host: so what
  /// names nobody is marked, too, and what has a mark of its own gets ours behind it.
  func judged(_ line: [UInt8], of connection: PeerTable.Connection) -> [UInt8]? {
    let policy = settings.daemon.remote.nodePolicy
    var isMarked = settings.daemon.remote.addsPeerField
    if policy != .accept {
      if let node = Self.node(of: line) {
        let isClaim = !claims.isOwn(
          node, address: connection.address,
          identity: keyNodes.node(of: connection.identity, settings.daemon.remote.keys))
        if isClaim, policy == .refuse {
          refuse(node, of: connection)
          return nil
        }
        isMarked = isMarked || isClaim || PeerText.hasPeer(line)
      } else {
        isMarked = true
      }
    }
    return isMarked ? PeerText.adding(peer: connection.who, to: line) : line
  }

  private func refuse(_ node: ArraySlice<UInt8>, of connection: PeerTable.Connection) {
    places[connection.source].count { $0.refused += 1 }
    table.count(connection.place) { $0.refused += 1 }
    guard let held = nodeReport.pass(loop.now) else { return }
    let more = held > 0 ? " (\(held) other records, too)" : ""
    loop.say(
      .warning,
      "\(printable(connection.who.utf8)) sends records of '\(printable(node))', which is another host: "
        + "not taken\(more)")
  }

  /// The node that a record names, as whoever reads it finds it: with what may stand in front.
  private static func node(of line: [UInt8]) -> ArraySlice<UInt8>? {
    var reader = RecordReader()
    var at = 0
    guard case .record(let frame) = reader.next(line.span, &at, ended: true),
      let node = RecordHeader(line.span.extracting(frame.payload))?.node
    else { return nil }
    let start = frame.payload.lowerBound
    return line[start + node.lowerBound..<start + node.upperBound]
  }
}
