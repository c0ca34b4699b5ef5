import Glibc
import Journal
import Linux

/// Children that were given up before they were their program: they were killed, and have not ended.
///
/// What waits in the kernel for a file system that does not answer may stay there, killed or not, until
/// that answers or is gone. It never becomes its program then, and has nothing of the plugin's.
final class Stragglers {
  typealias ID = Ordinal<Stragglers>

  /// For so long an end is expected.
  static let patience = Duration.seconds(1)

  private final class Straggler {
    let process: ChildProcess
    let plugin: PluginID
    let name: String
    let since: Moment
    var isLeftBehind = false
    /// Its end wakes the loop.
    var isWatched = false

    init(_ process: consuming ChildProcess, _ plugin: Plugin, since: Moment) {
      self.process = process
      self.plugin = plugin.id
      name = plugin.name
      self.since = since
    }
  }

  private let loop: Loop
  private var all: [ID: Straggler] = [:]
  private var next = ID.first

  init(_ loop: Loop) { self.loop = loop }

  /// - Returns: what its end is told by.
  func add(_ process: consuming ChildProcess, of plugin: Plugin) -> ID {
    process.signal(SIGKILL)
    let straggler = Straggler(process, plugin, since: loop.now)
    let id = next
    next = id.next
    all[id] = straggler
    straggler.isWatched = loop.waitFor(straggler.process.pidfd, .straggler(id), .read)
    if !straggler.isWatched { loop.wake(.plugins, in: .seconds(1)) }
    return id
  }

  /// Whether it has ended; it is gone then.
  ///
  /// - Returns: the plugin whose child it was.
  func takeEnded(_ id: ID) -> PluginID? {
    guard let straggler = all[id], straggler.process.reap() != nil else { return nil }
    loop.poller.remove(straggler.process.pidfd)
    all[id] = nil
    if straggler.isLeftBehind {
      loop.say(
        .notice,
        "plugin \(straggler.name): process \(straggler.process.pid), left behind, has ended")
    }
    return straggler.plugin
  }

  /// How many of a plugin's are there that should have ended.
  func leftBehind(of plugin: PluginID) -> Int {
    all.values.count { $0.plugin == plugin && $0.isLeftBehind }
  }

  /// Those whose end nobody would be woken by.
  var unwatched: [ID] {
    let ids = all.filter { !$0.value.isWatched }.map(\.key)
    if !ids.isEmpty { loop.wake(.plugins, in: .seconds(1)) }
    return ids
  }

  /// Says which do not end.
  ///
  /// - Returns: the plugins that they were of.
  func tend() -> [PluginID] {
    var plugins: [PluginID] = []
    for straggler in all.values where !straggler.isLeftBehind {
      guard loop.hasCome(straggler.since + Self.patience, .plugins) else { continue }
      straggler.isLeftBehind = true
      plugins.append(straggler.plugin)
      loop.say(
        .error,
        "plugin \(straggler.name): process \(straggler.process.pid) does not end, though it was "
          + "killed at its start: a file system does not answer; it is left behind")
    }
    return plugins
  }
}
