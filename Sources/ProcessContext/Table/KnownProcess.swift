public import AuditRecord

/// What is known of one process, from its events and from /proc.
///
/// An empty text is not known. Texts are bytes as the event or /proc has them: somebody else's
/// choice, so shown through what escapes them.
public struct KnownProcess: Equatable, Sendable {
  /// How it was seen that a process has ended.
  public enum Ending: UInt8, Sendable {
    /// It was not: it may be running.
    case none
    /// It is not in /proc any more. Events of it may still come, from a queue.
    case gone
    /// Its own event said so; nothing of it comes behind that.
    case exited
  }

  public internal(set) var pid: Int32
  /// Clock ticks from the system's start to its own, as /proc has it; 0 is not known. Together with
  /// the pid it names a process for ever.
  public internal(set) var started: UInt64 = 0
  public internal(set) var parentPid: Int32 = 0
  /// The pid of its session's leader; 0 is not known.
  public internal(set) var session: Int32 = 0
  public internal(set) var name: [UInt8] = []
  public internal(set) var executable: [UInt8] = []
  /// The arguments of its last exec with a NUL between them, cut at `mostArguments`.
  public internal(set) var arguments: [UInt8] = []
  public internal(set) var script: [UInt8] = []
  public internal(set) var container: [UInt8] = []
  public internal(set) var unit: [UInt8] = []
  /// The sha256 of its executable, 32 bytes.
  public internal(set) var hash: [UInt8] = []
  /// Places in the list of labels, ascending.
  public internal(set) var labels: [UInt16] = []
  /// The event of its last exec.
  public internal(set) var exec: RecordStamp?
  public internal(set) var ending = Ending.none
  /// What it is called for ever.
  public internal(set) var identity: [UInt8] = []
  /// When its last event was, in milliseconds since 1970.
  var lastSeen: UInt64 = 0
  /// Where its parent is in the table.
  var parent: ProcessNumber?

  /// Bytes of arguments that are kept.
  public static let mostArguments = 512

  init(pid: Int32) { self.pid = pid }
}

/// A process in the table; never used twice.
struct ProcessNumber: Hashable, Comparable, Sendable {
  let value: UInt64
  /// Where the table has it.
  var slot = 0

  static func == (a: Self, b: Self) -> Bool { a.value == b.value }
  static func < (a: Self, b: Self) -> Bool { a.value < b.value }
  func hash(into hasher: inout Hasher) { hasher.combine(value) }
}
