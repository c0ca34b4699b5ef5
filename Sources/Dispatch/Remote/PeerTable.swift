import Linux
import RemoteProtocol

/// What is known of peers: of each connection for as long as it lasts, and of each peer, its address
/// and identity, from its first connection on. A thousand of them have figures of their own, the
/// others have theirs together.
struct PeerTable {
  static let limit = 1000

  /// One connection.
  struct Connection {
    var source: Int
    var address: String
    var identity: String
    /// The peer's place among `figures`; `nil`: among the others.
    var place: Int?
    /// A number that no connection before had.
    var ordinal: UInt64
    /// What a sender of ours calls itself, and the last number that it used.
    var name: String?
    var number: UInt64 = 0
    /// Whether it has sent no record yet.
    var isNew = true
    /// What its records are known by in the ledger, where it is a sender of ours.
    var key: [UInt8] = []

    var who: String { identity.isEmpty ? address : identity }
  }

  struct Figures {
    var address: String
    var identity: String
    var source: Int
    var connections = 0
    var connectedSince: Int64 = 0
    var records: UInt64 = 0
    var acknowledged: UInt64 = 0
    var duplicates: UInt64 = 0
    var refused: UInt64 = 0
    var lastError: String?
  }

  private(set) var connections: [UInt32: Connection] = [:]
  private(set) var figures: [Figures] = []
  private(set) var others = Figures(address: "", identity: "", source: 0)
  /// How many peers the others are at least.
  private var places: [String: Int] = [:]
  private var nextOrdinal: UInt64

  /// - Parameter first: the number of the first connection; above those of processes before.
  init(first: UInt64) { nextOrdinal = first }

  mutating func open(
    _ id: UInt32, source: Int, address: String, identity: String, seconds: Int64
  ) {
    let name = "\(source) \(address) \(identity)"
    var place = places[name]
    if place == nil, figures.count < Self.limit {
      place = figures.count
      places[name] = place
      figures.append(Figures(address: address, identity: identity, source: source))
    }
    change(place) {
      $0.connections += 1
      $0.connectedSince = seconds
    }
    connections[id] = Connection(
      source: source, address: address, identity: identity, place: place, ordinal: nextOrdinal)
    nextOrdinal += 1
  }

  /// - Returns: the connection that it was; `nil`: there was none.
  @discardableResult
  mutating func close(_ id: UInt32, error: String?) -> Connection? {
    guard let connection = connections.removeValue(forKey: id) else { return nil }
    change(connection.place) {
      $0.connections -= 1
      if let error { $0.lastError = error }
    }
    return connection
  }

  /// The process that had them is gone.
  mutating func closeAll(error: String) {
    for id in connections.keys { close(id, error: error) }
  }

  mutating func name(_ id: UInt32, _ opening: Opening) {
    guard let connection = connections[id] else { return }
    connections[id]?.name = opening.name
    connections[id]?.number = opening.next
    connections[id]?.key = Array("sender \(connection.who) \(opening.name)".utf8)
  }

  /// What a record is known by: of a sender of ours, which it takes to be heard of now.
  mutating func note(_ id: UInt32, sequence: UInt32) -> (connection: Connection, number: UInt64)? {
    guard let connection = connections[id] else { return nil }
    var number: UInt64 = 0
    // Without one a record of a sender of ours cannot be known again.
    if connection.name != nil, sequence > 0 {
      number = Opening.number(of: sequence, near: connection.number)
      connections[id]?.number = number
    }
    connections[id]?.isNew = false
    return (connection, number)
  }

  mutating func count(_ place: Int?, _ change: (inout Figures) -> Void) {
    self.change(place, change)
  }

  func connected(to source: Int) -> Int { connections.values.count { $0.source == source } }

  private mutating func change(_ place: Int?, _ body: (inout Figures) -> Void) {
    if let place { body(&figures[place]) } else { body(&others) }
  }
}
