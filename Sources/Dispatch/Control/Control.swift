import Linux

/// What is asked for over the control socket, and by signals, is done and answered here.
struct Control: Owner {
  let base: Base
  let desk: ControlDesk
  let reloading: Reloading
  let status: Status
  let supervisor: Supervisor
  let durable: DurableQueues

  /// Lets others in, once the runtime folder is ours.
  func open() { desk.open() }

  /// Takes what became of the socket in the runtime folder; something else that could not be done there
  /// is said.
  func hear(_ news: RuntimeFolder.News) {
    switch news {
    case .listed: break
    case .listens(let socket): desk.listens(at: Descriptor(owning: socket))
    case .doesNotListen(let error): desk.doesNotListen(error)
    case .failed(let error): loop.say(.error, "\(error)")
    }
  }

  func accept() { desk.accept() }
  func tend() { desk.tend() }
  func configurationIsRead() { reloading.finish() }
  func reload() { reloading.ask(.reload, for: nil) }
  func writeState() { status.write() }

  /// A client has said something, or takes something.
  func handle(_ client: ControlClient.ID, _ interest: Interest) {
    switch desk.handle(client, interest) {
    case nil: break
    case .reload: reloading.ask(.reload, for: client)
    case .check: reloading.ask(.check, for: client)
    case .status: desk.answer(client, with: "ok\n" + status.text())
    case .resume(let name): desk.answer(client, with: resume(name))
    case .discard(let name): desk.answer(client, with: durable.discardKept(name))
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
