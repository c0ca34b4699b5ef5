/// All processes that are known, at most as many as it may hold.
///
/// Those that have ended stay as long as there is room, so that their children and late events can
/// say whose they are; the one that ended first goes first.
struct ProcessTable: Sendable {
  let limit: Int
  private var processes: [ProcessNumber: KnownProcess] = [:]
  private var byPid: [Int32: ProcessNumber] = [:]
  /// In the order in which they ended; some may be forgotten already.
  private var ended: [ProcessNumber] = []
  private var firstEnded = 0
  private var next: UInt64 = 1
  /// Processes that had to go while they were running.
  private(set) var forgotten = 0

  init(limit: Int) { self.limit = limit }

  var count: Int { processes.count }
  var all: [(number: ProcessNumber, process: KnownProcess)] {
    processes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// The process that has, or had last, that pid.
  func number(of pid: Int32) -> ProcessNumber? { byPid[pid] }

  subscript(_ number: ProcessNumber) -> KnownProcess? { processes[number] }

  /// Adds one; it has the pid from now on.
  mutating func add(_ process: KnownProcess) -> ProcessNumber {
    if let before = byPid[process.pid] { end(before, .gone) }
    makeRoom()
    let number = ProcessNumber(value: next)
    next += 1
    processes[number] = process
    byPid[process.pid] = number
    if process.ending != .none { ended.append(number) }
    return number
  }

  mutating func change(_ number: ProcessNumber, _ body: (inout KnownProcess) -> Void) {
    guard processes[number] != nil else { return }
    body(&processes[number]!)
  }

  /// Notes that a process was seen; returns when it was before.
  mutating func seen(_ number: ProcessNumber, at now: UInt64) -> UInt64 {
    guard let before = processes[number]?.lastSeen else { return 0 }
    processes[number]?.lastSeen = max(before, now)
    return before
  }

  mutating func end(_ number: ProcessNumber, _ how: KnownProcess.Ending) {
    guard let now = processes[number]?.ending, now != .exited else { return }
    if now == .none { ended.append(number) }
    processes[number]?.ending = how
  }

  /// Marks what is not among the pids that there are.
  mutating func keepRunning(_ pids: Set<Int32>) {
    let gone = processes.filter { $0.value.ending == .none && !pids.contains($0.value.pid) }
    for number in gone.keys.sorted() { end(number, .gone) }
  }

  private mutating func makeRoom() {
    while processes.count >= limit {
      if let number = takeEnded() {
        remove(number)
      } else if let oldest = processes.keys.min() {
        forgotten += 1
        remove(oldest)
      } else {
        return
      }
    }
  }

  private mutating func takeEnded() -> ProcessNumber? {
    while firstEnded < ended.count {
      let number = ended[firstEnded]
      firstEnded += 1
      if firstEnded > 1024, firstEnded * 2 > ended.count {
        ended.removeFirst(firstEnded)
        firstEnded = 0
      }
      if processes[number] != nil { return number }
    }
    return nil
  }

  private mutating func remove(_ number: ProcessNumber) {
    guard let process = processes.removeValue(forKey: number) else { return }
    if byPid[process.pid] == number { byPid[process.pid] = nil }
  }
}
