import Testing

@testable import audispatch_integrity

@Suite("Scans of everything")
struct WholeScansTests {
  private let path = FilePath("/watched/d/file")

  private func reading(_ since: Int64) -> Reading { Reading(since: since, open: OpenFiles()) }

  /// One that began at `since` and has ended.
  private func ended(_ since: Int64) -> WholeScans {
    var scans = WholeScans()
    let number = scans.begin(reading(since))
    scans.end(number, isWhole: true)
    return scans
  }

  @Test func `say what they say, also where one stands for several`() {
    var scans = WholeScans()
    #expect(!scans.areRunning && scans.newest == nil)
    let first = scans.begin(reading(1))
    let second = scans.begin(reading(2))
    #expect(scans.areRunning && scans.newest == 2 && scans.verified == nil)
    // They run one behind the other, or as one.
    var asOne = scans
    scans.end(first, isWhole: true)
    #expect(scans.areRunning && scans.verified?.since == 1)
    scans.end(second, isWhole: true)
    #expect(!scans.areRunning && scans.verified?.since == 2)
    asOne.end(second, isWhole: true)
    #expect(!asOne.areRunning && asOne.verified?.since == 2)
  }

  @Test func `say nothing where they failed`() {
    var scans = ended(1)
    let number = scans.begin(reading(2))
    scans.end(number, isWhole: false)
    #expect(!scans.areRunning)
    #expect(scans.verified?.since == 1 && scans.newest == 1)
  }

  @Test func `say nothing of what they named, but what those before them say`() {
    var scans = ended(1)
    #expect(scans.verified(path)?.since == 1)
    let number = scans.begin(reading(2))
    scans.note(.init(named: [path]), by: number)
    #expect(scans.verified(path)?.since == 1)
    scans.end(number, isWhole: true)
    #expect(scans.verified(path)?.since == 1)
    #expect(scans.verified(path.folder)?.since == 2)
    // Of many none is remembered.
    for since in 3...5 {
      let next = scans.begin(reading(Int64(since)))
      scans.note(.init(named: [path]), by: next)
      scans.end(next, isWhole: true)
    }
    #expect(scans.verified(path) == nil && scans.verified(path.folder)?.since == 5)
    let last = scans.begin(reading(6))
    scans.end(last, isWhole: true)
    #expect(scans.verified(path)?.since == 6)
  }

  @Test func `say nothing of what is below a folder that could not be looked at`() {
    var scans = WholeScans()
    let number = scans.begin(reading(1))
    scans.note(.init(hidden: [path.folder]), by: number)
    scans.end(number, isWhole: true)
    #expect(scans.verified(path) == nil && scans.verified(path.folder) == nil)
    #expect(scans.verified(path.folder.folder)?.since == 1)
    scans.note(.init(hidden: [path.folder.folder]), by: number)
    #expect(scans.verified(path.folder.folder)?.since == 1)
  }
}

@Suite("A stream that lacks something")
struct StreamProofTests {
  @Test func `is looked for until it has begun, and more and more rarely`() {
    var marks = StreamMarks()
    var isDue = marks.next(at: .seconds(1))
    #expect(!isDue)
    marks.begin(at: .zero)
    var written: [Int] = []
    for quarter in 0..<1000 where marks.next(at: .milliseconds(quarter * 250)) {
      written.append(quarter)
    }
    // In quarters of a second: twice as long each time, up to a minute.
    #expect(written == [0, 1, 3, 7, 15, 31, 63, 127, 255, 495, 735, 975])
    marks.end()
    isDue = marks.next(at: .seconds(10_000))
    #expect(marks.due == nil && !isDue)
  }

  @Test func `is asked for a record when one is needed, and not for many of them`() {
    var marks = StreamMarks()
    marks.want(at: .zero)
    #expect(marks.due == nil)
    marks.begin(at: .zero)
    marks.end()
    var written: [Int] = []
    for quarter in 0..<400 {
      marks.want(at: .milliseconds(quarter * 250))
      // What comes in takes nothing away from what is wanted.
      marks.end()
      if marks.next(at: .milliseconds(quarter * 250)) { written.append(quarter) }
    }
    // A bucket of a minute's, and then one every three seconds.
    #expect(written == Array(0...21) + Array(stride(from: 24, to: 400, by: 12)))
    let later = Duration.seconds(1000)
    for quarter in 0..<22 {
      marks.want(at: later + .milliseconds(quarter * 250))
      let isWritten = marks.next(at: later + .milliseconds(quarter * 250))
      #expect(isWritten)
    }
  }

