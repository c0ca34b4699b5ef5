import Configuration
import Journal
import Linux

/// Reads the configuration again, and puts it into force or reports on it.
final class Reloading: Owner {
  /// What a request is answered with.
  enum Purpose { case reload, check }

  private typealias Request = (purpose: Purpose, client: ControlClient.ID?)

  let base: Base
  private let custody: Custody
  private let durable: DurableQueues
  private let supervisor: Supervisor
  private let control: ControlDesk
  private let remote: RemoteInput?
  private let service: ServiceLink?
  /// Of the daemon.
  private let arguments: [String]
  private var reading: Errand<ConfigurationReading.Outcome>?
  /// The requests that are answered with what is being read; without a client a signal asked.
  private var requests: [Request] = []
  /// What was asked for since: files may have changed that were read by then.
  private var later: [Request] = []
  /// Whether plugins are told otherwise now whose records others' are.
  private var tellsHostsAnew = false

  init(
    _ base: Base, _ custody: Custody, _ durable: DurableQueues, _ supervisor: Supervisor,
    _ control: ControlDesk, _ remote: RemoteInput?, _ service: ServiceLink?,
    arguments: [String]
  ) {
    self.base = base
    self.custody = custody
    self.durable = durable
    self.supervisor = supervisor
    self.control = control
    self.remote = remote
    self.service = service
    self.arguments = arguments
  }

  // MARK: Reading

  /// - Parameter client: whom to answer; `nil`: nobody.
  func ask(_ purpose: Purpose, for client: ControlClient.ID?) {
    later.append((purpose, client))
    if reading == nil { begin() }
  }

  private func begin() {
    requests = later
    later = []
    if requests.contains(where: { $0.purpose == .reload }) { service?.beginsReload(loop.now) }
    do throws(SystemError) {
      let new = try ConfigurationReading.start(arguments)
      try loop.poller.watch(new.number, Token.loading, .read)
      reading = new
    } catch {
      refuse("the configuration cannot be read: \(error)")
    }
  }

  /// The configuration was read.
  func finish() {
    guard let reading, let outcome = reading.result else { return }
    loop.poller.remove(reading.number)
    self.reading = nil
    switch outcome {
    case .read(let loaded): conclude(loaded)
    case .failed(let reason): refuse(reason)
    }
    if !later.isEmpty { begin() }
  }

  /// Nothing is known of what is on disk: all stays as it was.
  private func refuse(_ reason: String) {
    let line = reason + ": all stays as it was"
    loop.say(.error, line)
    if ending.isRunning, requests.contains(where: { $0.purpose == .reload }) {
      service?.endsReload()
    }
    for request in requests {
      let outcome = ReloadOutcome(lines: [line], isRefused: true)
      control.answer(request.client, with: "ok\n" + outcome.answer)
    }
    requests = []
  }

  private func conclude(_ loaded: LoadedConfiguration) {
    let isReload = requests.contains { $0.purpose == .reload }
    let outcome = isReload ? apply(loaded) : nil
    // A stop may have begun meanwhile: the service manager is not told that all is ready then.
    if isReload, ending.isRunning { service?.endsReload() }
    var loaded = loaded
    loaded.noteIdleness()
    for request in requests {
      let text =
        switch request.purpose {
        case .reload: outcome?.answer ?? ""
        case .check: loaded.report + "status \(loaded.exitStatus)\n"
        }
      control.answer(request.client, with: "ok\n" + text)
    }
    requests = []
  }

  // MARK: Applying

  /// Puts what was read into force: unchanged plugins keep running, changed ones restart with their
  /// queue, new ones start, those that are gone drain and stop, and a file that cannot be used any
  /// more keeps the plugin that runs.
  private func apply(_ loaded: LoadedConfiguration) -> ReloadOutcome {
    guard ending.isRunning else { return .stopping }
    var said = loaded.diagnostics.filter { $0.severity != .note }.map(\.description)
    let isBeingWritten = loaded.isDaemonFileUnfinished && loaded.daemon != settings.daemon
    if isBeingWritten, let file = loaded.daemonFile { said.append(Self.unfinished(file)) }
    let former = settings.daemon.remote.nodePolicy
    if loaded.isDaemonUsable, !isBeingWritten {
      if let refused = settings.change(to: loaded.daemon) { said.append(refused) }
      control.changeAccess()
      remote?.receiver.reconfigure()
    } else {
      said.append("the daemon's configuration stays as it was")
    }
    let policy = settings.daemon.remote.nodePolicy
    tellsHostsAnew = remote != nil && (policy == .accept) != (former == .accept)
    var isKept = isBeingWritten
    let before = namesInForce
    if loaded.isPluginDirectoryRead, !isBeingWritten {
      isKept = apply(loaded, &said)
    } else {
      said.append("the plugins stay as they were")
    }
    for line in said { loop.say(.warning, line) }
    let isRefused = loaded.exitStatus != 0 || !loaded.isPluginDirectoryRead || isKept
    let active = plugins.all.count { !$0.lifecycle.isBeingRemoved }
    let sum =
      "configuration read again\(isRefused ? ", but for what is refused" : ""): "
      + counted(active, "active plugin")
      + Self.difference(before, namesInForce)
    loop.say(.info, sum)
    custody.inForceHasChanged()
    loop.wakeAll()
    return ReloadOutcome(lines: said + [sum], isRefused: isRefused)
  }

