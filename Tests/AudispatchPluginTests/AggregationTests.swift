import AuditRecord
import Linux
import Testing

@testable import AudispatchPlugin

@Suite("Events that are alike")
struct AggregationTests {
  private static var rules: AggregationRules {
    var rules = AggregationRules()
    rules.window = .seconds(10)
    return rules
  }

  private static func line(_ milliseconds: Int, _ serial: Int, _ text: String) -> String {
    let fraction = String(milliseconds % 1000 + 1000).dropFirst()
    return "type=USER msg=audit(\(milliseconds / 1000).\(fraction):\(serial)): \(text)"
  }

  /// What comes out: of each the serial, how many, the last serial, and the token.
  private static func aggregated(_ lines: [String], _ rules: AggregationRules = rules) -> [[Int]] {
    var aggregator = EventAggregator(rules)
    var out: [AuditEvent] = []
    for (place, event) in assemble(lines.map { Array($0.utf8) }).enumerated() {
      var event = event
      event.token = DeliveryToken(place: UInt64(place + 1))
      if aggregator.isOver(before: event) { out += aggregator.close() }
      aggregator.take(event)
    }
    out += aggregator.close()
    return out.map {
      [
        Int($0.stamp.serial), $0.repetition?.count ?? 1,
        Int(($0.repetition?.last ?? $0.stamp).serial), Int($0.token.place),
      ]
    }
  }

