import Configuration
import Glibc
import Journal
import Linux

/// What full queues have us say and do.
final class OverflowActions: Owner {
  let base: Base
  /// What `single` and `halt` executed; its result is why it could not be.
  private var commands: [Errand<String?>] = []
  private var foreignReport = RateLimit(every: .seconds(10))

  init(_ base: Base) {
    self.base = base
  }

  /// A queue was full for the first of its records.
  ///
  /// - Parameter isForeign: that was another host's, which has nothing done to this one.
  func began(_ plugin: Plugin, isForeign: Bool = false) {
    let configuration = plugin.configuration
    switch configuration.overflowAction {
    case .ignore, .dropOldest: break
    case .syslog, .spill, .lossless: report(plugin)
    case .suspend:
      let bound = "\(configuration.queueDepth) records, \(configuration.queueBytes) bytes"
      loop.say(.alert, "plugin \(plugin.name): queue full (\(bound)): suspended until resumed")
    case .single where isForeign, .halt where isForeign:
      guard foreignReport.pass(loop.now) != nil else { return }
      loop.say(
        .alert,
        "plugin \(plugin.name): queue full of other hosts' records: "
          + "\(configuration.overflowAction.rawValue) is for this host's own")
    case .single: execute(plugin, settings.daemon.singleCommand, "single-user mode")
    case .halt: execute(plugin, settings.daemon.haltCommand, "halt")
    }
  }

  private func execute(_ plugin: Plugin, _ command: [String], _ what: String) {
    guard let path = command.first else { return }
    var acts = false
    plugin.report { acts = $0.beginAction() }
    guard acts else { return }
    loop.say(
      .alert, "plugin \(plugin.name): queue full: \(what) (\(command.joined(separator: " ")))")
    do throws(SystemError) {
      // What it lies on may hang.
      commands.append(
        try Errand { answer in answer(Self.run(path, Array(command.dropFirst()))) })
      loop.wake(.overflows, in: .seconds(1))
    } catch { loop.say(.alert, "\(error)") }
  }

  /// Executes a command, and waits for its end; why it could not be executed.
  private static func run(_ path: String, _ arguments: [String]) -> String? {
    do {
      let null = try Descriptor.open("/dev/null", O_RDWR)
      let child = try ChildProcess(
        path: path, arguments: arguments, environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
        input: null.number, output: null.number, error: null.number)
      while child.reap() == nil { _ = Poll.readable([child.pidfd], within: nil) }
      return nil
    } catch { return "\(error)" }
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
      guard let failure = command.result else { return false }
      if let failure { loop.say(.alert, failure) }
      return true
    }
    if !commands.isEmpty { loop.wake(.overflows, in: .seconds(1)) }
  }
}
