import AuditRecord
import Glibc
import Linux
import Synchronization

/// The thread that reads the input, so that it is read while the plugin works: until its end, or
/// until it is asked to come to an end.
final class InputReader<Gather: Gathering>: ThreadWork {
  enum Request: Int { case read = 0, drain = 1, stop = 2 }

  /// How long what still comes is read once the plugin shall end.
  private static var drainTime: Duration { .seconds(1) }

  private let input: Int32
  private let gathering: Duration
  private let handoff: Handoff<Gather.Item>
  private let confirmations: Confirmations
  private let request = Atomic(Request.read.rawValue)
  private let work: Mutex<Reading<Gather>>

  init(
    input: Int32, _ gather: Gather, _ handoff: Handoff<Gather.Item>,
    _ confirmations: Confirmations, numbers: RecordNumbers, gathering: Duration = .zero
  ) {
    self.gathering = gathering
    self.input = input
    self.handoff = handoff
    self.confirmations = confirmations
    work = Mutex(Reading(gather, numbers))
  }

  /// Asks to read only what waits, or nothing more.
  func ask(_ wanted: Request) {
    request.store(wanted.rawValue, ordering: .releasing)
    handoff.commands.ring()
  }

  func run() {
    // The lock is never contended: it shows the compiler that one thread has it.
    work.withLock { run(&$0) }
  }

  private func run(_ reading: inout Reading<Gather>) {
    var leaveBy: Duration?
    var pause = GatheringPause(longest: gathering)
    var hasRead = false
    while true {
      let wanted = Request(rawValue: request.load(ordering: .acquiring)) ?? .stop
      if wanted == .stop { return }
      if wanted == .drain, leaveBy == nil { leaveBy = MonotonicTime.now + Self.drainTime }

      let now = MonotonicTime.now
      let deadline = reading.gather.expire(at: now)
      let hasRoom = reading.handOver(to: handoff)
      if let leaveBy, leaveBy <= now, hasRoom { break }

      if hasRead, hasRoom, leaveBy == nil {
        let (records, bytes) = reading.taken
        let gathers = pause.next(records: records, bytes: bytes, at: now)
        if gathers > .zero { Pause.nanoseconds(gathers.inNanoseconds) }
      }
      hasRead = false

      // Without room only the handling thread's word is waited for; the dispatcher keeps the rest.
      let limit = [deadline, leaveBy].compactMap { $0 }.min()
      let wait = limit.map { max($0 - now, .zero) + .milliseconds(1) }
      let ready = Poll.readable(
        [hasRoom ? input : -1, handoff.commands.number],
        within: hasRoom ? patience(wait, leaveBy) : nil)
      if ready[1] { handoff.commands.clear() }
      if ready[0] {
        guard reading.read(from: input, confirmations) else { break }
        hasRead = true
      } else if leaveBy != nil, hasRoom, !ready[1] {
        break
      }
    }
    reading.end(of: input, confirmations)
    _ = reading.handOver(to: handoff)
  }

  /// Nothing is waited for at the end.
  private func patience(_ wait: Duration?, _ leaveBy: Duration?) -> Duration? {
    leaveBy == nil ? wait : .zero
  }
}

/// audispatchd ends each record with a newline, unless it dies over it; then the record comes again,
/// whole, and what stands at the end is not it.
private let endIsCut = PluginEnvironment.isPlugin

/// What the reading thread has.
struct Reading<Gather: Gathering>: Sendable {
  var gather: Gather
  private var stream = RecordStream()
  private var numbers: RecordNumbers
  private var findings = Handoff<Gather.Item>.Findings()
  private var place: UInt64 = 0

  init(_ gather: Gather, _ numbers: RecordNumbers) {
    self.gather = gather
    self.numbers = numbers
  }

  /// Records and bytes that were read.
  var taken: (records: Int, bytes: Int) { (stream.records, stream.bytes) }

  /// Reads once and takes the records out; `false` at the end of input.
  mutating func read(from input: Int32, _ confirmations: Confirmations) -> Bool {
    switch stream.fill(from: input) {
    case .bytes:
      takeRecords(ended: false, confirmations)
      gather.pause()
      return true
    case .wouldBlock: return true
    case .end: return false
    case .failed(let errno):
      findings.failure = SystemError("read", "the input", errno)
      return false
    }
  }

  mutating func end(of input: Int32, _ confirmations: Confirmations) {
    // auditd's end of the socket may be closed in the midst of a record, too; nobody sends that again.
    if !endIsCut, DescriptorKind.isSocket(input) {
      takeRecords(ended: false, confirmations)
      stream.noteCut()
    }
    takeRecords(ended: !endIsCut, confirmations)
    gather.finish()
    findings.hasEnded = true
  }

  private mutating func takeRecords(ended: Bool, _ confirmations: Confirmations) {
    Self.take(&stream, &gather, &numbers, &findings.counters, ended: ended, confirmations)
    findings.isOutOfStep = confirmations.isAsked && !stream.isInStep
  }

  private static func take(
    _ stream: inout RecordStream, _ gather: inout Gather, _ numbers: inout RecordNumbers,
    _ counters: inout PluginCounters, ended: Bool, _ confirmations: Confirmations
  ) {
    let now = MonotonicTime.now
    let isAsked = confirmations.isAsked
    stream.eachFrame(
      ended: ended,
      { line, header, type, frames in
        if type == .daemonError { counters.missed += numbers.missed(line, header) }
        var number: UInt64 = 0
        // Behind something that cannot be counted no number is certain.
        if isAsked, let frames {
          let skipped: (first: UInt64, count: Int)
          (number, skipped) = numbers.take(line, header, type, frames: frames)
          if skipped.count > 0 { confirmations.skip(skipped.first, count: skipped.count) }
        }
        let isIn = gather.append(line, header, type, number: number, at: now)
        if !isIn, number > 0 { confirmations.skip(number, count: 1) }
      })
    guard isAsked, stream.isInStep else { return }
    let skipped = numbers.pass(to: stream.frames)
    if skipped.count > 0 { confirmations.skip(skipped.first, count: skipped.count) }
  }

  /// Hands over what is complete; `false` when there is no room for more.
  mutating func handOver(to handoff: Handoff<Gather.Item>) -> Bool {
    var items = gather.takeReady()
    for index in items.indices {
      place += 1
      items[index].token = DeliveryToken(place: place)
    }
    gather.count(into: &findings.counters)
    findings.counters.records = stream.records
    findings.counters.bytes = stream.bytes
    findings.counters.malformed = stream.malformedTotal
    findings.malformed = MalformedInputs(counts: stream.malformed, sample: stream.malformedSample)
    return handoff.put(items, findings)
  }
}
