/// Which node this host is.
public enum OwnNode {
  /// Whether a record's node is this host: its name, or, where that has no domain, its name in one, as
  /// auditd gives it with `name_format = fqd`.
  ///
  /// - Parameter host: the name of this host.
  public static func isOwn(_ node: ArraySlice<UInt8>, host: [UInt8]) -> Bool {
    guard node.starts(with: host) else { return false }
    let dot = UInt8(ascii: ".")
    return node.count == host.count
      || !host.contains(dot) && node[node.startIndex + host.count] == dot
  }
}
