public import AudispatchPlugin

/// Which events are this host's.
public enum OwnNode {
  /// Whether an event is this host's, about its processes, its users and its files.
  ///
  /// - Parameters:
  ///   - host: the name of this host.
  ///   - hosts: whose records there are.
  public static func isOwn(
    _ event: AuditEvent, host: [UInt8], hosts: PluginEnvironment.Hosts = PluginEnvironment.hosts
  ) -> Bool {
    if hosts != .own, hasPeer(event) { return false }
    guard let node = event.node else { return hosts != .mixed }
    return isOwn(event.bytes[node], host: host)
  }

  /// Whether the dispatcher says of a record which other host sent it. A host can say so of its own
  /// records alone: what it claims stands in front of what the dispatcher says.
  public static func hasPeer(_ event: AuditEvent) -> Bool {
    event.records.contains { record in
      let text = event.bytes[record.body..<record.line.upperBound].prefix { $0 != 0x1d }
      let start = text.lastIndex(of: 0x20).map { $0 + 1 } ?? text.startIndex
      // AppArmor's, in quotes, is of a process.
      return text[start...].starts(with: "peer=".utf8) && text.last != UInt8(ascii: "\"")
    }
  }

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