  @Test func `become one, within a window`() {
    let lines = [
      Self.line(1000, 1, "pid=1 x=1"), Self.line(1001, 2, "pid=2 x=2"),
      Self.line(2000, 3, "pid=3 x=1"), Self.line(10_999, 4, "ppid=1 pid=4 x=1"),
      Self.line(10_999, 5, "pid=5 x=1"), Self.line(11_000, 6, "pid=6 x=1"),
      Self.line(12_000, 7, "pid=7 x=1"),
    ]
    // Nothing of a window is done before the last of it.
    #expect(
      Self.aggregated(lines) == [[1, 3, 5, 0], [2, 1, 2, 0], [4, 1, 4, 5], [6, 2, 7, 7]])
  }

  @Test func `may differ where that was asked for`() {
    let lines = (1...4).map { Self.line(1000, $0, "a0=\($0) pid=1 name=\"f\"") }
    #expect(Self.aggregated(lines).count == 4)
    var rules = Self.rules
    rules.differing.insert("a0")
    #expect(Self.aggregated(lines, rules) == [[1, 4, 4, 4]])
  }

  @Test func `are not those of other nodes, types, and further parts`() {
    let lines = [
      Self.line(1000, 1, "x=1"), "node=a \(Self.line(1000, 2, "x=1"))",
      "node=b \(Self.line(1000, 3, "x=1"))",
      Self.line(1000, 4, "x=1").replacing("USER", with: "USER_AUTH"),
      Self.line(1000, 5, "x=1 pid=1"), Self.line(1000, 6, "pid=1 x=1"),
    ]
    #expect(Self.aggregated(lines).count == 6)
  }

  @Test func `lose nobody, whatever the events are`() {
    let events = assemble(Corpus.lines)
    for window in [1, 10, 1000] {
      var rules = AggregationRules()
      rules.window = .seconds(window)
      var aggregator = EventAggregator(rules)
      var counts = 0
      var given = 0
      for event in events {
        if aggregator.isOver(before: event) {
          let closed = aggregator.close()
          given += closed.count
          counts += closed.reduce(0) { $0 + ($1.repetition?.count ?? 1) }
        }
        aggregator.take(event)
      }
      let closed = aggregator.close()
      given += closed.count
      counts += closed.reduce(0) { $0 + ($1.repetition?.count ?? 1) }
      #expect(counts == events.count && given + aggregator.absorbed == events.count)
    }
  }

  @Test func `are told apart by what is still to come between them`() {
    var numbers = HandedNumbers(from: 11)
    #expect(numbers.isGapless(withLatest: true))
    numbers.note(last: 12, count: 2)
    #expect(numbers.isGapless(withLatest: true) && numbers.isGapless(withLatest: false))
    // 13 belongs to an event that is incomplete.
    numbers.note(last: 14, count: 1)
    #expect(!numbers.isGapless(withLatest: true) && numbers.isGapless(withLatest: false))
    numbers.note(last: 13, count: 1)
    #expect(numbers.isGapless(withLatest: true) && !numbers.isGapless(withLatest: false))
    // 15 and 17 are in no event.
    numbers.skip(15, count: 1)
    numbers.skip(17, count: 1)
    numbers.note(last: 16, count: 1)
    #expect(numbers.isGapless(withLatest: true))
    numbers.note(last: 18, count: 1)
    #expect(numbers.isGapless(withLatest: true) && numbers.isGapless(withLatest: false))
    for number in UInt64(19)...5000 { numbers.skip(number, count: 1) }
    numbers.note(last: 5001, count: 1)
    #expect(numbers.isGapless(withLatest: true))
  }

  /// A plugin that is done with an event at once, and notes what it got.
  private struct Noting: AuditPlugin, ~Copyable {
    let notes: SessionRun.Notes
    mutating func handle(_ event: AuditEvent) {
      let count = event.repetition?.count ?? 1
      notes.note("\(event.stamp.serial)x\(count)")
    }
  }

  private static func write(_ lines: [String], to run: SessionRun) throws {
    try run.write(lines.flatMap { Array(($0 + "\n").utf8) })
  }

  /// Waits until one of those numbers is confirmed; what was until then.
  private static func said(_ run: SessionRun, until wanted: Set<UInt64>) -> [UInt64] {
    var said: [UInt64] = []
    run.await("\(wanted) is confirmed") { _ in
      said += run.said()
      return said.contains { wanted.contains($0) }
    }
    return said
  }

  private static func session(_ rules: VolumeRules) throws -> SessionRun {
    try SessionRun(first: 1) { session, notes in
      var plugin = try LessVolume(
        Noting(notes: notes), session.options, session.confirmations, rules: { _ in rules })
      try session.run(&plugin)
    }
  }

  @Test func `are confirmed together, at the end of their window`() throws {
    var rules = VolumeRules()
    rules.aggregation.window = .seconds(10)
    let run = try Self.session(rules)
    let lines = (1...20).map { Self.line(1000 * $0, $0, "pid=\($0) x=\($0 % 2)") }
    try Self.write(lines, to: run)
    // The second window ends by the clock, too, if the machine is slow.
    var said = Self.said(run, until: [10, 20])
    run.endInput()
    if said.last != 20 { said += Self.said(run, until: [20]) }
    #expect(said.allSatisfy { [10, 20].contains($0) }, "\(said)")
    #expect(run.notes.all == ["1x5", "2x5", "11x5", "12x5"])
  }

  @Test func `end their window by the clock where nothing follows`() throws {
    var rules = VolumeRules()
    rules.aggregation.window = .milliseconds(200)
    let run = try Self.session(rules)
    try Self.write((1...3).map { Self.line(1000, $0, "x=1") }, to: run)
    #expect(Self.said(run, until: [3]) == [3])
    #expect(run.notes.all == ["1x3"])
  }

  @Test func `wait with the end of their window for an incomplete event`() throws {
    var rules = VolumeRules()
    rules.aggregation.window = .seconds(1)
    let run = try Self.session(rules)
    let open = "type=SYSCALL msg=audit(1.500:2): arch=c000003e syscall=1"
    // The fourth joins the first, as the second is still to come.
    try Self.write(
      [
        Self.line(1000, 1, "x=1"), open, Self.line(1600, 3, "x=1"), Self.line(2100, 4, "x=1"),
        "type=EOE msg=audit(1.500:2):", Self.line(2200, 5, "x=1"),
      ], to: run)
    run.endInput()
    let said = Self.said(run, until: [6])
    #expect(said.allSatisfy { [5, 6].contains($0) }, "\(said)")
    #expect(run.notes.all == ["1x3", "2x1", "5x1"])
  }
}
