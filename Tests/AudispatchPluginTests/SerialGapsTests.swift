import AuditRecord
import Testing

@testable import AudispatchPlugin

/// Four streams with the sums that go-libaudit's reassembler is tested for.
@Suite("Serials of a stream")
struct SerialGapsTests {
  private static let events: [(serial: UInt64, types: [String])] = [
    (58, ["SYSCALL", "EOE"]), (59, ["SYSCALL", "CWD", "PATH", "PROCTITLE", "EOE"]),
    (60, ["SYSCALL", "CWD", "PATH", "PROCTITLE", "EOE"]),
    (61, ["SYSCALL", "SOCKADDR", "PROCTITLE", "EOE"]), (62, ["USER_CMD"]),
  ]

  private static func lines(_ events: [(serial: UInt64, types: [String])]) -> [String] {
    events.flatMap { event in
      event.types.map { "type=\($0) msg=audit(1490000000.000:\(event.serial)): pid=1" }
    }
  }

  /// The serials in the order of the stream, with how many records each event has; and what is
  /// missing.
  private func sums(_ lines: [String]) -> (events: [String], missing: Int) {
    var limits = EventAssembler.Limits()
    limits.events = 5
    var assembler = EventAssembler(limits: limits)
    var gaps = SerialGaps()
    var found: [String] = []
    for event in assemble(lines.map { Array($0.utf8) }, &assembler) {
      if !event.isContinuation { gaps.note(event.stamp.serial) }
      found.append("\(event.stamp.serial) (\(event.records.count))")
    }
    return (found, gaps.missing)
  }

  @Test func `in order`() {
    let (events, missing) = sums(Self.lines(Self.events))
    #expect(events == ["58 (2)", "59 (5)", "60 (5)", "61 (4)", "62 (1)"])
    #expect(missing == 0)
  }

  @Test func `out of order`() {
    let all = Self.lines(Self.events)
    let shuffled = [0, 2, 7, 3, 8, 12, 4, 1, 9, 13, 5, 10, 14, 6, 11, 15, 16].map { all[$0] }
    let (events, missing) = sums(shuffled)
    #expect(events.sorted() == ["58 (2)", "59 (5)", "60 (5)", "61 (4)", "62 (1)"])
    #expect(missing == 0)
  }

  @Test func `with events that are lost`() {
    let (events, missing) = sums(Self.lines([(49, ["SYSCALL", "EOE"])] + Self.events.dropFirst()))
    #expect(events == ["49 (2)", "59 (5)", "60 (5)", "61 (4)", "62 (1)"])
    #expect(missing == 9)
  }

  @Test func `over the end of their numbers`() {
    let serials: [UInt64] = [4_294_967_294, 4_294_967_295, 0, 1, 2]
    let (events, missing) = sums(Self.lines(serials.map { ($0, ["USER_CMD"]) }))
    #expect(events == serials.map { "\($0) (1)" })
    #expect(missing == 0)
  }

  @Test func `after a start of the host nothing is missing`() {
    var gaps = SerialGaps()
    for serial: UInt64 in [900_000_000, 1, 2, 5] { gaps.note(serial) }
    #expect(gaps.missing == 2)
  }

  @Test func `an event that comes twice fills no gap below zero`() {
    var gaps = SerialGaps()
    for serial: UInt64 in [5, 6, 6, 5] { gaps.note(serial) }
    #expect(gaps.missing == 0)
  }
}
