import AuditDispatch
import Configuration
import Glibc
import Keeper
import Linux

/// The arguments, without the program's name.
private let words = Array(ProgramArguments.all.dropFirst())

/// From the arguments to the dispatcher's end; the exit status.
func start() -> Int32 {
  keepMemoryPrivate()
  Starter.serveIfAsked()
  let arguments: DaemonArguments
  do throws(UsageError) {
    arguments = try DaemonArguments(words)
  } catch {
    print("audispatchd: \(error)", to: 2)
    return 2
  }
  let environment = LoadEnvironment(
    user: geteuid(), daemonExecutable: Dispatcher.executable)
  let request = arguments.request
  let load = { @Sendable in LoadedConfiguration(request, environment) }
  switch arguments.action {
  case .help:
    print(DaemonArguments.help, to: 1)
    return 0
  case .version:
    print("audispatchd \(Dispatcher.version)", to: 1)
    return 0
  case .check:
    var loaded = load()
    if let front = AuditdInFront(version: { InstalledAudit.version }) {
      loaded.note(front.traps(for: loaded.plugins, reloadWait: loaded.daemon.reloadWait))
    }
    loaded.noteIdleness()
    loaded.noteUnwritableSpool()
    loaded.noteFullSpool()
    loaded.take(PluginCheck.findings(PluginCheck.candidates(of: loaded.plugins)))
    print(loaded.report, to: 1)
    return loaded.exitStatus
  case .run where Examiner.isAskedFor:
    return Examiner.run { silent, begins in
      var environment = environment
      environment.silentPlugins = silent
      environment.begins = begins
      return LoadedConfiguration(request, environment)
    }
  case .run:
    DescriptorKind.openStandard()
    raiseDescriptorLimit()
    let isWorker = Keeper.isWorker
    let mayHold = !isWorker && mayReadStandardInput(arguments)
    undoWhatAuditdLeaves(holding: mayHold ? Front.signals : [])
    if isWorker {
      DescriptorKind.closeAll(from: Keeper.firstDescriptorOfNobody)
      return run(load, nil)
    }
    if mayHold {
      DescriptorKind.closeAll(from: 3)
      let daemon = LoadedConfiguration(ofDaemon: request, environment).daemon
      if let wait = waitForNext(daemon), let offer = Offer(ofThisProcess: words) {
        return standInFront(of: load, offer, daemon, wait)
      }
      return hold(load)
    }
    // A reload that is asked for before we can do it is not to be our end.
    Signals.hold([SIGHUP, SIGUSR1, SIGUSR2])
    // The service manager may have kept descriptors for us.
    return run(load, ServiceManager(.take(), keeping: Dispatcher.knowsDescriptor))
  }
}

/// auditd's child that dies takes the input along; so a process that does nothing else keeps it.
private func mayReadStandardInput(_ arguments: DaemonArguments) -> Bool {
  let sources = arguments.request.sources
  return (sources.isEmpty || sources.filter { $0.place == nil } == [.standardInput])
    && (DescriptorKind.isSocket(0) || DescriptorKind.isPipe(0))
}

/// How long what auditd has started outlives its input; `nil`: who has started this process waits for
/// all of it.
private func waitForNext(_ daemon: DaemonConfiguration) -> Duration? {
  guard daemon.localSources.allSatisfy({ $0 == .standardInput }), DescriptorKind.isSocket(0) else {
    return nil
  }
  let wait = daemon.reloadWait ?? (Front.parentIsAuditd ? .seconds(10) : .zero)
  return wait > .zero ? wait : nil
}

/// auditd 4.x ends its plugins at each reload, and waits until they are gone.
///
/// The front and its keeper answer each other within 100 ms where auditd waits (`FrontLife`), or another
/// keeper is started: on a busy host they have the priority of the worker.
private func standInFront(
  of load: @escaping @Sendable () -> LoadedConfiguration, _ offer: Offer,
  _ daemon: DaemonConfiguration, _ wait: Duration
) -> Int32 {
  raisePriority(daemon)
  do throws(SystemError) {
    return try Front(offer, in: daemon.runtimeDirectory) { link, line in
      do throws(SystemError) {
        // It leads a session now.
        raisePriority(daemon)
        let door = try KeeperDoor(offer, link: link, wait: wait)
        return try Keeper(words, door: door, line: line) { run(load, nil) }.run()
      } catch {
        print("audispatchd: \(error)", to: 2)
        return 1
      }
    }.run()
  } catch {
    print("audispatchd: \(error)", to: 2)
    return 1
  }
}

