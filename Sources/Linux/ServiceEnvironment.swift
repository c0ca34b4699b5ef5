import Glibc

/// What a service manager left in the environment of a process that it started (sd_notify(3),
/// sd_listen_fds(3), sd_watchdog_enabled(3)).
public struct ServiceEnvironment: Equatable, Sendable {
  /// Where it wants to be told: a path, or an abstract name with `@` in front.
  public var notifySocket: String?
  /// How long it waits for a sign of life before it kills.
  public var watchdog: Duration?
  /// The names of the descriptors that it handed over, of which the first is 3.
  public var descriptorNames: [String] = []

  static let variables = [
    "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID",
    "LISTEN_FDNAMES",
  ]

  /// What is meant for another process, or makes no sense, is passed over.
  public init(pid: Int32, _ variable: (String) -> String?) {
    if let socket = variable("NOTIFY_SOCKET"), let first = socket.first, "/@".contains(first) {
      notifySocket = socket
    }
    let isWatched = variable("WATCHDOG_PID").map { Int32($0) == pid } ?? true
    if isWatched, let text = variable("WATCHDOG_USEC"), let microseconds = Int64(text),
      microseconds > 0
    {
      watchdog = .microseconds(microseconds)
    }
    guard variable("LISTEN_PID").flatMap({ Int32($0) }) == pid,
      let count = variable("LISTEN_FDS").flatMap({ Int($0) }), (1...16384).contains(count)
    else { return }
    let names = (variable("LISTEN_FDNAMES") ?? "").split(
      separator: ":", omittingEmptySubsequences: false)
    descriptorNames = (0..<count).map { names.indices.contains($0) ? String(names[$0]) : "" }
  }

  /// Takes it out of this process's environment, so that no other process takes it for its own.
  public static func take() -> ServiceEnvironment {
    var values: [String: String] = [:]
    for name in variables { values[name] = Environment.take(name) }
    return ServiceEnvironment(pid: getpid()) { values[$0] }
  }
}
