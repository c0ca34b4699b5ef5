import AudispatchPlugin
import AuditRecord
import Linux
import ProcessContext

/// Which records are this host's: in the stream of a central host there are those of others, about files
/// of theirs with the same numbers. A value.
struct OwnRecords {
  /// What others may have sent before it is said that nothing of this host has come.
  private static let patience = 100

  /// What records call this host, where that is configured; else its name.
  private let node: [UInt8]?
  private let host: [UInt8]
  private let hosts: PluginEnvironment.Hosts
  private var hasOwn = false
  /// Events of others so far.
  private(set) var others = 0

  /// - Parameter hosts: whose records there are.
  init(
    node: String?, host: String?, hosts: PluginEnvironment.Hosts = PluginEnvironment.hosts
  ) {
    self.hosts = hosts
    self.node = node.map { Array($0.utf8) }
    self.host = Array((host ?? "").utf8)
  }

  /// Whether an event counts; one of another host is counted.
  mutating func takes(_ event: AuditEvent) -> Bool {
    guard isOurs(event) else {
      others += 1
      return false
    }
    hasOwn = true
    return true
  }

  /// Whether nothing but events of others comes: then it is called otherwise than it is.
  var areAllOthers: Bool { !hasOwn && others >= Self.patience }

  private func isOurs(_ event: AuditEvent) -> Bool {
    // The dispatcher may have another name. Where others' records look like it, a gap that is none makes
    // nobody certain, and one that was not believed would.
    if event.isQueueDrop { return hosts == .own || OwnNode.peer(of: event) == nil }
    return OwnNode.isOwn(event, hosts: hosts, isNamed: isOurs)
  }

  private func isOurs(_ name: ArraySlice<UInt8>) -> Bool {
    if let node { return name.elementsEqual(node) }
    return host.isEmpty || OwnNode.isOwn(name, host: host)
  }
}

extension AuditEvent {
  /// Whether the dispatcher says what this plugin's queue has dropped.
  fileprivate var isQueueDrop: Bool {
    guard let record = records.first, record.type.rawValue == 1209 else { return false }
    return value("op", of: record)?.elementsEqual("queue-drop".utf8) == true
  }
}
