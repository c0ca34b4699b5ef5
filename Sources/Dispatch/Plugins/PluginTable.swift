import Configuration
import Journal
import Linux

/// The plugins, in the order in which they were configured.
final class PluginTable {
  private(set) var all: [Plugin] = []
  /// Those that are to be published.
  let changes = PluginChanges()
  private var nextID = PluginID.first
  private let journal: Journal
  private var node: String?

  /// - Parameter node: what gap records name as theirs.
  init(_ journal: Journal, node: String?) {
    self.journal = journal
    self.node = node
  }

  /// - Parameter slot: its place in the surviving memory; `nil`: none.
  func add(_ configuration: PluginConfiguration, slot: Int?, now: Moment) -> Plugin {
    let plugin = Plugin(
      id: nextID, configuration: configuration, slot: slot, node: node, journal: journal, now: now,
      changes)
    nextID = nextID.next
    all.append(plugin)
    return plugin
  }

  /// Gap records name that node from now on.
  func change(node: String) {
    self.node = node
    for plugin in all { plugin.subscription.change(node: node) }
  }

  func remove(_ plugin: Plugin) { all.removeAll { $0 === plugin } }

  /// The one that tokens call that, if it is still there.
  subscript(id: PluginID) -> Plugin? { all.first { $0.id == id } }

  func named(_ name: String) -> Plugin? { all.first { $0.name == name } }

  /// Those whose queues go on on disk.
  var durable: [Plugin] { all.filter { $0.subscription.isDurable } }

  /// Whether a plugin has to have records on disk before anybody is told that they are safe.
  var isLossless: Bool { all.contains { $0.isLossless } }
}
