import AudispatchPlugin
import AuditRecord

/// A time in which an audit stream may have told less than there was, in milliseconds since 1970,
/// both ends included.
struct StreamGap: Equatable, Sendable {
  var from: Int64
  var to: Int64
  var reason: String
}

/// Finds out where a stream of one node lacks something: numbers that are missing, records that were
/// dropped, times without a daemon, and changes of the rules that have our keys.
struct StreamGaps {
  /// The keys of the rules that are relied on.
  var keys: Set<[UInt8]>
  /// When the stream begins and how far it reaches.
  private(set) var begin: Int64?
  private(set) var end: Int64 = .min
  private var found: [StreamGap] = [] {
    didSet { revision += 1 }
  }
  /// Runs of numbers that were passed over; those that come late are taken out again.
  private var missing: [(serials: ClosedRange<UInt64>, from: Int64, to: Int64)] = [] {
    didSet { revision += 1 }
  }
  private var newest: UInt64?
  private var newestTime: Int64 = .min
  /// The run that was passed over last has no end yet.
  private var isLongCall = false
  /// Goes on with every finding.
  private(set) var revision = 0
  /// Since when there may be nothing, and why.
  private var open: [(kind: Kind, from: Int64, reason: String, count: Int)] = [] {
    didSet { revision += 1 }
  }

  private enum Kind: Equatable { case daemon, disabled, rule([UInt8]) }

  /// More runs than these are joined to one.
  private static let runs = 4096
  /// A number so far back is no late one: the host started anew.
  private static let late: UInt64 = 1 << 16

  /// Milliseconds from what a call changes to its end, at which its record gets its number.
  static let longestCall: Int64 = 50

  /// How the reason ends where numbers are missing.
  static let missing = "missing"
  static let endsBefore = "the stream ends before"
  static let silent = "no record has come since that would show that none is missing"
  static let uring = "a record of io_uring names no file"
  static let kernelLost = "the kernel has lost records"
  static let lossesUnknown = "what the kernel has lost cannot be asked for"
  static let incomplete = "an event lacks records of files"

  init(keys: Set<[UInt8]>) { self.keys = keys }

  /// Whether the kernel has told anything at all.
  var hasRecords: Bool { newest != nil }

  /// Nothing more is to come of what was before that moment.
  mutating func listen(until time: Int64) { end = max(end, time) }

  /// - Parameter arrival: when it came, of a stream that is read as it is made. The first record with a
  ///   number of the kernel's proves that the stream is connected from then on: what is lacking behind
  ///   it is seen by its number, and what is lacking in front of it was made before it came, whatever
  ///   its time says, which is that of a call's beginning.
  mutating func note(_ event: AuditEvent, at arrival: Int64? = nil) {
    let time = Int64(clamping: event.stamp.milliseconds)
    if found.count > Self.runs { joinFound() }
    let isDaemons = (1200..<1300).contains(event.records.first?.type.rawValue ?? 0)
    if arrival == nil || begin == nil && !isDaemons {
      begin = min(begin ?? .max, arrival ?? time)
      revision += 1
    }
    if isDaemons {
      noteDaemon(event, time)
    } else {
      count(event.stamp.serial, time, arrival ?? time)
    }
    noteRules(event, time)
    noteUring(event, time)
    // What it was done to can have been anything.
    if event.lacksPaths {
      noteMoment(time, to: max(time + Self.longestCall, arrival ?? time), Self.incomplete)
    }
    end = max(end, time)
  }

  /// The kernel was asked, and has all rules with that key, whatever records said of it: it tells late of
  /// those that go with a file system.
  mutating func rulesAreThere(_ key: [UInt8], at time: Int64) {
    guard let index = open.firstIndex(where: { $0.kind == .rule(key) }) else { return }
    let state = open.remove(at: index)
    found.append(StreamGap(from: state.from, to: max(state.from, time), reason: state.reason))
  }

  /// The kernel says that it has lost records, which have no numbers then.
  mutating func lost(from: Int64, to: Int64) {
    found.append(StreamGap(from: from, to: to, reason: Self.kernelLost))
  }

  /// Up to when a state can have been changed without anything telling of it, as far as that has
  /// ended: what is as it was later than that has been as it was since then.
  var uncertainUpTo: Int64? {
    guard let begin else { return nil }
    return max(begin, found.map(\.to).max() ?? .min, missing.map(\.to).max() ?? .min)
  }

  /// What is lacking now, or was last, for a person.
  var newestReason: String? {
    open.first?.reason ?? all.filter { $0.to != .max }.max { $0.to < $1.to }?.reason
  }

  /// Whether a record has come that was made behind that moment, so that what is lacking up to it is
  /// known by now. The record of a call is made at its end, which is a while behind what it changed.
  func proves(_ time: Int64) -> Bool { newestTime > time + Self.longestCall }

  /// Whether something is lacking now.
  var isOpen: Bool { !open.isEmpty }

  /// Everything that may be missing, with what is beyond the ends of the stream.
  var all: [StreamGap] {
    var all = found
    guard let begin else {
      return [StreamGap(from: .min, to: .max, reason: "the stream has no record")]
    }
    all.append(StreamGap(from: .min, to: begin, reason: "the stream begins later"))
    all.append(StreamGap(from: end + 1, to: .max, reason: Self.endsBefore))
    for run in missing {
      let count = run.serials.count
      all.append(
        StreamGap(
          from: run.from, to: run.to,
          reason: count == 1 ? "1 event is missing" : "\(count) events are missing"))
    }
    for state in open { all.append(StreamGap(from: state.from, to: .max, reason: state.reason)) }
    return all
  }

