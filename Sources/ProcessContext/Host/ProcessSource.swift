public import Linux

/// The door to what a system says of its running processes. Tests have made ones.
public protocol ProcessSource: AnyObject {
  /// Milliseconds since 1970 at the system's start.
  var started: UInt64 { get }
  /// What names this run of the system: some hexadecimal digits.
  var run: [UInt8] { get }
  /// The pids that there are; `nil` where it cannot be said.
  func pids() -> Set<Int32>?
  func status(of pid: Int32) -> ProcessStatus?
  /// Where its executable is, as the kernel has it: behind a deleted one stands ` (deleted)`.
  func executable(of pid: Int32) -> [UInt8]?
  /// Its arguments, each with a NUL behind it.
  func arguments(of pid: Int32) -> [UInt8]?
  func controlGroups(of pid: Int32) -> [UInt8]?
  /// Its environment when it was started, each variable with a NUL behind it.
  func environment(of pid: Int32) -> [UInt8]?
  func groups(of pid: Int32) -> [UInt32]?
  /// What a path leads to where that process is.
  func file(_ path: [UInt8], seenBy pid: Int32) -> FileIdentity?
  /// The sha256 of what it executes, if that is at most so large.
  func hash(of pid: Int32, limit: Int) -> [UInt8]?
  /// Whether it executes that at this moment, by the name that it has for the process itself, without
  /// ` (deleted)`.
  func executes(_ executable: [UInt8], _ pid: Int32) -> Bool
}

/// What /proc/PID/stat says.
public struct ProcessStatus: Equatable, Sendable {
  public var parent: Int32
  public var session: Int32
  /// Clock ticks since the system's start.
  public var started: UInt64
  public var name: [UInt8]

  public init(parent: Int32, session: Int32, started: UInt64, name: [UInt8]) {
    self.parent = parent
    self.session = session
    self.started = started
    self.name = name
  }

  /// Reads the line; a name may hold brackets, blanks and newlines.
  init?(_ line: ArraySlice<UInt8>) {
    guard let open = line.firstIndex(of: UInt8(ascii: "(")),
      let close = line.lastIndex(of: UInt8(ascii: ")")), open < close
    else { return nil }
    name = Array(line[(open + 1)..<close])
    // Behind the name: state, parent, group, session, …; the 20th is the start.
    var fields: [Int] = []
    fields.reserveCapacity(20)
    var at = close + 2
    while at < line.endIndex, fields.count < 20 {
      var value = 0
      var isNegative = false
      while at < line.endIndex, line[at] != 0x20 {
        let byte = line[at]
        if byte == 0x2d { isNegative = true }
        if byte &- 0x30 < 10 { value = value &* 10 &+ Int(byte &- 0x30) }
        at += 1
      }
      fields.append(isNegative ? -value : value)
      at += 1
    }
    guard fields.count == 20 else { return nil }
    parent = Int32(truncatingIfNeeded: fields[1])
    session = Int32(truncatingIfNeeded: fields[3])
    started = UInt64(truncatingIfNeeded: fields[19])
  }
}
