import AuditRecord
import Configuration
import Glibc
import Journal
import Linux

/// Where records come from at this moment: a descriptor, and what was read from it and is not yet a
/// record.
final class Source {
  /// The word for it in the status.
  let kind: String
  /// Whether it can wait for plugins: a regular file can.
  let canWait: Bool
  private var input: Descriptor?
  var inputNumber: Int32? { input?.number }
  private var inputIsSocket = false
  private var intake: Intake
  private(set) var reader: RecordReader
  private let framing: RecordReader.Framing
  /// Nothing will follow what is in the buffer.
  private(set) var hasEnded = false
  /// What stands behind the last newline is no record: the sender ends each with one.
  private var endIsCut = false

  /// The type of the last record of this stream.
  private(set) var lastTaken: RecordType?

  private(set) var figures: SourceFigures
  private var malformedReport = MalformedReport()

  /// - Parameters:
  ///   - predecessor: whose input it goes on with.
  ///   - hasSameStream: what is opened first is what the predecessor read from.
  init(
    kind: String, canWait: Bool, framing: InputFraming, survivor: Survivor,
    predecessor: Predecessor?, hasSameStream: Bool
  ) {
    self.kind = kind
    self.canWait = canWait
    self.framing =
      switch framing {
      case .automatic: .undecided
      case .compact: .compact
      case .fixed: .fixed
      }
    let fresh = RecordReader(framing: self.framing)
    let settled =
      predecessor?.settled
      ?? Intake.Settled(byte: InputOffset(0), record: Ledger.firstRecord, reader: fresh)
    reader = settled.reader
    intake = Intake(
      survivor, settled: settled, end: predecessor?.received ?? InputOffset(0),
      awaitedFrom: predecessor?.awaitedFrom ?? settled.record)
    goesOn = predecessor != nil && hasSameStream
    figures = predecessor.map(SourceFigures.init(of:)) ?? SourceFigures()
  }

  func adoptForeign(records: UInt64, bytes: UInt64, malformed: UInt64) {
    figures.adoptForeign(records: records, bytes: bytes, malformed: malformed)
  }

  /// Counts a record that is not of this source.
  func countForeign(bytes count: Int) { figures.noteForeign(bytes: count) }

  func countForeignMalformed(_ kind: MalformedInput, _ sample: [UInt8]) {
    figures.noteForeignSkipped(kind)
    malformedReport.note(kind, sample)
  }

  /// The log has all that came from this source.
  var isSettled: Bool { intake.isSettled }

  /// The journal has records that are not of this source, and nothing in the ring: a successor goes on
  /// behind them, where nothing before them is waited for.
  func noteForeign(next record: RecordNumber) {
    intake.note(next: record, reader: reader, isNeeded: !intake.isSettled, isForeign: true)
  }

  /// Their senders are told that all below that number is stored, and send nothing of it again.
  func foreignAreTold(below number: RecordNumber) { intake.told(below: number) }

  /// Bytes that were read and are not yet a record.
  var pendingBytes: Int { intake.pendingBytes }

  /// The first stream goes on where a predecessor was in it.
  private(set) var goesOn: Bool

  /// Begins to read from a new stream.
  func open(_ descriptor: consuming Descriptor) {
    inputIsSocket = DescriptorKind.isSocket(descriptor.number)
    if inputIsSocket { DescriptorKind.takeUrgentInPlace(descriptor.number) }
    input = consume descriptor
    hasEnded = false
    if goesOn {
      goesOn = false
      return
    }
    beginStream()
  }

  func close() { input = nil }

  /// What follows is another stream, which begins with a record.
  func beginStream() {
    lastTaken = nil
    reader = RecordReader(framing: framing)
    intake.clear()
  }

  var isPipe: Bool { inputNumber.map { DescriptorKind.isPipe($0) } ?? false }

  /// Leaves a pipe room for a page: so much, at most, can come into it between the last read and its
  /// closing, which is all that has it refuse.
  func shrink() -> Bool { inputNumber.map { Pipe.shrink($0) } ?? false }

