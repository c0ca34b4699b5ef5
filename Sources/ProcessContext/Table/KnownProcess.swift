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
  /// The event of its last exec.
  public internal(set) var exec: RecordStamp?
  public internal(set) var ending = Ending.none
  /// Bytes that are missing behind `arguments`.
  public private(set) var argumentsCut = 0
  /// When its last event was, in milliseconds since 1970.
  var lastSeen: UInt64 = 0
  /// Where its parent is in the table.
  var parent: ProcessNumber?
  /// Whether its name is that of a program that lets people in.
  private(set) var isDoor = false
  /// All texts, in an array of one so that a copy of a process is one retain: each event copies its
  /// process and all those above. Changing a text copies them.
  private var texts = [Texts()]

  private struct Texts: Equatable, Sendable {
    var name: [UInt8] = []
    var executable: [UInt8] = []
    var arguments: [UInt8] = []
    var script: [UInt8] = []
    var container: [UInt8] = []
    var unit: [UInt8] = []
    var hash: [UInt8] = []
    var labels: [UInt16] = []
    var identity: [UInt8] = []
  }

  /// Bytes of arguments that are kept.
  public static let mostArguments = 512

  init(pid: Int32) { self.pid = pid }
}

extension KnownProcess {
  public internal(set) var name: [UInt8] {
    get { texts[0].name }
    set {
      texts[0].name = newValue
      isDoor = EntryLeader.isDoor(newValue)
    }
  }

  public internal(set) var executable: [UInt8] {
    get { texts[0].executable }
    set { texts[0].executable = newValue }
  }

  /// The arguments of its last exec with a NUL between them, cut at `mostArguments`.
  public var arguments: [UInt8] { texts[0].arguments }

  mutating func take(_ new: KeptArguments) {
    texts[0].arguments = new.bytes
    argumentsCut = new.cut
  }

  public internal(set) var script: [UInt8] {
    get { texts[0].script }
    set { texts[0].script = newValue }
  }

  public internal(set) var container: [UInt8] {
    get { texts[0].container }
    set { texts[0].container = newValue }
  }

  public internal(set) var unit: [UInt8] {
    get { texts[0].unit }
    set { texts[0].unit = newValue }
  }

  /// The sha256 of its executable, 32 bytes.
  public internal(set) var hash: [UInt8] {
    get { texts[0].hash }
    set { texts[0].hash = newValue }
  }

  /// Places in the list of labels, ascending.
  public internal(set) var labels: [UInt16] {
    get { texts[0].labels }
    set { texts[0].labels = newValue }
  }

  /// What it is called for ever.
  public internal(set) var identity: [UInt8] {
    get { texts[0].identity }
    set { texts[0].identity = newValue }
  }
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

/// Arguments with a NUL between them, as far as they are kept of a process.
struct KeptArguments: Equatable {
  private(set) var bytes: [UInt8] = []
  /// How many bytes were left out behind those.
  private(set) var cut = 0

  init(_ arguments: [[UInt8]]) {
    let all = arguments.reduce(max(arguments.count - 1, 0)) { $0 + $1.count }
    let most = KnownProcess.mostArguments
    bytes.reserveCapacity(min(all, most))
    for (place, argument) in arguments.enumerated() where bytes.count < most {
      if place > 0 { bytes.append(0) }
      bytes += argument.prefix(most - bytes.count)
    }
    cut = all - bytes.count
  }

  /// Those that were kept before; `nil` for more than that can be.
  init?(kept bytes: [UInt8], cut: Int) {
    guard bytes.count <= KnownProcess.mostArguments, cut >= 0 else { return nil }
    self.bytes = bytes
    self.cut = cut
  }
}
