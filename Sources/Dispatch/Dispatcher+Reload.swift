import Configuration
import Glibc
import Journal
import Linux

extension Dispatcher {
  /// Puts what was read into force: unchanged plugins keep running, changed ones restart with their
  /// queue, new ones start, those that are gone drain and stop, and a file that cannot be used any
  /// more keeps the plugin that runs.
  func apply(_ loaded: LoadedConfiguration) -> ReloadOutcome {
    guard ending.isRunning else { return .stopping }
    var said = loaded.diagnostics.filter { $0.severity != .note }.map(\.description)
    let isBeingWritten = loaded.isDaemonFileUnfinished && loaded.daemon != configuration
    if isBeingWritten, let file = loaded.daemonFile { said.append(Self.unfinished(file)) }
    if loaded.isDaemonUsable, !isBeingWritten {
      if let change = unreloadable(loaded.daemon) { said.append(change) }
      configuration.singleCommand = loaded.daemon.singleCommand
      configuration.haltCommand = loaded.daemon.haltCommand
      configuration.journalBytes = loaded.daemon.journalBytes
      configuration.controlGroup = loaded.daemon.controlGroup
      changeControlAccess()
      configuration.spoolKeep = loaded.daemon.spoolKeep
      reloadRemote(loaded.daemon.remote)
    } else {
      said.append("the daemon's configuration stays as it was")
    }
    var isKept = isBeingWritten
    let before = namesInForce
    if loaded.isPluginDirectoryRead, !isBeingWritten {
      isKept = apply(loaded, &said)
    } else {
      said.append("the plugins stay as they were")
    }
    for line in said { say(.warning, line) }
    let isRefused = loaded.exitStatus != 0 || !loaded.isPluginDirectoryRead || isKept
    let active = plugins.count { !$0.lifecycle.isBeingRemoved }
    let sum =
      "configuration read again\(isRefused ? ", but for what is refused" : ""): "
      + "\(active) active plugin\(active == 1 ? "" : "s")"
      + Self.difference(before, namesInForce)
    say(.info, sum)
    isInForceKept = false
    scheduleTick(now)
    return ReloadOutcome(lines: said + [sum], isRefused: isRefused)
  }

  private var namesInForce: Set<String> {
    Set(plugins.filter { !$0.lifecycle.isBeingRemoved }.map(\.name))
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
    inactive = usable.filter { !$0.isActive }
    let wanted = usable.filter(\.isActive)
    for plugin in plugins
    where !loaded.unusablePlugins.contains(plugin.name) && !kept.contains(plugin.name) {
      if var new = wanted.first(where: { $0.name == plugin.name }) {
        if let change = keepDurability(of: plugin, in: &new) { said.append(change) }
        apply(new, to: plugin)
      } else {
        handle(plugin, .stop(.remove))
      }
    }
    for new in wanted where !plugins.contains(where: { $0.name == new.name }) { add(new) }
    return !kept.isEmpty
  }

  /// Plugins that stay as they are, as their file is empty or ends in the midst of a line: whoever
  /// writes it in its place has not got to its end. One that says what is in force may.
  private func keptWhileWritten(
    _ loaded: LoadedConfiguration, _ said: inout [String]
  ) -> Set<String> {
    var kept: Set<String> = []
    for new in loaded.plugins where loaded.unfinishedPlugins.contains(new.name) {
      if let plugin = plugins.first(where: { $0.name == new.name }) {
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
    plugin.configuration = new
    plugin.subscription.limits = .init(new)
    plugin.subscription.announcesGaps = new.gapRecord
    plugin.lifecycle.policy = .init(new)
    if plugin.subscription.isDurable { applySafety(to: plugin) }
    if plugin.lifecycle.isBeingRemoved || old.needsRestart(for: new) {
      handle(plugin, .stop(.restart))
    } else if old.path == new.path, plugin.child?.catches(SIGHUP) ?? false {
      plugin.child?.signal(SIGHUP)
    }
    // As with auditd, a reload ends a suspension and gives a plugin that had given up a new chance.
    resume(plugin)
  }

  /// Where a queue goes on cannot change while it has records: what was in force stays.
  private func keepDurability(of plugin: Plugin, in new: inout PluginConfiguration) -> String? {
    let old = plugin.configuration.overflowAction
    guard !source.canWait, old.isDurable != new.overflowAction.isDurable else { return nil }
    let wanted = new.overflowAction
    new.overflowAction = old
    return "plugin \(plugin.name): overflow_action = \(wanted.rawValue) needs a restart of "
      + "audispatchd; until then it stays \(old.rawValue)"
  }

  /// What cannot change while the dispatcher runs.
  private func unreloadable(_ new: DaemonConfiguration) -> String? {
    var names: [String] = []
    if new.sources != configuration.sources { names.append("source") }
    if new.runtimeDirectory != configuration.runtimeDirectory { names.append("runtime_dir") }
    if new.nameFormat != configuration.nameFormat || new.nodeName != configuration.nodeName {
      names.append("name_format")
    }
    if new.spoolDirectory != configuration.spoolDirectory { names.append("spool_dir") }
    if new.spoolReserve != configuration.spoolReserve { names.append("spool_reserve") }
    if new.logFormat != configuration.logFormat { names.append("log_format") }
    if new.capabilityBound != configuration.capabilityBound { names.append("capability_bound") }
    return names.isEmpty
      ? nil : "\(names.joined(separator: ", ")): a change needs a restart of audispatchd"
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
      || output != new.output || executable != new.executable || confinement != new.confinement
  }
}
