import CAudispatch
import Glibc

/// A program that another process is to start: with what, and confined to what.
public struct StartRequest: Sendable {
  public let path: String
  let arguments: [String]
  let environment: [String]
  let confinement: Confinement
  /// Of landlock; 0: the kernel has none.
  let version: Int

  /// - Parameter version: of landlock.
  public init(
    path: String, arguments: [String], environment: [String], confinement: Confinement,
    landlock version: Int = Landlock.version
  ) {
    self.path = path
    self.arguments = arguments
    self.environment = environment
    self.confinement = confinement
    self.version = confinement.restrictsPaths ? version : 0
  }

  private var rules: [(path: String, rights: UInt64)] {
    guard version > 0 else { return [] }
    return Landlock.rules(
      for: path, reading: confinement.readPaths ?? [], writing: confinement.writePaths ?? [],
      version: version)
  }

  /// As it goes to the starter; its layout stands in `starter.h`. Opens nothing.
  func bytes(number: UInt64) -> [UInt8] {
    let rules = rules
    let groups = confinement.supplementaryGroups ?? []
    var head = unsafe ad_start_head()
    unsafe head.number = number
    unsafe head.confinement = confinement.applied
    unsafe head.confinement.group_count = groups.count
    unsafe head.handled = Landlock.Rights.handled(by: version).rawValue
    unsafe head.scoped = Landlock.scoped(version)
    // With the program's name.
    unsafe head.arguments = UInt32(arguments.count + 1)
    unsafe head.variables = UInt32(environment.count)
    unsafe head.rules = UInt32(rules.count)
    var bytes = unsafe withUnsafeBytes(of: &head) { unsafe Array($0) }
    for group in groups { bytes.append(contentsOf: Self.bytes(of: group)) }
    for text in [path, path] + arguments + environment { Self.append(text, to: &bytes) }
    for rule in rules {
      bytes.append(contentsOf: Self.bytes(of: rule.rights))
      Self.append(rule.path, to: &bytes)
    }
    return bytes
  }

  private static func bytes(of number: some FixedWidthInteger) -> [UInt8] {
    var number = number
    return unsafe withUnsafeBytes(of: &number) { unsafe Array($0) }
  }

  /// A text that has a NUL ends there, as it does for every call that takes one.
  private static func append(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: text.utf8.prefix { $0 != 0 })
    bytes.append(0)
  }

  /// Whether these bytes are such a request, and nothing else.
  static func isWhole(_ bytes: [UInt8]) -> Bool {
    unsafe bytes.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return false }
      return unsafe ad_start_is_whole(start, bytes.count)
    }
  }

  /// Why it could not be started, as its child has said.
  func failure(_ report: ad_start_report) -> StartAttempt.Failure {
    var stage = unsafe String(cString: ad_spawn_stage(report.stage))
    let rules = rules
    if report.rule >= 0, Int(report.rule) < rules.count {
      stage += " \(rules[Int(report.rule)].path)"
    }
    let count = min(Int(report.head_count), MemoryLayout.size(ofValue: report.head))
    let head = unsafe withUnsafeBytes(of: report.head) {
      count > 0 ? unsafe Array($0.prefix(count)) : []
    }
    return StartAttempt.Failure(
      error: SpawnError(path: path, stage: stage, cause: Errno(report.error)),
      head: count < 0 || stage != "exec" ? nil : head,
      interpreter: report.interpreter_error == 0
        ? .success(report.interpreter_mode) : .failure(Errno(report.interpreter_error)))
  }
}
