/// What an event's processes are, beside what the event itself says.
public struct EventContext: Sendable {
  public internal(set) var process: KnownProcess?
  /// Parent, its parent, and so on as far as is known, at most `mostAncestors`.
  public internal(set) var ancestors: [KnownProcess] = []
  public internal(set) var sessionLeader: KnownProcess?
  /// The session leader by which somebody, or something, came in.
  public internal(set) var entryLeader: KnownProcess?
  /// The processes that the event was done to, by pid.
  public internal(set) var objects: [KnownProcess] = []
  /// Of an exec: the variables that were asked for, in the process's order.
  public internal(set) var environment: [(name: [UInt8], value: [UInt8])] = []
  /// Whether that is known of it, be it that none of them is set.
  public internal(set) var hasEnvironment = false
  /// Of an exec: the process's groups.
  public internal(set) var groups: [UInt32] = []
  public internal(set) var login: LoginSession?
  public internal(set) var labels: [[UInt8]] = []
  /// Whether this is the exec of the process.
  public internal(set) var isExec = false
  /// Whether a filter wants the event left out.
  public internal(set) var isFiltered = false
  /// What was asked for and could not be had, in words of ECS.
  public internal(set) var missing: [StaticString] = []

  public static let mostAncestors = 32

  public init() {}

  public var parent: KnownProcess? { ancestors.first }
}
