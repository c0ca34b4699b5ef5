import Journal
import Linux

/// Plugins as processes: what comes from each of them goes to whom it concerns.
final class PluginHost: Owner {
  let base: Base
  private let delivery: Delivery
  private let durable: DurableQueues
  private let confirming: Confirming
  let output: PluginOutput
  let supervisor: Supervisor
  let watch: PluginWatch

  init(
    _ base: Base, _ ledger: Ledger, _ custody: Custody, _ delivery: Delivery,
    _ overflows: OverflowActions, _ durable: DurableQueues
  ) {
    self.base = base
    self.delivery = delivery
    self.durable = durable
    confirming = Confirming(
      base: base, ledger: ledger, delivery: delivery, durable: durable)
    output = PluginOutput(base)
    supervisor = Supervisor(
      base, ledger, custody, delivery, overflows, durable, confirming, output)
    watch = PluginWatch(
      base: base, overflows: overflows, output: output, supervisor: supervisor)
  }

  /// A plugin's input has room, or something to read.
  func inputIsReady(_ id: PluginID, _ interest: Interest) {
    guard let plugin = plugins[id] else { return }
    if interest.contains(.read) { confirming.read(plugin) }
    guard !interest.isDisjoint(with: [.write, .ended]), plugin.child != nil else { return }
    delivery.becameWritable(plugin)
    durable.goOnReadingBack(plugin)
  }

  func hearEnd(_ id: PluginID) { if let plugin = plugins[id] { supervisor.childEnded(plugin) } }

  /// Its child, on its way until now, may be its program.
  func hearStart(_ id: PluginID) { if let plugin = plugins[id] { supervisor.hearStart(plugin) } }

  func hearOutput(_ id: PluginID) { if let plugin = plugins[id] { output.read(plugin) } }

  /// What is due for every plugin.
  func tend() {
    supervisor.tend { plugin in
      watch.look(at: plugin)
      output.goOn(plugin)
      confirming.goOn(plugin)
      delivery.flush(plugin)
    }
  }
}
