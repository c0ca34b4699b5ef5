/// Whose node a name is, as a value: a record that claims to be of another host than the one that sent
/// it is told apart.
///
/// Over TLS a peer's node is its identity or the node of its key, or that name without the domain. In
/// the clear a name belongs to the address that used it first, for as long as this process runs. The
/// collector's own name is nobody else's.
public struct NodeClaims: Sendable {
  /// Names that are remembered at most; behind them nobody's claim to another one is doubted.
  static let limit = 65_536
  /// Names that one address may use.
  static let share = 1024
  /// No host's name is longer.
  static let longestName = 255

  /// This host's node; `nil` when its records have none.
  public var ownName: String?
  private var owners: [[UInt8]: String] = [:]
  private var uses: [String: Int] = [:]

  /// - Parameter ownName: this host's node; `nil` when its records have none.
  public init(ownName: String?) { self.ownName = ownName }

  /// Whether a peer may name that node.
  ///
  /// - Parameters:
  ///   - identity: the peer's over TLS, or the node of its key; empty in the clear.
  public mutating func isOwn(
    _ node: ArraySlice<UInt8>, address: String, identity: String
  ) -> Bool {
    if let ownName, node.elementsEqual(ownName.utf8) { return false }
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
}
