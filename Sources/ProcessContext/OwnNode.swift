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
    isOwn(event, hosts: hosts) { isOwn($0, host: host) }
  }

  /// - Parameter isNamed: whether a record's node is this host.
  public static func isOwn(
    _ event: AuditEvent, hosts: PluginEnvironment.Hosts, isNamed: (ArraySlice<UInt8>) -> Bool
  ) -> Bool {
    if hosts != .own, peer(of: event) != nil { return false }
    guard let node = event.node else { return hosts != .mixed }
    return isNamed(event.bytes[node])
  }

  /// Which other host sent a record, as the dispatcher says; `nil`: it does not. A host can say so of
  /// its own records alone: what it claims stands in front of what the dispatcher says.
  public static func peer(of event: AuditEvent) -> ArraySlice<UInt8>? {
    for record in event.records {
      let text = event.bytes[record.body..<record.line.upperBound].prefix { $0 != 0x1d }
      let start = text.lastIndex(of: 0x20).map { $0 + 1 } ?? text.startIndex
      // AppArmor's, in quotes, is of a process, and a program's own message ends with one.
      guard text[start...].starts(with: "peer=".utf8), let last = text.last,
        last != UInt8(ascii: "\""), last != UInt8(ascii: "'")
      else { continue }
      return text[(start + 5)...]
    }
    return nil
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
