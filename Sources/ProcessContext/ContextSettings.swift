/// What is to be known of processes, and what follows from it.
public struct ContextSettings: Equatable, Sendable {
  /// Processes that are known at most.
  public var limit = 20_000
  /// Login sessions that are known at most.
  public var loginLimit = 4096
  /// Names of variables of the environment that an exec shows; one that ends with `*` stands for all
  /// that begin so.
  public var environment: [[UInt8]] = []
  /// Whether scripts behind interpreters are looked for.
  public var findsScripts = true
  /// Whether containers and units are.
  public var findsGroups = true
  /// Whether the groups of a process are shown at its exec.
  public var showsUserGroups = false
  /// Bytes of an executable that is hashed at most; `nil` for no hashes.
  public var hashLimit: Int?
  public var labels = LabelRules()
  /// Whether more than the parent is told of those above a process.
  public var tellsAncestors = true
  /// This host's name: lines that name another node are of processes that are not here.
  public var node: [UInt8] = []

  public init() {}
}
