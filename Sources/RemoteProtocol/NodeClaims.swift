/// Whose node a name is, as a value: a record that claims to be of another host than the one that sent
/// it is told apart.
///
/// Over TLS a peer's node is its identity or the node of its key, or that name without the domain. In
/// the clear a name belongs to the address that used it first, for as long as this process runs. The
/// collector's own name is nobody else's.
public struct NodeClaims: Sendable {
  /// Names that are remembered at most; behind them nobody's claim is doubted.
  private static let limit = 65_536

  /// This host's node; `nil` when its records have none.
  public var ownName: String?
  private var owners: [[UInt8]: String] = [:]

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
    let name = Array(node)
    if let owner = owners[name] { return owner == address }
    if owners.count < Self.limit { owners[name] = address }
    return true
  }
}
