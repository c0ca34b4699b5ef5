public import Configuration
import Glibc
import Linux

/// What plugins of ours say of their own settings: their `--check`, as their user and under their
/// confinement, so that what would make them end again and again is known before.
public enum PluginCheck {
  /// How long one may take: longer, and a file system stands still.
  private static let patience = Duration.seconds(5)

  /// Those of some plugins that are active, and programs of ours.
  ///
  /// - Parameter begins: is told whose program's file is touched next.
  public static func candidates(
    of plugins: [PluginConfiguration], begins: (String) -> Void = { _ in }
  ) -> [PluginConfiguration] {
    plugins.filter { plugin in
      guard plugin.isActive, plugin.path.holds("/audispatch-") else { return false }
      begins(plugin.name)
      return isOurs(plugin.path)
    }
  }

  private static func isOurs(_ written: String) -> Bool {
    let path = (try? Files.resolved(written)) ?? written
    return [Installed.executableFolder, Installed.pluginFolder].contains { folder in
      path.hasPrefix(folder + "/audispatch-") && !path.dropFirst(folder.count + 1).contains("/")
    }
  }

  /// Asks each of them in turn. Blocks, for some milliseconds each as a rule.
  ///
  /// - Parameters:
  ///   - limit: for all together; those that were not asked by then are warned of.
  ///   - begins: is told who is asked next.
  public static func findings(
    _ plugins: [PluginConfiguration], within limit: Duration? = nil,
    begins: (String) -> Void = { _ in }
  ) -> [String: [Diagnostic]] {
    let end = limit.map { Moment.now + $0 }
    var all: [String: [Diagnostic]] = [:]
    for plugin in plugins {
      let left = end.map { $0 - .now } ?? patience
      begins(plugin.name)
      all[plugin.name] =
        left > .zero
        ? findings(plugin, within: min(left, patience))
        : [
          Diagnostic(
            .warning, file: plugin.file, "its --check was not run: those before it took too long")
        ]
    }
    return all
  }

  private static func findings(
    _ plugin: PluginConfiguration, within limit: Duration
  ) -> [Diagnostic] {
    do {
      let (end, lines) = try ask(plugin, within: limit)
      let found = lines.compactMap { diagnostic($0, plugin) }
      switch end {
      case .exit(0): return found
      case .exit where found.contains { $0.severity == .error }: return found
      case .some(let end):
        let last = lines.last.map { ": \($0)" } ?? ""
        return found + [
          Diagnostic(.error, file: plugin.file, "its --check ended with \(end)\(last)")
        ]
      case nil:
        return found + [
          Diagnostic(
            .warning, file: plugin.file,
            "its --check has not ended within \(max(1, Int(limit.inSeconds.rounded()))) s")
        ]
      }
    } catch {
      let spawn = error as? SpawnError
      let reason = spawn.flatMap { StartFailure().reason($0, plugin.confinement) }
      return [Diagnostic(.error, file: plugin.file, "\(error)", suggestion: reason)]
    }
  }

  private static func diagnostic(_ line: String, _ plugin: PluginConfiguration) -> Diagnostic? {
    let severity: Diagnostic.Severity
    if line.holds(": error: ") {
      severity = .error
    } else if line.holds(": warning: ") {
      severity = .warning
    } else {
      return nil
    }
    let advice = ConfinementAdvice(plugin.confinement, program: plugin.path)
    return Diagnostic(
      severity, file: plugin.file, "its own check: \(line)", suggestion: advice.clause(on: line))
  }

  /// Runs it; how it ended, `nil` when it had to be given up, and what it printed.
  private static func ask(
    _ plugin: PluginConfiguration, within limit: Duration
  ) throws -> (end: ChildEnd?, lines: [String]) {
    let null = try Descriptor.open("/dev/null", O_RDONLY)
    let pipe = try Pipe()
    let output = pipe.reading
    let child: ChildProcess
    do {
      let end = pipe.writing
      child = try ChildProcess(
        path: plugin.path, arguments: ["--check"] + plugin.arguments,
        environment: [
          "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "AUDISPATCH_PLUGIN=\(plugin.name)",
          "AUDISPATCH_OUTPUT=\(plugin.output.rawValue)",
        ],
        input: null.number, output: end.number, error: end.number,
        confinement: plugin.confinement)
    }
    let until = Moment.now + limit
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    var hasMore = true
    while hasMore, Moment.now < until, text.count < 64 << 10 {
      guard Poll.readable([output.number], within: until - .now)[0] else { continue }
      let result = unsafe chunk.withUnsafeMutableBytes {
        unsafe Transfer.read(output.number, into: $0)
      }
      if case .bytes(let count) = result { text += chunk[..<count] } else { hasMore = false }
    }
    _ = Poll.readable([child.pidfd], within: until - .now)
    var end = child.reap()
    if end == nil {
      child.signalGroup(SIGKILL)
      _ = Poll.readable([child.pidfd], within: .milliseconds(200))
      _ = child.reap()
      end = nil
    }
    let lines = text.split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
    return (end, lines)
  }
}
