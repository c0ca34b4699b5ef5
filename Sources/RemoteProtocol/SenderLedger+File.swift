/// The file of a ledger, which the log's thread writes: each entry with, and in front of, the batch that
/// has its record. So what stands there is never less than the log has; what is more shows by its place
/// in the log.
///
/// The file is slots as they lie in memory. What is in no log is not in it: it dies with the memory that
/// the records are in, and has to be stored anew then.
extension SenderLedger {
  /// A log is open from now on.
  ///
  /// - Parameters:
  ///   - file: the slots of its file that are not free; none where `hasRead`.
  ///   - end: behind the log's last record, in the log's own numbers.
  public func begin(with file: [(slot: Int, bytes: [UInt8])], logEnd end: UInt64) {
    // What was noted since, while the log was being opened, has its place beyond every other.
    let former = slots.taken
    writing.begin(former)
    for (slot, bytes) in file where (0..<Self.slots).contains(slot) { adopt(slot, bytes) }
    forget(placesFrom: end, in: Set(slots.taken).subtracting(hasNoted ? former : []))
    hasRead = true
  }

  /// All of it is to be written again.
  public func writeAnew() { writing.begin(slots.taken) }

  /// Gives what is to be written now, as bytes and their place in the file.
  public func takeChanges(_ body: (_ place: Int, _ bytes: UnsafeRawBufferPointer) -> Void) {
    guard writing.hasSome else { return }
    for slot in writing.takeSlots() { unsafe give(slot, body) }
    for (slot, index) in writing.takeEntries() { unsafe give(slot, index, body) }
  }

  private func give(_ slot: Int, _ body: (Int, UnsafeRawBufferPointer) -> Void) {
    // Of one that numbers nothing the last entries alone are ever looked at. Somebody who names a new node in
    // each record would have as much written of it as of forty others.
    let entries =
      slots.key(in: slot)?.starts(with: "host ".utf8) ?? false
      ? Int(Self.recentConnections) : Self.entries
    var bytes = unsafe [UInt8](
      UnsafeRawBufferPointer(
        start: UnsafeRawPointer(at(slot)), count: 1024 + entries * Self.entrySize))
    for index in 0..<entries where entry(slot, index).place == 0 {
      let start = 1024 + index * Self.entrySize
      for place in start..<start + 8 { bytes[place] = 0 }
    }
    unsafe bytes.withUnsafeBytes { unsafe body(slot * Self.slotSize, $0) }
  }

  private func give(_ slot: Int, _ index: Int, _ body: (Int, UnsafeRawBufferPointer) -> Void) {
    let entry = entry(slot, index)
    let kept = (entry.place == 0 ? 0 : entry.number, entry.place, entry.digest)
    let place = slot * Self.slotSize + 1024 + index * Self.entrySize
    unsafe withUnsafeBytes(of: kept) { unsafe body(place, $0) }
  }
}

/// What of a ledger its file does not have; a value.
struct LedgerWriting {
  /// So many slots are written at once when all of them are: nobody waits for it.
  private static let step = 16
  private static let mostEntries = 64 << 10

  /// What the file has of a slot.
  private enum State {
    /// All, but for the entries that are noted.
    case there
    case absent
    /// It is written whole next.
    case due
  }

  /// There is a file.
  private var isOn = false
  private var states = [State](repeating: .absent, count: SenderLedger.slots)
  private var due: [Int] = []
  /// Slots that are written whole in their turn, unless they are due before.
  private var later: [Int] = []
  private var entries: [(slot: Int, index: Int)] = []

  var hasSome: Bool { !due.isEmpty || !entries.isEmpty || !later.isEmpty }

  /// The file has nothing of these slots, or not what it should.
  mutating func begin(_ slots: [Int]) {
    isOn = true
    for slot in slots { states[slot] = .absent }
    due = []
    later = slots
    entries = []
  }

  /// An entry has changed.
  mutating func note(_ slot: Int, _ index: Int) {
    guard isOn else { return }
    switch states[slot] {
    case .due: break
    case .absent: noteWhole(slot)
    case .there where entries.count < Self.mostEntries:
      // Of a sender that numbers nothing each record changes the same one, of which the last counts.
      if let last = entries.last, last.slot == slot, last.index == index { break }
      entries.append((slot, index))
    case .there:
      // Nobody has taken them for long: the slots are taken instead.
      for entry in entries { noteWhole(entry.slot) }
      entries = []
      noteWhole(slot)
    }
  }

  /// A slot has changed as a whole.
  mutating func noteWhole(_ slot: Int) {
    guard isOn, states[slot] != .due else { return }
    states[slot] = .due
    due.append(slot)
  }

  mutating func takeSlots() -> [Int] {
    let turn = later.prefix(Self.step)
    let taken = due + turn.filter { states[$0] == .absent }
    later.removeFirst(turn.count)
    due = []
    for slot in taken { states[slot] = .there }
    return taken
  }

  mutating func takeEntries() -> [(slot: Int, index: Int)] {
    defer { entries.removeAll(keepingCapacity: true) }
    return entries
  }
}
