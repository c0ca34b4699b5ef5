import AuditRecord
import Linux
import Testing

@testable import AuditDispatch

@Suite("Whether records gather before they are written")
struct GatheringTests {
  /// A source, a clock and the value under test: each look takes what has come by then.
  struct Run {
    var now = Moment(nanoseconds: 1_000_000_000)
    var records = 0
    var bytes = 0
    var gathering: Gathering
    var looks = 0
    var writes = 0

    init(_ longest: Duration = .milliseconds(1)) {
      gathering = Gathering(longest: longest, now: Moment(nanoseconds: 1_000_000_000))
    }

    @discardableResult
    mutating func look(_ count: Int, bytes length: Int = 300, isOpen: Bool = false) -> Bool {
      records += count
      bytes += count * length
      looks += 1
      let writes = gathering.looked(
        records: records, bytes: bytes, isOpen: isOpen, now: now)
      if writes { self.writes += 1 }
      return writes
    }

    /// Records that come evenly, for that long: each look is as late as it may be.
    mutating func stream(
      rate: Double, for time: Duration, bytes length: Int = 300, isOpen: Bool = true,
      _ check: (Int, Run) -> Void = { _, _ in }
    ) {
      let start = now
      let before = records
      while now - start < time {
        let due = gathering.nextLook ?? now + .nanoseconds(Int64(1e9 / rate))
        now = max(due, now + .nanoseconds(1))
        let total = before + Int((now - start).inSeconds * rate)
        let found = total - records
        look(found, bytes: length, isOpen: isOpen && found > 0)
        check(found, self)
      }
    }
  }

  @Test(arguments: [1, 50, 200, 450.0])
  func `below 500 a second each is written as it comes`(_ rate: Double) {
    var run = Run()
    run.stream(rate: rate, for: .seconds(20)) { _, run in
      #expect(run.gathering.nextLook == nil)
    }
    #expect(run.writes == run.looks)
  }

  @Test func `an event alone is written as it comes, however many records it has`() {
    var run = Run()
    for _ in 0..<20 {
      run.now = run.now + .seconds(1)
      for _ in 0..<40 {
        run.now = run.now + .microseconds(50)
        let writes = run.look(1, isOpen: true)
        #expect(writes)
        #expect(run.gathering.nextLook == nil)
      }
    }
  }

  @Test func `with latency_max = 0 each is written as it comes at any rate`() {
    var run = Run(.zero)
    run.stream(rate: 200_000, for: .milliseconds(300)) { _, run in
      #expect(run.gathering.nextLook == nil)
    }
    #expect(run.writes == run.looks)
  }

  @Test(arguments: [700, 2000, 8000, 50_000.0])
  func `above, an open event is waited for, but no longer than it may be`(_ rate: Double) {
    var run = Run()
    run.stream(rate: rate, for: .milliseconds(200))
    run.looks = 0
    run.writes = 0
    var before = run.now
    run.stream(rate: rate, for: .seconds(1)) { _, run in
      if let next = run.gathering.nextLook { #expect(next - run.now <= .milliseconds(1)) }
      #expect(run.now - before <= max(.milliseconds(1), .nanoseconds(Int64(1e9 / rate))))
      before = run.now
    }
    // A record a look at most while nothing gathers; then a millisecond's.
    #expect(Double(run.writes) <= max(1100, rate * 0.6))
    #expect(run.looks <= 2 * run.writes + 1)
  }

  @Test func `a look that finds nothing writes what waits, and the source wakes us again`() {
    var run = Run()
    run.stream(rate: 1000, for: .milliseconds(200))
    run.now = run.now + .milliseconds(1)
    run.look(1, isOpen: true)
    run.now = run.now + .milliseconds(1)
    let writes = run.look(0)
    #expect(writes)
    #expect(run.gathering.nextLook == nil)
  }

  @Test func `what is complete is written at once`() {
    var run = Run()
    run.stream(rate: 2000, for: .milliseconds(200), isOpen: false)
    let looks = run.looks
    let writes = run.writes
    run.stream(rate: 2000, for: .milliseconds(200), isOpen: false)
    #expect(run.looks - looks == run.writes - writes)
  }

  @Test(arguments: [(8000.0, 8986), (20_000, 8986), (300_000, 300), (40_000, 1400)])
  func `the sender's socket does not fill`(_ rate: Double, _ length: Int) {
    var run = Run(.milliseconds(10))
    run.stream(rate: rate, for: .milliseconds(500), bytes: length)
    var most = 0
    run.stream(rate: rate, for: .milliseconds(500), bytes: length) { found, _ in
      most = max(most, found)
    }
    #expect(most * (length + 980) < 212_992, "\(most) records")
  }

  @Test func `a rate of the past counts no longer`() {
    var run = Run()
    run.stream(rate: 20_000, for: .milliseconds(500))
    run.now = run.now + .seconds(5)
    let writes = run.look(1, isOpen: true)
    #expect(writes)
    #expect(run.gathering.nextLook == nil)
  }

  @Test func `many records a write, so that a look finds little, are given a tenth of that time`() {
    var run = Run()
    run.stream(rate: 2_500_000, for: .milliseconds(200), bytes: 160)
    run.now = run.now + .microseconds(100)
    run.look(200, bytes: 160)
    #expect(run.gathering.nextLook.map { $0 - run.now } == .microseconds(100))
  }

  @Test func `nothing is waited for behind an end`() {
    var run = Run()
    run.stream(rate: 8000, for: .milliseconds(200))
    run.gathering.stop()
    #expect(run.gathering.nextLook == nil)
  }
}

@Suite("Events that are open in what waits")
struct OpenEventsTests {
  @Test func `end with EOE`() {
    var open = OpenEvents()
    for role in [EventRole.member, .member, .proctitle] { open.note(7, role) }
    #expect(!open.isEmpty)
    open.note(7, .end)
    #expect(open.isEmpty)
  }

  @Test func `are none where the type accompanies no system call`() {
    var open = OpenEvents()
    open.note(1, .single)
    #expect(open.isEmpty)
  }

  @Test func `are told apart`() {
    var open = OpenEvents()
    open.note(1, .member)
    open.note(2, .member)
    open.note(1, .end)
    #expect(!open.isEmpty)
    open.note(2, .end)
    #expect(open.isEmpty)
    open.note(3, .end)
    #expect(open.isEmpty)
  }

  @Test func `are forgotten when they were written`() {
    var open = OpenEvents()
    open.note(1, .member)
    open.forget()
    #expect(open.isEmpty)
  }

  @Test func `of which the end never comes do not become many`() {
    var open = OpenEvents()
    for event in 0..<1000 { open.note(UInt32(event), .member) }
    for event in 984..<1000 { open.note(UInt32(event), .end) }
    #expect(open.isEmpty)
  }
}