  private mutating func count(_ serial: UInt64, _ time: Int64, _ seen: Int64) {
    guard let last = newest else {
      newest = serial
      newestTime = time
      return
    }
    if isLongCall, seen >= newestTime, let index = missing.indices.last {
      missing[index].to = max(missing[index].to, seen)
      isLongCall = false
    }
    if serial == last + 1 {
      newest = serial
    } else if serial > last {
      // A call that took long has an earlier time than what was told before it: the next one says
      // when it had ended.
      missing.append(
        (last + 1...serial - 1, min(newestTime, seen) - Self.longestCall, max(newestTime, seen)))
      isLongCall = seen < newestTime
      if missing.count > Self.runs { joinOldest() }
      newest = serial
    } else if let index = missing.lastIndex(where: { $0.serials.contains(serial) }) {
      let run = missing.remove(at: index)
      if serial > run.serials.lowerBound {
        missing.insert((run.serials.lowerBound...serial - 1, run.from, run.to), at: index)
      }
      if serial < run.serials.upperBound {
        missing.append((serial + 1...run.serials.upperBound, run.from, run.to))
      }
    } else if last - serial > Self.late || time > newestTime + 2000 {
      found.append(StreamGap(from: newestTime, to: time, reason: "the host started anew"))
      newest = serial
    }
    newestTime = max(newestTime, time)
  }

  private mutating func joinOldest() {
    let half = missing.prefix(Self.runs / 2)
    guard let first = half.first else { return }
    found.append(
      StreamGap(
        from: half.map(\.from).min() ?? first.from, to: half.map(\.to).max() ?? first.to,
        reason: "\(half.reduce(0) { $0 + $1.serials.count }) events are missing"))
    missing.removeFirst(half.count)
  }

  /// Makes one of the older half, which is all that is said of it then.
  private mutating func joinFound() {
    let half = found.prefix(Self.runs / 2)
    let joined = StreamGap(
      from: half.map(\.from).min() ?? .min, to: half.map(\.to).max() ?? .max,
      reason: "much is missing")
    found.removeFirst(half.count)
    found.append(joined)
  }

  private mutating func noteDaemon(_ event: AuditEvent, _ time: Int64) {
    guard let record = event.records.first else { return }
    switch record.type.rawValue {
    case 1200: close(.daemon, time)
    case 1201, 1202: begin(.daemon, time, "the audit daemon did not run")
    case 1209:
      guard event.value("op", of: record)?.elementsEqual("queue-drop".utf8) == true else { return }
      let from = newestTime == .min ? time : min(newestTime, time)
      let to = max(newestTime, time)
      found.append(StreamGap(from: from, to: to, reason: "the dispatcher dropped records"))
    default: break
    }
  }

  /// What io_uring does while its caller is in the kernel has a record without files: any may be meant.
  private mutating func noteUring(_ event: AuditEvent, _ time: Int64) {
    guard let call = event.record(.uring), event.record(.path) == nil,
      event.value("success", of: call)?.elementsEqual("no".utf8) != true,
      !keys.isDisjoint(with: event.ruleKeys())
    else { return }
    noteMoment(time, to: time, Self.uring)
  }

  /// They come in floods: those that are close to each other are one.
  private mutating func noteMoment(_ time: Int64, to end: Int64, _ reason: String) {
    if let last = found.last, last.reason == reason, last.to >= time - 1000, last.from <= time {
      found[found.count - 1].to = max(last.to, end)
    } else {
      found.append(StreamGap(from: time, to: end, reason: reason))
    }
  }

  private mutating func noteRules(_ event: AuditEvent, _ time: Int64) {
    for record in event.records where record.type == .configChange {
      if event.value("res", of: record)?.elementsEqual("0".utf8) == true { continue }
      if let enabled = event.value("audit_enabled", of: record) {
        if enabled.elementsEqual("0".utf8) {
          begin(.disabled, time, "audit was disabled")
        } else {
          close(.disabled, time)
        }
      }
      guard let operation = event.value("op", of: record),
        let key = event.value("key", of: record), keys.contains(key)
      else { continue }
      let name = SafeText.word(key)
      if operation.elementsEqual("remove_rule".utf8) {
        begin(.rule(key), time, "a rule with the key \(name) was removed")
      } else if operation.elementsEqual("add_rule".utf8) {
        if !close(.rule(key), time) {
          found.append(
            StreamGap(from: .min, to: time, reason: "a rule with the key \(name) was added later"))
        }
      }
    }
  }

  private mutating func begin(_ kind: Kind, _ time: Int64, _ reason: String) {
    if let index = open.firstIndex(where: { $0.kind == kind }) {
      if case .rule = kind { open[index].count += 1 }
    } else {
      open.append((kind, time, reason, 1))
    }
  }

  /// Whether it had begun. Of rules with one key as many must be added as were removed.

  @discardableResult
  private mutating func close(_ kind: Kind, _ time: Int64) -> Bool {
    guard let index = open.firstIndex(where: { $0.kind == kind }) else { return false }
    open[index].count -= 1
    guard open[index].count == 0 else { return true }
    let state = open.remove(at: index)
    found.append(StreamGap(from: state.from, to: time, reason: state.reason))
    return true
  }
}

extension RecordType {
  static let configChange = RecordType(rawValue: 1305)
}
