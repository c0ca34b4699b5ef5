import Linux

/// Tells the service manager how the dispatcher is, and gives signs of life. Behind auditd the manager
/// is auditd's, and is told nothing: it would not listen to us.
struct ServiceReport: Owner {
  let base: Base
  private let supply: SourceSupply
  private let input: Input
  private let service: ServiceLink

  /// `nil`: there is no manager.
  init?(_ base: Base, _ supply: SourceSupply, _ input: Input, _ service: ServiceLink?) {
    guard let service else { return nil }
    self.base = base
    self.supply = supply
    self.input = input
    self.service = service
  }

  /// What has to be told because time has passed or something has happened.
  func tend() {
    let plugins = plugins.all
    if runtime.isOurs, plugins.allSatisfy({ !$0.lifecycle.isLaunching }) {
      service.becameReady()
    }
    service.show(status)
    let next = service.look(
      loop.now, inputWaits: { input.hasWaiting }, bytesRead: source.figures.bytes)
    if let next { loop.wake(.service, at: next) }
    service.retry()
  }

  private var status: String {
    guard ending.isRunning else { return "stopping" }
    let plugins = plugins.all
    let others = plugins.filter { $0.stateName != "running" }
    let list = others.map { "\($0.name) \($0.stateName)" }.joined(separator: ", ")
    return "\(supply.description), \(plugins.count - others.count) of \(plugins.count) plugins run"
      + (list.isEmpty ? "" : ": " + list)
  }
}
