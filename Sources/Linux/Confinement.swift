import CAudispatch
import Glibc

/// What a child gives up between its start and its program's.
///
/// A plain value: users and groups are numbers, looked up before.
public struct Confinement: Equatable, Codable, Sendable {
  public var user: UInt32?
  public var group: UInt32?
  /// `nil`: none when there is a user or a group, else the parent's.
  public var supplementaryGroups: [UInt32]?
  /// What is kept, whoever the user is; nothing else can be had again. `nil`: none when there is a
  /// user other than root, else the parent's.
  public var capabilities: Capabilities?
  /// Whether executing a program never gives more rights than there are.
  public var noNewPrivileges = false
  /// Whether the kernel ends it for want of memory as readily as any program, however its parent
  /// stands (oom_score_adj 0).
  public var isOrdinary = false
  public var limits = Limits()
  /// Paths to files and folders that are all it may read and execute, beside itself, the libraries,
  /// and what it may write. `nil` with `writePaths` too: everything.
  public var readPaths: [String]?
  /// Paths below which it may also write, create and remove.
  public var writePaths: [String]?

  /// Resource limits; `nil`: the parent's.
  public struct Limits: Equatable, Codable, Sendable {
    /// Descriptors (RLIMIT_NOFILE).
    public var files: Int64?
    /// Processes and threads of its user (RLIMIT_NPROC).
    public var processes: Int64?
    /// Bytes of address space (RLIMIT_AS).
    public var memory: Int64?
    /// Bytes of a core file (RLIMIT_CORE).
    public var core: Int64?

    public init() {}
  }

  public init() {}

  /// What it needs and would not find, as a clause; `nil`: nothing.
  public func objection(within bound: Capabilities) -> String? {
    var needed: [(Capabilities, String)] = [(capabilities ?? [], "capabilities")]
    if user != nil { needed.append((.setUser, "user")) }
    if user != nil || group != nil || supplementaryGroups != nil {
      needed.append((.setGroup, "group"))
    }
    if let capabilities, !bound.isSubset(of: capabilities) {
      needed.append((.setBound, "capabilities"))
    }
    for (capabilities, keyword) in needed where !capabilities.isSubset(of: bound) {
      let missing = capabilities.subtracting(bound).names.joined(separator: ", ")
      return "\(keyword) needs \(missing)"
    }
    return nil
  }

  public var restrictsPaths: Bool { readPaths != nil || writePaths != nil }

  /// What the child applies, without groups and paths.
  var applied: ad_confinement {
    var prepared = unsafe ad_confinement()
    unsafe prepared.limits = (
      limits.files ?? -1, limits.processes ?? -1, limits.memory ?? -1, limits.core ?? -1
    )
    unsafe prepared.ruleset = -1
    unsafe prepared.ordinary = isOrdinary
    unsafe prepared.no_new_privileges = noNewPrivileges || restrictsPaths
    if let user {
      unsafe prepared.sets_user = true
      unsafe prepared.user = user
    }
    if let group {
      unsafe prepared.sets_group = true
      unsafe prepared.group = group
    }
    unsafe prepared.sets_bounding = capabilities != nil
    unsafe prepared.sets_capabilities = capabilities != nil || user ?? 0 != 0
    unsafe prepared.capabilities = capabilities?.rawValue ?? 0
    unsafe prepared.sets_groups = supplementaryGroups != nil || user != nil || group != nil
    return unsafe prepared
  }

  /// Gives the call what the child applies; with all paths opened.
  func withPrepared<Result>(
    for program: String, _ body: (UnsafePointer<ad_confinement>?) -> Result
  ) throws(SystemError) -> Result {
    if self == Confinement() { return body(nil) }
    var prepared = unsafe applied
    let version = restrictsPaths ? Landlock.version : 0
    var ruleset: Int32 = -1
    if version > 0 {
      ruleset = try Landlock.ruleset(
        for: program, reading: readPaths ?? [], writing: writePaths ?? [], version: version
      ).release()
    }
    defer { if ruleset >= 0 { close(ruleset) } }
    unsafe prepared.ruleset = ruleset
    let groups = supplementaryGroups ?? []
    return unsafe groups.withUnsafeBufferPointer { groups in
      unsafe prepared.groups = groups.baseAddress
      unsafe prepared.group_count = groups.count
      return unsafe withUnsafePointer(to: prepared) { unsafe body($0) }
    }
  }
}