  @Test func `has everything scanned at once at its beginning, else when nothing comes late`() {
    let rows: [(uncertain: Int64?, scanned: Int64?, isFirst: Bool, due: Duration?)] = [
      (nil, nil, true, nil), (10, 10, false, nil), (10, 9, true, .seconds(5)),
      (10, nil, true, .seconds(5)), (10, 9, false, .seconds(6)),
    ]
    for (uncertain, scanned, isFirst, due) in rows {
      var scans = ProofScans()
      scans.note(
        uncertainUpTo: uncertain, scanned: scanned, isFirst: isFirst, at: .seconds(5))
      #expect(scans.due == due)
    }
  }

  @Test func `is scanned for once, and not where the record has come late`() {
    var scans = ProofScans()
    func note(_ uncertain: Int64, scanned: Int64 = 9, second: Int) {
      scans.note(
        uncertainUpTo: uncertain, scanned: scanned, isFirst: false, at: .seconds(second))
    }
    note(10, second: 0)
    note(12, second: 1)
    #expect(scans.due == .seconds(1))
    note(9, second: 1)
    #expect(scans.due == nil)
    note(12, second: 2)
    #expect(scans.due == .seconds(3))
    scans.begin()
    // The clock was set back: no scan will be late enough.
    note(12, scanned: 1, second: 4)
    #expect(scans.due == nil)
    note(13, scanned: 1, second: 4)
    #expect(scans.due == .seconds(5))
  }

  @Test func `takes no more than a tenth of the time in scans`() {
    for (took, pause) in [(14, 126), (600, 600)] {
      var scans = ProofScans()
      scans.end(after: .seconds(took), at: .seconds(100))
      scans.note(uncertainUpTo: 10, scanned: 9, isFirst: false, at: .seconds(100))
      #expect(scans.due == .seconds(100 + pause))
    }
  }

  @Test func `is told when it begins and ends to lack something`() {
    var proof = StreamProof()
    let news = [false, true, true, false, false, true].map { proof.news(isWhole: $0) }
    #expect(news == [nil, .begins, nil, .lacks, nil, .isWhole])
  }

  @Test func `is looked at when something is found, after its patience`() {
    var gaps = StreamGaps(keys: [])
    var proof = StreamProof()
    proof.marks.begin(at: .zero)
    proof.note(gaps, scanned: nil, at: .zero)
    #expect(proof.deadline == .zero && proof.lookAt == nil)
    for event in Recorded.events(
      "type=USER_END msg=audit(10.000:7): pid=1 uid=0 auid=0 ses=1 msg='x'")
    {
      gaps.note(event, at: 10_500)
    }
    proof.note(gaps, scanned: 10_400, at: .seconds(2))
    #expect(proof.marks.due == nil)
    #expect(proof.scans.due == .seconds(2) && proof.lookAt == .seconds(3))
    proof.looked()
    proof.scans.begin()
    proof.note(gaps, scanned: 10_500, at: .seconds(4))
    #expect(proof.deadline == nil)
    gaps.lost(from: 1, to: 10_600)
    proof.note(gaps, scanned: 10_500, at: .seconds(5))
    #expect(proof.scans.due == .seconds(6) && proof.lookAt == .seconds(6))
  }

  @Test func `lacks what the kernel says that it has lost`() {
    var losses = KernelLosses()
    let first = losses.note(3, asked: 10, answered: 11)
    #expect(first == nil)
    let same = losses.note(3, asked: 20, answered: 21)
    #expect(same == nil)
    let more = losses.note(4, asked: 30, answered: 31)
    #expect(more?.from == 20 && more?.to == 31)
    // Somebody has set the count back.
    let less = losses.note(0, asked: 40, answered: 41)
    #expect(less?.from == 30 && less?.to == 41)
  }
}
