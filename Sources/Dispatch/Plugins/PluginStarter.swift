import Configuration
import Glibc
import Journal
import Linux

/// Makes a plugin's process, with all that belongs to it.
final class PluginStarter: Owner {
  let base: Base
  private let ledger: Ledger
  private let custody: Custody
  private let output: PluginOutput
  /// What plugins that confirm know their gap records by: nobody else has it.
  private let gapWord = String(UInt64.random(in: .min ... .max), radix: 36)

  init(_ base: Base, _ ledger: Ledger, _ custody: Custody, _ output: PluginOutput) {
    self.base = base
    self.ledger = ledger
    self.custody = custody
    self.output = output
  }

  /// Starts the process; the plugin does not have it yet.
  func start(_ plugin: Plugin) throws -> PluginChild {
    let configuration = plugin.configuration
    let (ours, theirs) = try UnixSocket.pair()
    let ourEnd = Descriptor(owning: ours)
    let childEnd = Descriptor(owning: theirs)
    let (reading, writing) = try Pipe.open()
    let caught = OutputCatcher(owning: Descriptor(owning: reading))
    let messagesEnd = Descriptor(owning: writing)
    let passed = try output.prepare(for: plugin)
    let standardOutput = passed?.childEnd.number ?? messagesEnd.number
    plugin.subscription.confirms = configuration.confirms
    plugin.subscription.setGapMark(configuration.confirms ? gapWord : nil)
    runtime.isStarting(plugin.name)
    var confinement = configuration.confinement
    confinement.isOrdinary = true
    let process = try ChildProcess(
      path: configuration.path, arguments: configuration.arguments,
      environment: environment(of: plugin), input: childEnd.number, output: standardOutput,
      error: messagesEnd.number, confinement: confinement)
    ourEnd.setNonblocking(true)
    let child = PluginChild(
      process, number: plugin.slot == nil ? 0 : custody.nextChild(ledger.survivor.generation),
      ourEnd: ourEnd, childEnd: childEnd, output: caught, passed: passed?.output,
      confirms: configuration.confirms, isBinary: configuration.format == .binary)
    try watch(child, of: plugin)
    return child
  }

  private func environment(of plugin: Plugin) -> [String] {
    var environment = [
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "AUDISPATCH_PLUGIN=\(plugin.name)", "AUDISPATCH_VERSION=\(Dispatcher.version)",
      "\(Orphans.variable)=\(runtime.path)",
      "AUDISPATCH_OUTPUT=\(plugin.configuration.output.rawValue)",
    ]
    if plugin.configuration.confirms {
      environment.append("AUDISPATCH_FIRST=\(plugin.subscription.firstNumber.value)")
      environment.append("AUDISPATCH_GAP=\(gapWord)")
    }
    return environment
  }

  private func watch(_ child: PluginChild, of plugin: Plugin) throws(SystemError) {
    let id = UInt64(plugin.id)
    do throws(SystemError) {
      try loop.poller.watch(child.process.pidfd, Token.pluginEnd | id, .read)
      try loop.poller.watch(child.outputNumber, Token.pluginOutput | id, .read)
      if plugin.configuration.confirms {
        try loop.poller.watch(child.inputNumber, Token.pluginInput | id, .read)
      }
    } catch {
      // Nobody would see it end.
      child.process.signal(SIGKILL)
      _ = Poll.readable([child.process.pidfd], within: .seconds(1))
      _ = child.process.reap()
      throw error
    }
  }

  /// The plugin has its child: should this process die, others have its socket.
  func keep(_ child: PluginChild, of plugin: Plugin) {
    guard let slot = plugin.slot else { return }
    ledger.survivor.beginChild(slot, plugin.name, child.number)
    ledger.publish()
    custody.keep(child)
  }
}
