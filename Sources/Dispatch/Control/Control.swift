import Linux

/// What is asked for over the control socket, and by signals, is done and answered here.
final class Control {
  private let desk: ControlDesk
  private let reloading: Reloading
  private let status: Status
  private let plugins: PluginTable
  private let supervisor: Supervisor

  init(
    _ base: Base, _ desk: ControlDesk, _ reloading: Reloading, _ status: Status,
    _ supervisor: Supervisor
  ) {
    plugins = base.plugins
    self.desk = desk
    self.reloading = reloading
    self.status = status
    self.supervisor = supervisor
  }

  func accept() { desk.accept() }
  func tend() { desk.tend() }
  func configurationIsRead() { reloading.finish() }
  func reload() { reloading.ask(.reload, for: nil) }
  func writeState() { status.write() }

  /// A client has said something, or takes something.
  func handle(_ client: UInt32, _ interest: Interest) {
    switch desk.handle(client, interest) {
    case nil: break
    case .reload: reloading.ask(.reload, for: client)
    case .check: reloading.ask(.check, for: client)
    case .status: desk.answer(client, with: "ok\n" + status.text())
    case .resume(let name): desk.answer(client, with: resume(name))
    }
  }

  private func resume(_ name: String) -> String {
    guard let plugin = plugins.named(name) else {
      let names = plugins.all.map(\.name).joined(separator: ", ")
      return "error no active plugin is called '\(name)'; there are: \(names)\n"
    }
    supervisor.resume(plugin)
    return "ok\n"
  }
}
