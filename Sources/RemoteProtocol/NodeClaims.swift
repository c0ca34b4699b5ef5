/// Whose node a name is, as a value: a record that claims to be of another host than the one that sent
/// it is told apart.
///
/// Over TLS a peer's node is its identity or the node of its key, or that name without the domain. In
/// the clear a name belongs to the address that used it first, for as long as this process runs. The
/// collector's own names are nobody else's: what its records say, and what the host is called.
public struct NodeClaims: Sendable {
  /// Names that are remembered at most; behind them nobody's claim to another one is doubted.
  static let limit = 65_536
  /// Names that one address may use.
  static let share = 1024
  /// No host's name is longer.
  static let longestName = 255

  /// This host's node; `nil` when its records have none.
  public var ownName: String?
  /// What this host is called: plugins take what names it so for its own. Empty: nobody knows.
  public var host: String
  private var owners: [[UInt8]: String] = [:]
  private var uses: [String: Int] = [:]

  /// - Parameters:
  ///   - ownName: this host's node; `nil` when its records have none.
  ///   - host: what this host is called.
  public init(ownName: String?, host: String = "") {
    self.ownName = ownName
    self.host = host
  }

  /// Whether a peer may name that node.
  ///
  /// - Parameters:
  ///   - identity: the peer's over TLS, or the node of its key; empty in the clear.
  public mutating func isOwn(
    _ node: ArraySlice<UInt8>, address: String, identity: String
  ) -> Bool {
    if let ownName, node.elementsEqual(ownName.utf8) { return false }
    if isHost(node) { return false }
    if !identity.isEmpty {
      let short = identity.utf8.prefix { $0 != UInt8(ascii: ".") }
      return node.elementsEqual(identity.utf8) || node.elementsEqual(short)
    }
    guard node.count <= Self.longestName else { return false }
    let name = Array(node)
    if let owner = owners[name] { return owner == address }
    guard uses[address, default: 0] < Self.share else { return false }
    if owners.count < Self.limit {
      owners[name] = address
      uses[address, default: 0] += 1
    }
    return true
  }

  /// Whether it is what this host is called, with or without a domain where one of them has none.
  private func isHost(_ node: ArraySlice<UInt8>) -> Bool {
    if host.isEmpty { return false }
    if node.elementsEqual(host.utf8) { return true }
    let dot = UInt8(ascii: ".")
    guard !node.contains(dot) || !host.utf8.contains(dot) else { return false }
    return node.prefix { $0 != dot }.elementsEqual(host.utf8.prefix { $0 != dot })
  }
}
