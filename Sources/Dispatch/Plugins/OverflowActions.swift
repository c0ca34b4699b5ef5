import Configuration
import Glibc
import Journal
import Linux
import Synchronization

/// What full queues have us say and do.
final class OverflowActions: Owner {
  let base: Base
  /// What `single` and `halt` executed.
  private var commands: [OverflowCommand] = []

  init(_ base: Base) {
    self.base = base
  }

  /// A queue was full for the first of its records.
  func began(_ plugin: Plugin) {
    let configuration = plugin.configuration
    switch configuration.overflowAction {
    case .ignore, .dropOldest: break
    case .syslog, .spill, .lossless: report(plugin)
    case .suspend:
      let bound = "\(configuration.queueDepth) records, \(configuration.queueBytes) bytes"
      loop.say(.alert, "plugin \(plugin.name): queue full (\(bound)): suspended until resumed")
    case .single: execute(plugin, settings.daemon.singleCommand, "single-user mode")
    case .halt: execute(plugin, settings.daemon.haltCommand, "halt")
    }
  }

  private func execute(_ plugin: Plugin, _ command: [String], _ what: String) {
    guard let path = command.first else { return }
    var acts = false
    plugin.report { acts = $0.acts() }
    guard acts else { return }
    loop.say(
      .alert, "plugin \(plugin.name): queue full: \(what) (\(command.joined(separator: " ")))")
    let new = OverflowCommand(path: path, arguments: Array(command.dropFirst()))
    do throws(SystemError) {
      try WorkThread(new).detach()
      commands.append(new)
      loop.wake(.overflows, in: .seconds(1))
    } catch { loop.say(.alert, "\(error)") }
  }

  /// Says at a steady low rate what a plugin is losing, and why; the last time, whatever was not said.
  func report(_ plugin: Plugin, isLast: Bool = false) {
    var news: String?
    plugin.report {
      news = $0.news(
        plugin.subscription.counters, plugin.configuration.overflowAction, loop.now,
        isLast: isLast)
    }
    if let news { loop.say(.error, "plugin \(plugin.name): \(news)") }
  }

  /// Takes note of commands that have ended, or could not be executed.
  func tend() {
    commands.removeAll { command in
      guard let outcome = command.outcome else { return false }
      if case .failed(let reason) = outcome { loop.say(.alert, reason) }
      return true
    }
    if !commands.isEmpty { loop.wake(.overflows, in: .seconds(1)) }
  }
}

/// A command that an overflow action executes: on a thread of its own, as what it lies on may hang.
private final class OverflowCommand: ThreadWork {
  enum Outcome { case ended, failed(String) }

  private let path: String
  private let arguments: [String]
  private let result = Mutex<Outcome?>(nil)

  init(path: String, arguments: [String]) {
    self.path = path
    self.arguments = arguments
  }

  /// `nil`: it is being executed, or runs.
  var outcome: Outcome? { result.withLock { $0 } }

  func run() {
    do {
      let null = try Descriptor.open("/dev/null", O_RDWR)
      let child = try ChildProcess(
        path: path, arguments: arguments, environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
        input: null.number, output: null.number, error: null.number)
      while child.reap() == nil { _ = Poll.readable([child.pidfd], within: nil) }
      result.withLock { $0 = .ended }
    } catch { result.withLock { $0 = .failed("\(error)") } }
  }
}
