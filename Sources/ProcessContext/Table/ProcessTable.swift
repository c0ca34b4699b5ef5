/// All processes that are known, at most as many as it may hold.
///
/// Those that have ended stay as long as there is room, so that their children and late events can
/// say whose they are; the one that ended first goes first.
struct ProcessTable: Sendable {
  private struct Slot: Sendable {
    /// 0 for nobody.
    var number: UInt64
    var process: KnownProcess
    /// When its last event was, in milliseconds since 1970.
    var lastSeen: UInt64 = 0
    /// By when it had ended, if it has: what is of its pid behind that is another's. In milliseconds
    /// since 1970; the largest number where that is not known yet.
    var endedBy = UInt64.max
    var answer: HostAnswer?
  }

  /// May become smaller: the next one that is added makes room.
  var limit: Int
  private var slots: [Slot] = []
  private var free: [Int] = []
  private var byPid: [Int32: ProcessNumber] = [:]
  /// In the order in which they ended; some may be forgotten already.
  private var ended: [ProcessNumber] = []
  private var firstEnded = 0
  /// In the order in which they were added; some may be forgotten already.
  private var added: [ProcessNumber] = []
  private var firstAdded = 0
  private var next: UInt64 = 1
  /// Processes that had to go while they were running.
  private(set) var forgotten = 0

  init(limit: Int) { self.limit = limit }

  var count: Int { slots.count - free.count }
  var all: [(number: ProcessNumber, process: KnownProcess)] {
    numbers.sorted().map { ($0, slots[$0.slot].process) }
  }

  private var numbers: [ProcessNumber] {
    slots.indices.filter { slots[$0].number != 0 }
      .map { ProcessNumber(value: slots[$0].number, slot: $0) }
  }

  /// The process that has, or had last, that pid.
  func number(of pid: Int32) -> ProcessNumber? { byPid[pid] }

  @inline(__always)
  private func has(_ number: ProcessNumber) -> Bool {
    number.slot < slots.count && slots[number.slot].number == number.value
  }

  /// A copy.
  subscript(_ number: ProcessNumber) -> KnownProcess? {
    has(number) ? slots[number.slot].process : nil
  }

  /// Looks at one without a copy; `nil` when it is not known any more.
  @inline(__always)
  func look<Result>(
    at number: ProcessNumber, _ body: (borrowing KnownProcess) -> Result
  ) -> Result? {
    has(number) ? body(slots[number.slot].process) : nil
  }

  /// Adds one; it has the pid from now on.
  ///
  /// - Parameters:
  ///   - lastSeen: when its last event was, 0 where it is known from none.
  ///   - endedBy: when it was seen that it has ended, if it has.
  mutating func add(
    _ process: KnownProcess, lastSeen: UInt64 = 0, endedBy: UInt64 = .max
  ) -> ProcessNumber {
    if let before = byPid[process.pid] { end(before, .gone) }
    makeRoom()
    let slot = Slot(number: next, process: process, lastSeen: lastSeen, endedBy: endedBy)
    let place: Int
    if let unused = free.popLast() {
      place = unused
      slots[place] = slot
    } else {
      place = slots.count
      slots.append(slot)
    }
    let number = ProcessNumber(value: next, slot: place)
    next += 1
    byPid[process.pid] = number
    noteAdded(number)
    if process.ending != .none { ended.append(number) }
    return number
  }

  mutating func change(_ number: ProcessNumber, _ body: (inout KnownProcess) -> Void) {
    guard has(number) else { return }
    body(&slots[number.slot].process)
  }

  /// Notes that a process was seen; returns when it was before.
  mutating func seen(_ number: ProcessNumber, at now: UInt64) -> UInt64 {
    guard has(number) else { return 0 }
    let before = slots[number.slot].lastSeen
    slots[number.slot].lastSeen = max(before, now)
    return before
  }

  /// What /proc has said of a process since an event of it.
  func answer(about number: ProcessNumber, _ moment: ProcessTracker.Occasion) -> HostAnswer? {
    guard has(number), let answer = slots[number.slot].answer, answer.holds(at: moment) else {
      return nil
    }
    return answer
  }

  mutating func keep(_ answer: HostAnswer?, about number: ProcessNumber) {
    if has(number) { slots[number.slot].answer = answer }
  }

  /// - Parameter by: when that was seen, or when its own event said so.
  mutating func end(_ number: ProcessNumber, _ how: KnownProcess.Ending, by: UInt64 = .max) {
    guard has(number) else { return }
    let now = slots[number.slot].process.ending
    guard now != .exited else { return }
    if now == .none { noteEnded(number) }
    slots[number.slot].process.ending = how
    slots[number.slot].endedBy = min(slots[number.slot].endedBy, by)
  }

  /// It runs after all.
  mutating func revive(_ number: ProcessNumber) {
    guard has(number) else { return }
    slots[number.slot].process.ending = .none
    slots[number.slot].endedBy = .max
  }

  /// Whether it had ended by that moment, as far as is known.
  func hadEnded(_ number: ProcessNumber, by moment: UInt64) -> Bool {
    has(number) && slots[number.slot].process.ending != .none
      && slots[number.slot].endedBy < moment
  }

  /// Marks what is not among the pids that there are now.
  mutating func keepRunning(_ pids: Set<Int32>, at now: UInt64) {
    var gone: [ProcessNumber] = []
    for number in numbers {
      if slots[number.slot].process.ending != .none {
        slots[number.slot].endedBy = min(slots[number.slot].endedBy, now)
      } else if !pids.contains(slots[number.slot].process.pid) {
        gone.append(number)
      }
    }
    for number in gone.sorted() { end(number, .gone, by: now) }
  }

  private mutating func makeRoom() {
    while count >= limit {
      if let number = takeEnded() {
        remove(number)
      } else if let oldest = takeOldest() {
        forgotten += 1
        remove(oldest)
      } else {
        return
      }
    }
  }

  /// One that was taken for gone may end once more.
  private mutating func noteEnded(_ number: ProcessNumber) {
    if ended.count > 2 * limit + 1024 {
      var seen: Set<ProcessNumber> = []
      ended = ended[firstEnded...].filter { isEnded($0) && seen.insert($0).inserted }
      firstEnded = 0
    }
    ended.append(number)
  }

  private func isEnded(_ number: ProcessNumber) -> Bool {
    has(number) && slots[number.slot].process.ending != .none
  }

  private mutating func noteAdded(_ number: ProcessNumber) {
    if added.count > 2 * limit + 1024 {
      added = added[firstAdded...].filter(has)
      firstAdded = 0
    }
    added.append(number)
  }

  private mutating func takeOldest() -> ProcessNumber? {
    while firstAdded < added.count {
      let number = added[firstAdded]
      firstAdded += 1
      if has(number) { return number }
    }
    return nil
  }

  private mutating func takeEnded() -> ProcessNumber? {
    while firstEnded < ended.count {
      let number = ended[firstEnded]
      firstEnded += 1
      if firstEnded > 1024, firstEnded * 2 > ended.count {
        ended.removeFirst(firstEnded)
        firstEnded = 0
      }
      if isEnded(number) { return number }
    }
    return nil
  }

  private mutating func remove(_ number: ProcessNumber) {
    guard has(number) else { return }
    let pid = slots[number.slot].process.pid
    slots[number.slot] = Slot(number: 0, process: KnownProcess(pid: 0))
    free.append(number.slot)
    if byPid[pid] == number { byPid[pid] = nil }
  }
}