  /// Has the sender's writes fail from here on; what it wrote before is still to be read. `false`
  /// where that cannot be had: only a socket can.
  func refuseMore() -> Bool {
    guard let fd = input?.number, inputIsSocket else { return false }
    return shutdown(fd, Int32(SHUT_RD)) == 0
  }

  /// Says that nothing will follow; `isCut`: what stands behind the last newline is part of a line.
  func markEnded(isCut: Bool) {
    hasEnded = true
    endIsCut = isCut
  }

  /// Nothing of what was read is needed any more; the next read had better begin anew.
  var isUsedUp: Bool { intake.isUsedUp }
  func beginAnew(_ permit: borrowing Permit) { intake.beginAnew() }

  /// Reads once; never waits.
  func fill() -> ReadResult {
    guard let fd = input?.number else { return .end }
    let result = intake.fill(fd, isSocket: inputIsSocket)
    if case .bytes(let count) = result { figures.noteRead(bytes: count) }
    return result
  }

  /// Appends the records that are there to the journal, `limit` at the most.
  ///
  /// - Parameter isNeeded: until a log has them, as `settle` says.
  func takeRecords(limit: Int, into journal: Journal, isNeeded: Bool) {
    // A local: a property of a class is guarded at every access.
    var reader = self.reader
    var left = limit
    let hasEnded = hasEnded
    intake.take { span, position in
      scan: while true {
        let isLine = reader.isBinary != true
        let (stop, taken) = journal.take(
          span, &reader, &position, ended: hasEnded && !(endIsCut && isLine), limit: left)
        left -= taken
        if case .malformed(let kind, let sample) = stop {
          note(kind, sample, of: span)
          continue
        }
        if hasEnded, endIsCut, isLine, left > 0, position < span.count {
          note(.truncated, position..<min(span.count, position + 64), of: span)
          position = span.count
        }
        break scan
      }
    }
    self.reader = reader
    figures.noteMade(records: limit - left)
    if left < limit { lastTaken = journal.lastTaken }
    intake.note(next: journal.nextRecord, reader: reader, isNeeded: isNeeded)
  }

  /// Makes records once more of what a predecessor had made records of, that many, and goes on where
  /// it had come to: what is between had been passed over.
  func takeAgain(
    _ count: Int, into journal: Journal, isNeeded: Bool,
    until taken: (byte: InputOffset, reader: RecordReader)
  ) {
    var reader = self.reader
    var left = count
    intake.take { span, position in
      while left > 0 {
        let (stop, taken) = journal.take(span, &reader, &position, ended: false, limit: left)
        left -= taken
        guard case .malformed = stop else { break }
      }
    }
    if left < count { lastTaken = journal.lastTaken }
    intake.goOn(at: taken.byte)
    self.reader = taken.reader
    intake.note(next: journal.nextRecord, reader: taken.reader, isNeeded: isNeeded)
  }

  /// Counts what was read and is no record yet as malformed.
  func passOverPending() {
    figures.noteSkipped(.badHeader)
    intake.clear()
    reader = RecordReader(framing: framing)
  }

  /// A log has all records below this number.
  func settle(below number: RecordNumber) { intake.settle(below: number) }

  /// What a successor would begin with, and how far this process has come.
  var settled: Intake.Settled { intake.settled }
  var taken: InputOffset { intake.start }
  var awaitedFrom: RecordNumber { intake.awaitedFrom }

  private func note(_ kind: MalformedInput, _ sample: Range<Int>, of span: Span<UInt8>) {
    figures.noteSkipped(kind)
    guard malformedReport.wantsSample else { return }
    var bytes: [UInt8] = []
    for i in sample { bytes.append(span[i]) }
    malformedReport.note(kind, bytes)
  }

  /// What to say of what was skipped since the last call, at a low rate.
  func malformedMessage(_ now: Moment) -> String? {
    malformedReport.message(now, total: figures.malformedTotal)
  }
}
