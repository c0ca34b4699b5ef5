import AudispatchPlugin
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

  /// What changes apart from its texts, and those.
  private struct Facts: Equatable, Sendable {
    var pid: Int32
    var started: UInt64 = 0
    var parentPid: Int32 = 0
    var session: Int32 = 0
    var exec: RecordStamp?
    var ending = Ending.none
    var parent: ProcessNumber?
    var isDoor = false
    /// An array of one, as it is everywhere the same until a text changes.
    var texts = [Texts()]
  }

  fileprivate struct Texts: Equatable, Sendable {
    var name: [UInt8] = []
    var executable: [UInt8] = []
    var arguments: [UInt8] = []
    var argumentsCut = 0
    var script: [UInt8] = []
    var container: [UInt8] = []
    var unit: [UInt8] = []
    var hash: [UInt8] = []
    var labels: [UInt16] = []
    var identity: [UInt8] = []
  }

  /// An array of one, so that a copy of a process is one retain: each event copies its process and all
  /// those above. Changing anything copies what others have too.
  private var facts: [Facts]

  /// Bytes of arguments that are kept.
  public static let mostArguments = 512

  init(pid: Int32) { facts = [Facts(pid: pid)] }
}

extension KnownProcess {
  public internal(set) var pid: Int32 {
    get { facts[0].pid }
    set { facts[0].pid = newValue }
  }

  /// Clock ticks from the system's start to its own, as /proc has it; 0 is not known. Together with
  /// the pid it names a process for ever.
  public internal(set) var started: UInt64 {
    get { facts[0].started }
    set { facts[0].started = newValue }
  }

  public internal(set) var parentPid: Int32 {
    get { facts[0].parentPid }
    set { facts[0].parentPid = newValue }
  }

  /// The pid of its session's leader; 0 is not known.
  public internal(set) var session: Int32 {
    get { facts[0].session }
    set { facts[0].session = newValue }
  }

  /// The event of its last exec.
  public internal(set) var exec: RecordStamp? {
    get { facts[0].exec }
    set { facts[0].exec = newValue }
  }

  public internal(set) var ending: Ending {
    get { facts[0].ending }
    set { facts[0].ending = newValue }
  }

  /// Where its parent is in the table.
  var parent: ProcessNumber? {
    get { facts[0].parent }
    set { facts[0].parent = newValue }
  }

  /// Whether its name is that of a program that lets people in.
  var isDoor: Bool { facts[0].isDoor }
}

extension KnownProcess {
  public internal(set) var name: [UInt8] {
    get { facts[0].texts[0].name }
    set {
      facts[0].texts[0].name = newValue
      facts[0].isDoor = EntryLeader.isDoor(newValue)
    }
  }

  public internal(set) var executable: [UInt8] {
    get { facts[0].texts[0].executable }
    set { facts[0].texts[0].executable = newValue }
  }

  /// The arguments of its last exec with a NUL between them, cut at `mostArguments`.
  public var arguments: [UInt8] { facts[0].texts[0].arguments }

  /// Bytes that are missing behind `arguments`.
  public var argumentsCut: Int { facts[0].texts[0].argumentsCut }

  mutating func take(_ new: KeptArguments) {
    if new.bytes != arguments { facts[0].texts[0].arguments = new.bytes }
    if new.cut != argumentsCut { facts[0].texts[0].argumentsCut = new.cut }
  }

  /// Takes secrets out of the arguments: whoever kept them may have been told of fewer.
  mutating func redact(by redactor: SecretFinder) {
    let words = arguments.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
    guard !arguments.isEmpty, let redacted = redactor.redacted(words) else { return }
    let new = KeptArguments(redacted)
    take(KeptArguments(kept: new.bytes, cut: new.cut + argumentsCut) ?? new)
  }

  public internal(set) var script: [UInt8] {
    get { facts[0].texts[0].script }
    set { facts[0].texts[0].script = newValue }
  }

  public internal(set) var container: [UInt8] {
    get { facts[0].texts[0].container }
    set { facts[0].texts[0].container = newValue }
  }

  public internal(set) var unit: [UInt8] {
    get { facts[0].texts[0].unit }
    set { facts[0].texts[0].unit = newValue }
  }

  /// The sha256 of its executable, 32 bytes.
  public internal(set) var hash: [UInt8] {
    get { facts[0].texts[0].hash }
    set { facts[0].texts[0].hash = newValue }
  }

  /// Places in the list of labels, ascending.
  public internal(set) var labels: [UInt16] {
    get { facts[0].texts[0].labels }
    set { facts[0].texts[0].labels = newValue }
  }

  /// Its texts, for as long as somebody has this.
  package struct HeldTexts: Sendable {
    fileprivate let texts: [Texts]

    /// Whether they are a process's, as is seen without looking at them: where not, they may be alike.
    @inline(__always)
    package func areThose(of process: KnownProcess) -> Bool {
      unsafe texts.withUnsafeBufferPointer { mine in
        unsafe process.facts[0].texts.withUnsafeBufferPointer {
          unsafe $0.baseAddress == mine.baseAddress
        }
      }
    }
  }

  package var heldTexts: HeldTexts { HeldTexts(texts: facts[0].texts) }

  /// What it is called for ever.
  public internal(set) var identity: [UInt8] {
    get { facts[0].texts[0].identity }
    set { facts[0].texts[0].identity = newValue }
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
