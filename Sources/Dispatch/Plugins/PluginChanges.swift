/// The plugins of which something has changed since it was published last that a successor is to know.
///
/// Contract: each of them once, and no other one.
final class PluginChanges {
  private(set) var plugins: [Plugin] = []

  /// To be called once before the next `clear`.
  @inline(__always)
  func note(_ plugin: Plugin) { plugins.append(plugin) }

  /// All of it is published.
  @inline(__always)
  func clear() {
    for plugin in plugins { plugin.published() }
    plugins.removeAll(keepingCapacity: true)
  }
}
