import Linux
import RemoteProtocol

/// What is known of peers: of each connection for as long as it lasts, and of each peer, its address
/// and identity, from its first connection on. A thousand of them have figures of their own, the
/// others have theirs together.
struct PeerTable {
  static let limit = 1000

  /// One connection.
  final class Connection {
    let source: Int
    let address: String
    let identity: String
    /// Its identity, or its address where it has none.
    let who: String
    /// The peer's place among `figures`; `nil`: among the others.
    let place: Int?
    /// A number that no connection before had.
    let ordinal: UInt64
    /// What the journal keeps of it with each record.
    let sender: [UInt8]
    /// What a sender of ours calls itself, and the last number that it used.
    fileprivate(set) var name: String?
    fileprivate(set) var number: UInt64 = 0
    /// Whether it has sent no record yet.
    fileprivate var isNew = true
    /// Whose events its records are of, over its connections: behind a shared address a host is known by
    /// what its sender calls itself, without what another process of it would say.
    fileprivate(set) var origin: [UInt8]
    /// What its records are known by in the ledger, where it is a sender of ours.
    fileprivate(set) var key: [UInt8] = []
    /// What it may have been known by before, until a record came that was not stored yet: what comes
    /// again is the first that comes.
    fileprivate(set) var formerKeys: [[UInt8]] = []
    private let hostStart: [UInt8]
    private var hostKey: [UInt8] = []

    fileprivate init(source: Int, address: String, identity: String, place: Int?, ordinal: UInt64) {
      self.source = source
      self.address = address
      self.identity = identity
      who = identity.isEmpty ? address : identity
      self.place = place
      self.ordinal = ordinal
      sender = Array((identity.isEmpty ? address : "\(address) \(identity)").utf8)
      origin = Array(who.utf8)
      hostStart = Array("host \(who) ".utf8)
    }

    fileprivate func isNamed(by opening: Opening) {
      name = opening.name
      number = opening.next
      key = Self.keyStart + Array(who.utf8) + Self.keyEnd(opening.name)
      origin = Array("\(who) ".utf8) + opening.name.utf8.prefix { $0 != UInt8(ascii: "#") }
    }

    /// A sender of ours is known by its name, and by who it is: hosts may have the same name.
    static let keyStart = Array("sender ".utf8)
    static func keyEnd(_ name: String) -> [UInt8] { Array(" \(name)".utf8) }

    /// What is remembered of audisp-remote: several hosts may come from one address, each with its node.
    func hostKey(of line: [UInt8]) -> [UInt8] {
      let node = PeerText.node(of: line) ?? []
      if hostKey.isEmpty || !hostKey.dropFirst(hostStart.count).elementsEqual(node) {
        hostKey = hostStart + node
      }
      return hostKey
    }
  }

  struct Figures {
    /// What they are known and kept by.
    fileprivate let name: String
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
    /// Records that it waits to be told of.
    var unanswered = 0
    /// They changed since they were kept.
    fileprivate var hasChanged = false

    /// What a successor goes on with.
    fileprivate var kept: [UInt64] {
      get { [records, acknowledged, duplicates, refused] }
      set {
        (records, acknowledged, duplicates, refused) = (
          newValue[0], newValue[1], newValue[2], newValue[3]
        )
      }
    }
  }

  private(set) var connections: [UInt32: Connection] = [:]
  private(set) var figures: [Figures] = []
  private(set) var others = Figures(name: "others", address: "", identity: "", source: 0)
  /// Places in `figures` by name.
  private var places: [String: Int] = [:]
  private var nextOrdinal: UInt64
  /// Those of `figures` that are not kept yet as they are.
  private var changed: [Int] = []

  /// - Parameter first: the number of the first connection; above those of processes before.
  init(first: UInt64) { nextOrdinal = first }

  mutating func open(
    _ id: UInt32, source: Int, address: String, identity: String, seconds: Int64
  ) {
    let place = place(source: source, address: address, identity: identity)
    change(place) {
      $0.connections += 1
      $0.connectedSince = seconds
    }
    connections[id] = Connection(
      source: source, address: address, identity: identity, place: place, ordinal: nextOrdinal)
    nextOrdinal += 1
  }

  private mutating func place(source: Int, address: String, identity: String) -> Int? {
    let name = "peer \(source) \(address) \(identity)"
    if let place = places[name] { return place }
    guard figures.count < Self.limit else { return nil }
    places[name] = figures.count
    figures.append(Figures(name: name, address: address, identity: identity, source: source))
    return figures.count - 1
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

  func name(_ id: UInt32, _ opening: Opening) { connections[id]?.isNamed(by: opening) }

  func setFormerKeys(_ id: UInt32, _ keys: [[UInt8]]) { connections[id]?.formerKeys = keys }

  /// A record of a connection.
  struct Noted {
    let connection: Connection
    /// Of a sender of ours, which it takes to be heard of now; 0: none.
    let number: UInt64
    /// It is the first.
    let isFirst: Bool
  }

  /// Notes that a record came; `nil`: nothing is taken over that connection any more.
  func note(_ id: UInt32, sequence: UInt32) -> Noted? {
    guard let connection = connections[id] else { return nil }
    var number: UInt64 = 0
    // Without one a record of a sender of ours cannot be known again.
    if connection.name != nil, sequence > 0 {
      number = Opening.number(of: sequence, near: connection.number)
      connection.number = number
    }
    defer { connection.isNew = false }
    return Noted(connection: connection, number: number, isFirst: connection.isNew)
  }

  mutating func count(_ place: Int?, _ change: (inout Figures) -> Void) {
    self.change(place, change)
  }

  func connected(to source: Int) -> Int { connections.values.count { $0.source == source } }

  private mutating func change(_ place: Int?, _ body: (inout Figures) -> Void) {
    if let place {
      body(&figures[place])
      if !figures[place].hasChanged { changed.append(place) }
      figures[place].hasChanged = true
    } else {
      body(&others)
      others.hasChanged = true
    }
  }

  // MARK: For a successor

  /// Keeps what has changed.
  mutating func keep(in ledger: FigureLedger) {
    for place in changed {
      ledger.store(figures[place].kept, as: figures[place].name)
      figures[place].hasChanged = false
    }
    changed.removeAll(keepingCapacity: true)
    if others.hasChanged { ledger.store(others.kept, as: others.name) }
    others.hasChanged = false
  }

  /// Goes on with what a predecessor kept.
  ///
  /// - Parameter sources: how many there are.
  mutating func goOn(_ ledger: FigureLedger, sources: Int) {
    for name in ledger.names {
      let words = name.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
      guard let kept = ledger.figures(of: name) else { continue }
      if name == others.name { others.kept = kept }
      guard words.count == 4, words[0] == "peer", let source = Int(words[1]), source < sources,
        let place = place(
          source: source, address: String(words[2]), identity: String(words[3]))
      else { continue }
      figures[place].kept = kept
    }
  }
}
