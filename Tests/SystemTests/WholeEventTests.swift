import Foundation
import Testing

/// One way to overflow a queue.
struct OverflowCase: Sendable, CustomTestStringConvertible {
  let depth: Int
  let action: String
  let eoe: Bool
  /// How many events' records come in turn.
  let interleaved: Int
  let format: String
  var testDescription: String {
    "q_depth \(depth), \(action), \(eoe ? "EOE" : "no EOE"), \(interleaved) at once, \(format)"
  }

  static let all: [OverflowCase] = [1, 2, 5, 40].flatMap { depth in
    ["ignore", "drop_oldest"].flatMap { action in
      [true, false].flatMap { eoe in
        [1, 4].flatMap { interleaved in
          ["string", "binary"].map {
            OverflowCase(
              depth: depth, action: action, eoe: eoe, interleaved: interleaved, format: $0)
          }
        }
      }
    }
  }
}

/// Every event is complete at a plugin or not there at all, and each absent one is counted.
@Suite("Whole events", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct WholeEventTests {
  @Test(arguments: OverflowCase.all)
  func `a plugin that opens late gets whole events and exact counts`(example: OverflowCase)
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await start(example, ["gate:" + scratch("open"), scratch("out")], scratch)
    // Far more than a socket takes; the gate opens when the queue has been full for long.
    let before = TestEvent.stream(1..<301, records: 3, eoe: example.eoe, fill: 500)
    try await daemon.send(before.interleaved(example.interleaved))
    try await daemon.takenIn()
    try scratch.write("", to: "open")
    try await rest(301..<401, behind: before, example, daemon, scratch)
  }

  @Test(arguments: OverflowCase.all.filter { $0.format == "string" })
  func `a plugin that is always behind gets whole events and exact counts`(example: OverflowCase)
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await start(example, ["slow:4096:1000", scratch("out")], scratch)
    let before = TestEvent.stream(1..<401, records: 4, eoe: example.eoe, fill: 900)
    try await daemon.send(before.interleaved(example.interleaved))
    try await rest(401..<501, behind: before, example, daemon, scratch)
  }

  /// Sends the last events when the plugin has read what was queued, so that the first of them find
  /// room; ends the daemon and holds what arrived against what was sent.
  private func rest(
    _ serials: Range<Int>, behind before: [TestEvent], _ example: OverflowCase,
    _ daemon: Audispatchd, _ scratch: Scratch, _ location: SourceLocation = #_sourceLocation
  ) async throws {
    try await daemon.takenIn()
    try await eventually("the queue is empty") { try daemon.plugin("p").queued == 0 }
    let after = TestEvent.stream(serials, records: 3, eoe: example.eoe, fill: 10)
    try await daemon.send(after.interleaved(example.interleaved))
    let state = try await daemon.finish(location)
    try check(example, before, after, state, scratch, location)
  }

  @Test func `drop_oldest keeps what was begun and the newest`() async throws {
    let scratch = try Scratch()
    let plugin = PluginFile(
      "p", try await Programs.plugin(), ["gate:" + scratch("open"), scratch("out")],
      "q_depth = 400", "overflow_action = drop_oldest")
    let daemon = try await Audispatchd([plugin], scratch: scratch)
    let events = TestEvent.stream(1..<1001, records: 2, eoe: true, fill: 1000)
    try await daemon.send(events)
    try await daemon.takenIn()
    try scratch.write("", to: "open")
    let state = try await daemon.finish()
    let receipt = Receipt(of: scratch.lines("out"), sent: events)
    #expect(receipt.broken == [])
    // One gap: what the socket held is before it, the end of the stream behind it.
    let gap = try #require(receipt.absent.first)
    #expect(receipt.absent == Array(gap..<gap + receipt.absent.count))
    #expect(receipt.complete.first == 1)
    #expect(receipt.complete.last == 1000)
    // With what lies unread in the socket, the queue was as full as it may be.
    #expect(receipt.records > 390 && receipt.records <= 403)
    #expect(try state.plugin("p").drops == ["queue_full": receipt.absent.count * 3])
  }

  @Test func `each gap is announced once, where it is, with its size`() async throws {
    let scratch = try Scratch()
    let example = OverflowCase(
      depth: 5, action: "ignore", eoe: true, interleaved: 1, format: "string")
    let daemon = try await start(example, ["gate:" + scratch("open"), scratch("out")], scratch)
    let before = TestEvent.stream(1..<201, records: 3, eoe: true, fill: 900)
    try await daemon.send(before)
    try await daemon.takenIn()
    try scratch.write("", to: "open")
    try await eventually("the queue is empty") { try daemon.plugin("p").queued == 0 }
    try await daemon.send(TestEvent.stream(201..<202, records: 3, eoe: true))
    try await daemon.finish()
    let lines = scratch.lines("out")
    let gap = try #require(lines.firstIndex { $0.contains("op=queue-drop") })
    let last = try #require(Receipt.serial(lines[gap - 1]))
    let dropped = 200 - last
    let pattern =
      #/type=DAEMON_ERR msg=audit\(\d+\.\d{3}:(\d+)\): op=queue-drop plugin=p dropped=(\d+) events=(\d+) reason=queue_full res=failed/#
    let match = try #require(try pattern.wholeMatch(in: lines[gap]), "\(lines[gap])")
    #expect(match.1 == "200")
    #expect(match.2 == "\(dropped * 4)")
    #expect(match.3 == "\(dropped)")
    #expect(Receipt.serial(lines[gap + 1]) == 201)
    #expect(lines.count { $0.contains("op=queue-drop") } == 1)
  }

  @Test func `gap_record = no leaves the stream as it came`() async throws {
    let scratch = try Scratch()
    let plugin = PluginFile(
      "p", try await Programs.plugin(), ["gate:" + scratch("open"), scratch("out")],
      "q_depth = 5", "overflow_action = ignore", "gap_record = no")
    let daemon = try await Audispatchd([plugin], scratch: scratch)
    let events = TestEvent.stream(1..<201, records: 3, eoe: true, fill: 900)
    try await daemon.send(events)
    try await daemon.takenIn()
    try scratch.write("", to: "open")
    try await daemon.finish()
    let receipt = Receipt(of: scratch.lines("out"), sent: events)
    #expect(receipt.absent.count > 0)
    #expect(receipt.gaps == [])
    #expect(receipt.broken == [])
  }

  private func start(_ example: OverflowCase, _ arguments: [String], _ scratch: Scratch)
    async throws -> Audispatchd
  {
    var plugin = PluginFile(
      "p", try await Programs.plugin(), arguments, format: example.format,
      "q_depth = \(example.depth)", "overflow_action = \(example.action)")
    if example.format == "binary" { plugin.text += "binary_framing = compact\n" }
    return try await Audispatchd([plugin], scratch: scratch)
  }

  private func check(
    _ example: OverflowCase, _ before: [TestEvent], _ after: [TestEvent], _ state: StateReport,
    _ scratch: Scratch, _ location: SourceLocation
  ) throws {
    let events = before + after
    let lines =
      example.format == "string"
      ? scratch.lines("out") : try Binary.payloads(of: scratch.bytes("out"))
    let receipt = Receipt(of: lines, sent: events)
    let plugin = try state.plugin("p")
    #expect(receipt.broken == [], sourceLocation: location)
    #expect(receipt.foreign == [], sourceLocation: location)
    #expect(receipt.absent.count > 0, "the queue was never full", sourceLocation: location)
    #expect(plugin.received == events.records.count, sourceLocation: location)
    #expect(plugin.delivered == receipt.records, sourceLocation: location)
    #expect(plugin.queued == 0, sourceLocation: location)
    let absent = Set(receipt.absent)
    let missing = events.filter { absent.contains($0.serial) }.records.count
    #expect(plugin.dropped["queue_full"] == missing, sourceLocation: location)
    let announced = receipt.gaps.compactMap { line in
      line.firstMatch(of: #/ dropped=(\d+) events=(\d+) /#).map { (Int($0.1)!, Int($0.2)!) }
    }
    // What is dropped last has no event after it that would announce it.
    #expect(announced.map(\.0).reduce(0, +) <= missing, sourceLocation: location)
    #expect(announced.map(\.1).reduce(0, +) <= absent.count, sourceLocation: location)
    #expect(!announced.isEmpty || absent.contains(events.count), sourceLocation: location)
    if example.action == "drop_oldest" {
      // What a socket has taken cannot be dropped, and may fill a tiny bound for a while.
      #expect(receipt.complete.contains { $0 > before.count }, sourceLocation: location)
    } else {
      #expect(receipt.complete.first == 1, "the oldest stays", sourceLocation: location)
      #expect(receipt.complete.contains(before.count + 1), "room again", sourceLocation: location)
    }
  }
}

extension Binary {
  /// The payloads of compact records.
  static func payloads(of data: Data) throws -> [String] {
    var payloads: [String] = []
    let bytes = Array(data)
    var place = 0
    while place + 16 <= bytes.count {
      let size = bytes[place + 12..<place + 16].reversed().reduce(0) { $0 << 8 | Int($1) }
      try #require(place + 16 + size <= bytes.count)
      payloads.append(String(decoding: bytes[place + 16..<place + 16 + size], as: UTF8.self))
      place += 16 + size
    }
    try #require(place == bytes.count)
    return payloads
  }
}
