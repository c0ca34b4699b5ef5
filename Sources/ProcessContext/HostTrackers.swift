public import AudispatchPlugin
import AuditRecord
import Linux

/// Knows the processes behind events of several hosts, each by itself: a pid or a session of one
/// says nothing about another.
///
/// Of other hosts only their events tell. The last `mostHosts` of them are known, and they share
/// `ContextSettings.limit` processes beside those of this host; each has at least `leastShare`.
public struct HostTrackers {
  /// Hosts beside this one.
  public static let mostHosts = 128
  /// Processes, and login sessions, of one of them at least.
  public static let leastShare = 64

  private struct Other {
    var name: [UInt8]
    var tracker: ProcessTracker
    /// When its last event came, in events.
    var used: UInt64
  }

  private var here: ProcessTracker
  private let settings: ContextSettings
  private var others: [Other] = []
  private var places: [[UInt8]: Int] = [:]
  private var events: UInt64 = 0
  private var last = 0
  /// Of hosts that are not known any more.
  private var forgottenBefore = 0
  /// Hosts of which everything was forgotten for want of room.
  public private(set) var hostsForgotten = 0

  /// - Parameters:
  ///   - source: what this host says of its processes.
  ///   - redactor: takes secrets out of that.
  public init(
    _ settings: ContextSettings, source: any ProcessSource, redactor: SecretFinder? = nil
  ) {
    here = ProcessTracker(settings, source: source, redactor: redactor)
    var settings = settings
    settings.loginLimit = Self.leastShare
    self.settings = settings
  }

  public var count: Int { others.reduce(here.count) { $0 + $1.tracker.count } }
  /// Running processes that had to be forgotten for want of room; of other hosts all that were not
  /// seen to end.
  public var forgotten: Int {
    others.reduce(here.forgotten + forgottenBefore) { $0 + $1.tracker.forgotten }
  }

  /// Takes note of an event, and says what its processes are.
  ///
  /// - Parameter now: milliseconds since 1970.
  public mutating func note(_ event: AuditEvent, now: UInt64) -> EventContext {
    if here.isHere(event) { return here.note(event, now: now) }
    // One without a node is known by who sent it.
    let name = event.node.map { event.bytes[$0] } ?? OwnNode.peer(of: event) ?? []
    events += 1
    if !(last < others.count && others[last].name.elementsEqual(name)) {
      last = place(of: Array(name))
    }
    others[last].used = events
    if event.records.contains(where: { $0.type == .systemBoot }) { beginAnew(last) }
    return others[last].tracker.note(event, now: now)
  }

  /// Its pids and sessions count anew.
  private mutating func beginAnew(_ place: Int) {
    let former = others[place].tracker
    forgottenBefore += former.forgotten
    others[place].tracker = ProcessTracker(
      settings, source: ElsewhereProcesses(others[place].name))
    others[place].tracker.limit = former.limit
  }

  private mutating func place(of name: [UInt8]) -> Int {
    if let known = places[name] { return known }
    let other = Other(
      name: name, tracker: ProcessTracker(settings, source: ElsewhereProcesses(name)),
      used: events)
    guard others.count >= Self.mostHosts,
      let oldest = others.indices.min(by: { others[$0].used < others[$1].used })
    else {
      others.append(other)
      places[name] = others.count - 1
      let share = max(settings.limit / others.count, Self.leastShare)
      for place in others.indices { others[place].tracker.limit = share }
      return others.count - 1
    }
    hostsForgotten += 1
    forgottenBefore += others[oldest].tracker.forgotten
    places[others[oldest].name] = nil
    others[oldest] = other
    others[oldest].tracker.limit = max(settings.limit / Self.mostHosts, Self.leastShare)
    places[name] = oldest
    return oldest
  }

  /// Everything that is known of this host, to be kept in a file.
  public func state() -> [UInt8] { here.state() }

  /// Takes what a predecessor knew of this host; see `ProcessTracker.restore`.
  public mutating func restore(_ bytes: [UInt8]) throws(ProcessState.Refusal) {
    try here.restore(bytes)
  }
}

/// What this host can say of another one's processes: nothing.
final class ElsewhereProcesses: ProcessSource {
  let started: UInt64 = .max
  /// Made of the host's name: the run of its system is not known, but for each process the event is
  /// by which it was seen first.
  let run: [UInt8]

  init(_ name: [UInt8]) {
    // FNV-1a of 32 bits.
    var hash: UInt32 = 0x811c_9dc5
    for byte in name { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
    let digits = String(hash, radix: 16)
    run = Array((String(repeating: "0", count: 8 - digits.count) + digits).utf8)
  }

  func pids() -> Set<Int32>? { nil }
  func status(of pid: Int32) -> ProcessStatus? { nil }
  func executable(of pid: Int32) -> [UInt8]? { nil }
  func arguments(of pid: Int32) -> [UInt8]? { nil }
  func controlGroups(of pid: Int32) -> [UInt8]? { nil }
  func environment(of pid: Int32) -> [UInt8]? { nil }
  func groups(of pid: Int32) -> [UInt32]? { nil }
  func file(_ path: [UInt8], seenBy pid: Int32) -> FileIdentity? { nil }
  func hash(of pid: Int32, limit: Int) -> [UInt8]? { nil }
  func executes(_ executable: [UInt8], _ pid: Int32) -> Bool { false }
}
