import AudispatchPlugin
import AuditRecord
import Linux
import ProcessContext

/// Processes that a test has made: a /proc that says what it is told.
final class MadeProcesses: ProcessSource {
  struct Made {
    var parent: Int32
    var session: Int32
    /// In ticks of 10 ms.
    var started: UInt64
    var name: String
    var executable: String
    var arguments: [String] = []
    var groups = "0::/\n"
    var environment: [String] = []
    var identity = FileIdentity(device: 0xfe00, inode: 1)
  }

  /// The system's start, in milliseconds since 1970.
  var started: UInt64 = 1_700_000_000_000
  let run = Array("0123abcd".utf8)
  var made: [Int32: Made] = [:]
  /// How often something was asked.
  private(set) var questions = 0

  init() { add(1, parent: 0, "systemd", "/usr/lib/systemd/systemd") }

  func add(
    _ pid: Int32, parent: Int32, _ name: String, _ executable: String, session: Int32? = nil,
    started: UInt64 = 100
  ) {
    made[pid] = Made(
      parent: parent, session: session ?? pid, started: started, name: name, executable: executable)
  }

  /// Whether nobody can say which processes there are.
  var isBlind = false

  func pids() -> Set<Int32>? { isBlind ? nil : Set(made.keys) }

  private func ask(_ pid: Int32) -> Made? {
    questions += 1
    return made[pid]
  }

  func status(of pid: Int32) -> ProcessStatus? {
    ask(pid).map {
      ProcessStatus(
        parent: $0.parent, session: $0.session, started: $0.started, name: Array($0.name.utf8))
    }
  }
  func executable(of pid: Int32) -> [UInt8]? { ask(pid).map { Array($0.executable.utf8) } }
  func arguments(of pid: Int32) -> [UInt8]? {
    ask(pid).map { $0.arguments.flatMap { Array($0.utf8) + [0] } }
  }
  func controlGroups(of pid: Int32) -> [UInt8]? { ask(pid).map { Array($0.groups.utf8) } }
  func environment(of pid: Int32) -> [UInt8]? {
    ask(pid).map { $0.environment.flatMap { Array($0.utf8) + [0] } }
  }
  func groups(of pid: Int32) -> [UInt32]? { ask(pid).map { _ in [4, 27] } }
  func file(_ path: [UInt8], seenBy pid: Int32) -> FileIdentity? { ask(pid)?.identity }
  func hash(of pid: Int32, limit: Int) -> [UInt8]? {
    ask(pid).map { _ in [UInt8](repeating: 0xab, count: 32) }
  }
  func executes(_ executable: [UInt8], _ pid: Int32) -> Bool {
    ask(pid).map { $0.executable.utf8.elementsEqual(executable) } ?? false
  }
}

/// A tracker with made processes, and events for it.
struct Tracked {
  let processes = MadeProcesses()
  var tracker: ProcessTracker
  private var serial = 0
  /// Seconds since the system's start.
  var second = 100
  /// Seconds by which events are looked at later.
  var lag = 0

  init(_ change: (inout ContextSettings) -> Void = { _ in }) {
    var settings = ContextSettings()
    settings.node = Array("here".utf8)
    change(&settings)
    tracker = ProcessTracker(settings, source: processes)
  }

  /// When the next event is, in milliseconds since 1970.
  var now: UInt64 { processes.started + UInt64(second) * 1000 }

  mutating func note(_ lines: [String], node: String? = nil) -> EventContext {
    tracker.note(
      Self.event(lines, serial: next(), now, node), now: now + UInt64(lag) * 1000)
  }

  private mutating func next() -> Int {
    serial += 1
    return serial
  }

  /// What the last event is called.
  var stamp: RecordStamp { RecordStamp(milliseconds: now, serial: UInt64(serial)) }

  /// A system call of a process.
  mutating func call(
    _ number: Int, _ pid: Int32, parent: Int32, _ name: String = "sh",
    _ executable: String = "/usr/bin/dash", exit: Int = 0, session: String = "4294967295",
    key: String = "(null)", more: [String] = [], node: String? = nil
  ) -> EventContext {
    let line =
      "SYSCALL arch=c000003e syscall=\(number) success=\(exit < 0 ? "no" : "yes") exit=\(exit) "
      + "a0=0 a1=0 items=2 ppid=\(parent) pid=\(pid) auid=1000 uid=0 tty=pts0 ses=\(session) "
      + "comm=\"\(name)\" exe=\"\(executable)\" key=\(key == "(null)" ? key : "\"\(key)\"")"
    return note([line] + more, node: node)
  }

  /// A program that was started.
  mutating func exec(
    _ pid: Int32, parent: Int32, _ executable: String, _ arguments: [String] = ["x"],
    first: String? = nil, key: String = "(null)", exit: Int = 0, paths: Int = 2
  ) -> EventContext {
    let name = executable.split(separator: "/").last.map(String.init) ?? ""
    let words = arguments.enumerated().map { "a\($0.offset)=\"\($0.element)\"" }
    var more = [
      "EXECVE argc=\(arguments.count) " + words.joined(separator: " "), "CWD cwd=\"/root\"",
    ]
    for item in 0..<paths {
      more.append(
        "PATH item=\(item) name=\"\(item == 0 ? first ?? executable : "/lib64/ld.so")\" inode=7 "
          + "dev=fe:00 nametype=NORMAL")
    }
    return call(59, pid, parent: parent, name, executable, exit: exit, key: key, more: more)
  }

  static func event(
    _ lines: [String], serial: Int, _ milliseconds: UInt64, _ node: String?
  ) -> AuditEvent {
    var assembler = EventAssembler(limits: EventAssembler.Limits())
    var names = TypeNames()
    for line in lines {
      let words = line.split(separator: " ", maxSplits: 1)
      let fraction = String(milliseconds % 1000 + 1000).dropFirst()
      let text =
        (node.map { "node=\($0) " } ?? "")
        + "type=\(words[0]) msg=audit(\(milliseconds / 1000).\(fraction):\(serial)): "
        + words.dropFirst().joined()
      let bytes = Array(text.utf8)
      guard let header = RecordHeader(bytes.span) else { continue }
      let number = names.number(of: bytes.span.extracting(header.typeName))
      assembler.append(bytes.span, header, type: RecordType(rawValue: number), at: .zero)
    }
    assembler.finish()
    guard let event = assembler.next() else { preconditionFailure("no event of \(lines)") }
    return event
  }
}

func text(_ bytes: [UInt8]?) -> String { String(decoding: bytes ?? [], as: UTF8.self) }
