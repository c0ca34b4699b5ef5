import TestSupport
import Testing

@testable import AuditRecord

@Suite("The numbers of events")
struct EventScannerTests {
  private func marks(_ lines: [String]) -> [EventTracker.Mark] {
    var scanner = EventScanner()
    return lines.map { line in
      var type: UInt32 = 0
      let bytes = Array(line.utf8)
      return scanner.note(bytes.span, form: .line, type: &type)
    }
  }

  private func line(_ serial: Int, _ time: String = "1700000000.001", node: String? = nil) -> String
  {
    (node.map { "node=\($0) " } ?? "") + "type=SYSCALL msg=audit(\(time):\(serial)): arch=c000003e"
  }

  @Test func `records of one node, time and serial are one event`() {
    #expect(marks([line(1), line(1), line(2), line(1)]).map(\.event) == [0, 0, 1, 0])
  }

  @Test func `only the first record of an event is its first`() {
    #expect(
      marks([line(1), line(2), line(1), line(2)]).map(\.isFirst) == [true, true, false, false])
  }

  @Test(arguments: [
    ["1700000000.001", "1700000000.002"], ["1700000000.001", "1700000001.001"], ["1.0", "1.1"],
  ])
  func `another time is another event`(_ times: [String]) {
    #expect(marks(times.map { line(1, $0) }).map(\.event) == [0, 1])
  }

  @Test func `names of nodes longer than any host's are told apart, and take no more room`() {
    let long = String(repeating: "n", count: 5000)
    let lines = [long + "1", long + "2", long + "1", long].map { line(1, node: $0) }
    #expect(marks(lines).map(\.event) == [0, 1, 0, 2])
  }

  @Test func `a stream of invented nodes gives none the number of another that is still open`() {
    let lines = (0..<20_000).map { line(1, node: "n\($0)") } + [line(1, node: "n19999")]
    let events = marks(lines).map(\.event)
    #expect(Set(events.dropLast()).count == 20_000)
    #expect(events.last == events.dropLast().last)
  }

  @Test func `another node is another event`() {
    let lines = [line(1), line(1, node: "a"), line(1, node: "b"), line(1, node: "a"), line(1)]
    #expect(marks(lines).map(\.event) == [0, 1, 2, 1, 0])
  }

  @Test func `another sender is another event, with a node and without`() {
    var scanner = EventScanner()
    func mark(_ sender: String, _ line: String) -> EventTracker.Mark {
      var type: UInt32 = 0
      scanner.begin(sender: Array(sender.utf8))
      return scanner.note(Array(line.utf8).span, form: .line, type: &type)
    }
    let lines = [line(1), line(1, node: "a")]
    let senders = ["", "192.0.2.1", "192.0.2.2", "192.0.2.1", "", "192.0.2.2"]
    for (place, line) in lines.enumerated() {
      let events = senders.map { mark($0, line).event }
      #expect(events == [0, 1, 2, 1, 0, 2].map { 3 * UInt64(place) + $0 })
    }
    // A node's name is not the end of a sender's.
    #expect(mark("19", line(1, node: "2.0.2.1")).isFirst)
  }

  @Test func `no number stands for two names, however many there were`() {
    var nodes = NodeNumbers()
    var seen: Set<UInt32> = [0]
    for number in 0..<70_000 {
      let name = Array("\(number)".utf8)
      seen.insert(nodes.number(of: name.span))
    }
    #expect(seen.count == 70_001)
  }

  @Test func `a serial is not mistaken for a longer one that begins like it`() {
    #expect(marks([line(12), line(1), line(123), line(12)]).map(\.event) == [0, 1, 2, 0])
  }

  @Test func `what has no stamp is an event of its own`() {
    #expect(marks(["a=b", "a=b", line(1)]).map(\.event) == [0, 1, 2])
  }

  @Test func `a late record finds its event among the last 1,024`() {
    let others = (2...1024).map { line($0) }
    #expect(
      marks([line(1)] + others + [line(1)]).last == EventTracker.Mark(event: 0, isFirst: false))
    #expect(marks([line(1)] + others + [line(1025), line(1)]).last?.isFirst == true)
  }

  @Test func `the tracker agrees with a dictionary over random traffic`() {
    var random = Seeded(of: "the tracker agrees with a dictionary")
    var tracker = EventTracker()
    var known: [RecordStamp: UInt64] = [:]
    for _ in 0..<20_000 {
      let stamp = RecordStamp(
        milliseconds: UInt64.random(in: 0...3, using: &random),
        serial: UInt64.random(in: 0...250, using: &random))
      let mark = tracker.note(stamp, node: 0)
      #expect(mark.isFirst == (known[stamp] == nil))
      #expect(mark.event == known[stamp, default: mark.event])
      known[stamp] = mark.event
    }
  }

  @Test(arguments: [
    ("SYSCALL", 1300), ("EOE", 1320), ("USER_LOGIN", 1112), ("DAEMON_START", 1200),
    ("UNKNOWN[9999]", 9999), ("NOT_A_TYPE_AT_ALL_AND_LONG", Int(TypeNames.unknown)),
  ])
  func `a type's name has its number`(_ name: String, _ number: Int) {
    var types = TypeNames()
    let bytes = Array(name.utf8)
    for _ in 0..<2 { #expect(types.number(of: bytes.span) == UInt32(number)) }
  }

  @Test(arguments: [(1300, "SYSCALL"), (1320, "EOE"), (9999, "UNKNOWN[9999]"), (7, "UNKNOWN[7]")])
  func `a bare record is given its type's name`(_ number: UInt32, _ name: String) {
    var types = TypeNames()
    for _ in 0..<2 { #expect(types.prefix(of: number) == Array("type=\(name) msg=".utf8)) }
  }
}

@Suite("A record's stamp")
struct RecordStampTests {
  @Test(arguments: [
    ("audit(1700000000.123:41): x", 1_700_000_000_123, 41),
    ("audit(1700000000.123:41)", 1_700_000_000_123, 41),
    ("audit(1.0:1):", 1000, 1),
    ("audit(1700000000.000:18446744073):", 1_700_000_000_000, 18_446_744_073),
  ])
  func `is read`(_ text: String, _ milliseconds: UInt64, _ serial: UInt64) {
    for padding in ["", String(repeating: " ", count: 40)] {
      let bytes = Array((text + padding).utf8)
      var position = 0
      let stamp = RecordStamp(bytes.span, at: &position)
      #expect(stamp == RecordStamp(milliseconds: milliseconds, serial: serial))
      #expect(bytes[position - 1] == UInt8(ascii: ")"))
    }
  }

  @Test(arguments: [
    "audit", "audit(", "audit(1)", "audit(1.0)", "audit(1.0:)", "audit(.0:1)", "audit(1.0:1",
    "audit(170000000x.123:41):", "audit(1700000000.1x3:41):", "audit(1700000000.123:4x):",
    "audit(1700000000.1234:41):", "udit(1700000000.123:41):",
    "audit(1700000000.123:99999999999999999999):",
  ])
  func `is refused when it is not one`(_ text: String) {
    for padding in ["", String(repeating: " ", count: 40)] {
      let bytes = Array((text + padding).utf8)
      var position = 0
      #expect(RecordStamp(bytes.span, at: &position) == nil)
      #expect(position == 0)
    }
  }
}