private func hold(_ load: @escaping @Sendable () -> LoadedConfiguration) -> Int32 {
  do throws(SystemError) {
    return try Keeper(words) { run(load, nil) }.run()
  } catch {
    print("audispatchd: \(error)", to: 2)
    return 1
  }
}

/// auditd's children inherit ignored and blocked signals, its other descriptors (2.8: even its own
/// end of their input, so that its death would go unseen), a non-blocking input and its nice value.
/// The descriptors are closed as soon as it is known which are ours.
///
/// - Parameter held: signals that were ignored until now, and are not to be our end before they can be
///   taken.
private func undoWhatAuditdLeaves(holding held: [Int32]) {
  Signals.reset(holding: held)
  DescriptorKind.setNonblocking(0, false)
  ProcessPriority.nice = 0
}

private func raisePriority(_ daemon: DaemonConfiguration) {
  ProcessPriority.raise(to: Int32(-daemon.priorityBoost))
}

private func run(
  _ load: @escaping @Sendable () -> LoadedConfiguration, _ service: ServiceManager?
) -> Int32 {
  let legacy = Legacy(service)
  var messages = Messages(program: "audispatchd")
  if let problem = legacy.problem { messages.write(.error, problem) }
  guard let (inForce, node) = legacy.inForce.map({ ($0, nil) }) ?? fresh(load, &messages) else {
    return 6
  }
  do throws(SystemError) {
    if let bound = inForce.daemon.capabilityBound { try Capabilities.bound(to: bound) }
  } catch { messages.write(.error, "\(error)") }
  raisePriority(inForce.daemon)
  // Of a user other than root plugins and helpers could not get them again.
  if geteuid() == 0 {
    let listens = !inForce.daemon.remoteSources.isEmpty
    Capabilities.makeEffective(only: listens ? [.dispatchers, .bindPorts] : .dispatchers)
  }
  // Now: it is a copy of this process, which grows from here on. Of one with a second thread, which
  // still asks a name server, no copy is made: then the dispatcher executes one.
  var starter: Starter?
  if WorkThread.isAlone {
    do throws(SystemError) { starter = try .copy() } catch { messages.write(.error, "\(error)") }
  }
  do {
    return try Dispatcher(
      configuration: inForce, node: node, legacy: legacy, starter: starter.take(),
      arguments: words
    ).run()
  } catch {
    messages.write(.error, "\(error)")
    return 1
  }
}

/// What is on disk, checked; `nil`: it cannot be started with, and that was said.
private func fresh(
  _ load: @escaping @Sendable () -> LoadedConfiguration, _ messages: inout Messages
) -> (InForce, NodeAtStart?)? {
  var loaded = load()
  loaded.noteIdleness()
  for diagnostic in loaded.diagnostics {
    let severity: Severity =
      switch diagnostic.severity {
      case .error: .error
      case .warning: .warning
      case .note: .info
      }
    messages.write(severity, diagnostic.description)
  }
  guard loaded.isDaemonUsable else {
    messages.write(.error, "the configuration cannot be used: not started")
    return nil
  }
  if Dispatcher.wouldServeItself(loaded.daemon) {
    messages.write(
      .error,
      "started by a plugin that a dispatcher with \(loaded.daemon.runtimeDirectory) serves: it would "
        + "serve itself; not started")
    return nil
  }
  let node = Dispatcher.node(by: loaded.daemon)
  if let problem = node.problem { messages.write(.warning, problem) }
  return (InForce(loaded, node: node.name), node)
}

private func print(_ text: String, to descriptor: Int32) {
  let line = text.hasSuffix("\n") ? text : text + "\n"
  do throws(Errno) {
    try Transfer.writeAll(descriptor, Array(line.utf8))
  } catch {
    exit(1)
  }
}
