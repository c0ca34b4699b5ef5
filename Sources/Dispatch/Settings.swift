import Configuration

/// The daemon's configuration in force, and the plugins that it names and does not start.
final class Settings {
  private(set) var daemon: DaemonConfiguration
  private(set) var inactive: [PluginConfiguration]
  /// What records that name no node are given as theirs.
  private(set) var node: String?

  init(_ inForce: InForce) {
    daemon = inForce.daemon
    inactive = inForce.inactive
    node = inForce.node
  }

  func change(node: String) { self.node = node }

  func change(inactive: [PluginConfiguration]) { self.inactive = inactive }

  /// Takes what can change while the dispatcher runs.
  ///
  /// - Returns: what cannot, and says something else now; `nil` for nothing.
  func change(to new: DaemonConfiguration) -> String? {
    let refused = refused(new)
    daemon.singleCommand = new.singleCommand
    daemon.haltCommand = new.haltCommand
    daemon.journalBytes = new.journalBytes
    daemon.controlGroup = new.controlGroup
    daemon.spoolKeep = new.spoolKeep
    daemon.remote = new.remote
    return refused.isEmpty
      ? nil : "\(refused.joined(separator: ", ")): a change needs a restart of audispatchd"
  }

  private func refused(_ new: DaemonConfiguration) -> [String] {
    var names: [String] = []
    if new.sources != daemon.sources { names.append("source") }
    if new.runtimeDirectory != daemon.runtimeDirectory { names.append("runtime_dir") }
    if new.nameFormat != daemon.nameFormat || new.nodeName != daemon.nodeName {
      names.append("name_format")
    }
    if new.spoolDirectory != daemon.spoolDirectory { names.append("spool_dir") }
    if new.spoolReserve != daemon.spoolReserve { names.append("spool_reserve") }
    if new.logFormat != daemon.logFormat { names.append("log_format") }
    if new.capabilityBound != daemon.capabilityBound { names.append("capability_bound") }
    return names
  }
}