  private var namesInForce: Set<String> {
    Set(plugins.all.filter { !$0.lifecycle.isBeingRemoved }.map(\.name))
  }

  /// Which plugins came and went, as a clause.
  private static func difference(_ before: Set<String>, _ after: Set<String>) -> String {
    let came = after.subtracting(before).sorted().joined(separator: ", ")
    let went = before.subtracting(after).sorted().joined(separator: ", ")
    return (came.isEmpty ? "" : "; new: \(came)") + (went.isEmpty ? "" : "; gone: \(went)")
  }

  /// - Returns: whether what a file says was not applied, as somebody may be writing it.
  private func apply(_ loaded: LoadedConfiguration, _ said: inout [String]) -> Bool {
    let kept = keptWhileWritten(loaded, &said)
    let usable = loaded.plugins.filter { !kept.contains($0.name) }
    settings.change(inactive: usable.filter { !$0.isActive })
    let wanted = usable.filter(\.isActive)
    for plugin in plugins.all
    where !loaded.unusablePlugins.contains(plugin.name) && !kept.contains(plugin.name) {
      if var new = wanted.first(where: { $0.name == plugin.name }) {
        if let change = keepDurability(of: plugin, in: &new) { said.append(change) }
        apply(new, to: plugin)
      } else {
        supervisor.handle(plugin, .stop(.remove))
      }
    }
    for new in wanted where plugins.named(new.name) == nil { supervisor.add(new) }
    return !kept.isEmpty
  }

  /// Plugins whose file is empty, or has no newline at its end, stay as they are: somebody may be
  /// writing it. A file that says what is in force is complete.
  private func keptWhileWritten(
    _ loaded: LoadedConfiguration, _ said: inout [String]
  ) -> Set<String> {
    var kept: Set<String> = []
    for new in loaded.plugins where loaded.unfinishedPlugins.contains(new.name) {
      if let plugin = plugins.named(new.name) {
        var same = new
        same.executable = plugin.configuration.executable
        if same == plugin.configuration { continue }
      } else if !new.isActive {
        continue
      }
      kept.insert(new.name)
      said.append(Self.unfinished(new.file))
    }
    return kept
  }

  private static func unfinished(_ file: String) -> String {
    "\(file) is empty or does not end with a newline, as if it were being written: "
      + "what it says is not applied; end its last line and reload again"
  }

  private func apply(_ new: PluginConfiguration, to plugin: Plugin) {
    let old = plugin.configuration
    plugin.configure(new)
    durable.applySafety(to: plugin)
    let isToldAnew = tellsHostsAnew && new.hosts == .all
    if plugin.lifecycle.isBeingRemoved || isToldAnew || old.needsRestart(for: new) {
      supervisor.handle(plugin, .stop(.restart))
    } else {
      supervisor.tellReload(plugin, isNew: true)
    }
    // As with auditd, a reload ends a suspension and gives a plugin that had given up a new chance.
    supervisor.resume(plugin)
  }

  /// Where a queue goes on cannot change while it has records: what was in force stays.
  private func keepDurability(of plugin: Plugin, in new: inout PluginConfiguration) -> String? {
    let old = plugin.configuration.overflowAction
    guard !isReplay, old.isDurable != new.overflowAction.isDurable else { return nil }
    let wanted = new.overflowAction
    new.overflowAction = old
    return "plugin \(plugin.name): overflow_action = \(wanted.rawValue) needs a restart of "
      + "audispatchd; until then it stays \(old.rawValue)"
  }
}

/// What a reload came to.
struct ReloadOutcome {
  /// What was found, and the sum.
  let lines: [String]
  /// Something of the configuration was not taken.
  let isRefused: Bool

  static let stopping = ReloadOutcome(lines: ["stopping: nothing was read again"], isRefused: true)

  /// For whoever asked over the control socket; the last line is the exit status.
  var answer: String {
    lines.map { $0 + "\n" }.joined() + "status \(isRefused ? 6 : 0)\n"
  }
}

extension PluginConfiguration {
  /// Whether the child has to be a new one.
  fileprivate func needsRestart(for new: PluginConfiguration) -> Bool {
    path != new.path || arguments != new.arguments || format != new.format
      || binaryFraming != new.binaryFraming || confirms != new.confirms
      || output != new.output || hosts != new.hosts || executable != new.executable
      || confinement != new.confinement
  }
}
