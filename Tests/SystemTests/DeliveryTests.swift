import Foundation
import Testing

/// One binary record and the line that a string plugin gets; nil: none.
struct DeliveryCase: Sendable, CustomTestStringConvertible {
  let id: String
  var version: UInt32 = 1
  var type: UInt32 = 1300
  let payload: Data
  var size: UInt32?
  var headerSize: UInt32 = 16
  let expected: Data?
  var testDescription: String { id }

  init(
    _ id: String, version: UInt32 = 1, type: UInt32 = 1300, _ payload: String,
    _ expected: String?, headerSize: UInt32 = 16
  ) {
    self.init(
      id, version: version, type: type, Data(payload.utf8), expected.map { Data($0.utf8) },
      headerSize: headerSize)
  }

  init(
    _ id: String, version: UInt32 = 1, type: UInt32 = 1300, _ payload: Data,
    _ expected: Data?, headerSize: UInt32 = 16, size: UInt32? = nil
  ) {
    (self.id, self.version, self.type) = (id, version, type)
    (self.payload, self.expected, self.headerSize, self.size) = (
      payload, expected, headerSize, size
    )
  }

  func bytes(fixed: Bool) -> Data {
    Binary.record(
      payload, type: type, version: version, headerSize: headerSize, size: size, fixed: fixed,
      padding: 0x79)
  }
}

private let id = "msg=audit(1.0:1):"
private let longest = "type=LONG \(id) " + String(repeating: "y", count: 8969 - 28)
private let highBytes =
  Data("type=SYSCALL \(id) x=".utf8) + Data(0x80...0xff) + Data([0x1d]) + Data("ARCH=x86_64".utf8)

private let cases: [DeliveryCase] = [
  DeliveryCase("D1", version: 0, "audit(1.0:1): x=1", "type=SYSCALL \(id) x=1\n"),
  DeliveryCase("D2", version: 0, type: 9999, "audit(1.0:1): x=1", "type=UNKNOWN[9999] \(id) x=1\n"),
  DeliveryCase(
    "D3", "type=USER \(id) a=b\nc=d\n", "type=USER \(id) a=b c=d \n"),
  DeliveryCase("D3 bare", "a=b\nc=d\n", "a=b c=d \n"),
  DeliveryCase("D4", highBytes, highBytes + Data("\n".utf8)),
  DeliveryCase("D5", "type=USER \(id) abc\0def", "type=USER \(id) abc\n"),
  DeliveryCase("D5 bare", "abc\0def", "abc\n"),
  DeliveryCase("D6", longest + "\0", longest + "\n"),
  DeliveryCase(
    "EOE of version 0", version: 0, type: 1320, "audit(1.0:1): ", "type=EOE \(id) \n"),
  DeliveryCase("EOE of version 1", type: 1320, "type=EOE \(id)", "type=EOE \(id)\n"),
  DeliveryCase("D8", version: 7, "type=USER \(id) x=1", nil),
  DeliveryCase("D9 header", "type=USER \(id) x=1", nil, headerSize: 20),
  DeliveryCase(
    "D9 size", Data("type=USER \(id) x=1".utf8) + Data(repeating: 0x79, count: 8_980), nil,
    size: 9_000),
]

/// A record that follows each case: whatever came before it, it is not lost.
private let next = "type=USER msg=audit(1.0:2): x=2"

/// Cases D1 to D12, with the table's bytes.
@Suite("Delivery of binary records", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct DeliveryTests {
  @Test(arguments: cases, [false, true])
  func `gives a string plugin the line of the table`(example: DeliveryCase, fixed: Bool)
    async throws
  {
    let scratch = try Scratch()
    let daemon = try await Audispatchd([try await copier("string", scratch)], scratch: scratch)
    let bytes = example.bytes(fixed: fixed) + Binary.record(next, fixed: fixed)
    try await daemon.send(bytes: bytes, records: example.expected == nil ? 1 : 2)
    let state = try await daemon.finish()
    #expect(scratch.bytes("string") == (example.expected ?? Data()) + Data((next + "\n").utf8))
    #expect((state.source.malformed > 0) == (example.expected == nil))
  }

  @Test(
    "D7 gives a binary plugin the framing of the input", arguments: [false, true])
  func framing(fixed: Bool) async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd([try await copier("binary", scratch)], scratch: scratch)
    let whole = cases.filter { $0.expected != nil }
    let sent = whole.map { $0.bytes(fixed: fixed) }.reduce(into: Data()) { $0.append($1) }
    try await daemon.send(bytes: sent, records: whole.count)
    try await daemon.finish()
    // The padding is never what somebody else left in memory.
    let expected = whole.map { example in
      Binary.record(
        example.payload, type: example.type, version: example.version, fixed: fixed, padding: 0)
    }.reduce(into: Data()) { $0.append($1) }
    #expect(scratch.bytes("binary") == expected)
  }

  @Test(arguments: ["compact", "fixed"])
  func `gives a binary plugin the framing that its file asks for`(wanted: String) async throws {
    let scratch = try Scratch()
    var plugin = try await copier("binary", scratch)
    plugin.text += "binary_framing = \(wanted)\n"
    let daemon = try await Audispatchd([plugin], scratch: scratch)
    let record = "type=SYSCALL \(id) x=1"
    try await daemon.send([record])
    try await daemon.finish()
    #expect(scratch.bytes("binary") == Binary.record(record, fixed: wanted == "fixed"))
  }

  @Test(arguments: [false, true])
  func `does not hold the first record back to find out the framing`(fixed: Bool) async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd([try await copier("string", scratch)], scratch: scratch)
    try await daemon.send(bytes: Binary.record(next, fixed: fixed), records: 1)
    try await eventually("the first record") { scratch.lines("string") == [next] }
    try await daemon.finish()
  }

  @Test("D11 does not depend on how the input was split", arguments: [false, true])
  func splits(fixed: Bool) async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd([try await copier("string", scratch)], scratch: scratch)
    let record = Binary.record(next, fixed: fixed)
    let places = Array(1..<20) + [record.count - 1]
    for place in places {
      try await daemon.send(bytes: record[..<place], records: 0)
      try await Task.sleep(for: .milliseconds(5))
      try await daemon.send(bytes: record[place...], records: 1)
    }
    try await daemon.finish()
    #expect(scratch.lines("string") == [String](repeating: next, count: places.count))
  }

  @Test("D10 names the node of a record that has none", arguments: [UInt32(0), 1])
  func node(version: UInt32) async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [try await copier("string", scratch)], settings: ["name_format = user", "name = host7"],
      scratch: scratch)
    let payload = version == 0 ? "audit(1.0:1): x=1" : "type=SYSCALL \(id) x=1"
    try await daemon.send(bytes: Binary.record(payload, version: version), records: 1)
    try await daemon.finish()
    let node = version == 0 ? "node=host7 " : ""
    #expect(scratch.lines("string") == [node + "type=SYSCALL \(id) x=1"])
  }

  @Test("D12 ends with its input")
  func endOfInput() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd([try await copier("string", scratch)], scratch: scratch)
    try await daemon.finish(status: 0)
    #expect(scratch.text("string.log").contains("end"))
  }

  @Test func `a record that the end of the socket cuts off is none, and is counted`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])], scratch: scratch)
    let records = TestEvent.stream(1..<4).records
    try await daemon.send(records)
    try await daemon.send(
      bytes: Data("type=USER_LOGIN msg=audit(1700000000.001:9): pid=1 res=fai".utf8), records: 0)
    let state = try await daemon.finish()
    #expect(scratch.lines("out") == records)
    #expect(state.source.malformed == 1)
    #expect(daemon.messages.contains("(cut off): 'type=USER_LOGIN"))
  }

  @Test func `makes of auditd's binary stream the lines that auditd makes`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [try await copier("string", scratch), try await copier("binary", scratch)], scratch: scratch)
    let input = try await unpacked("auditd-3.0.9-binary.gz")
    try await daemon.send(bytes: input, records: input.count / 8986)
    let state = try await daemon.finish()
    #expect(scratch.bytes("string") == (try await unpacked("auditd-3.0.9-string.gz")))
    #expect(scratch.bytes("binary") == zeroPadded(input))
    #expect(state.source.malformed == 0)
  }
}

/// The same behind the auditd of this host, with the kernel's own records.
@Suite("Delivery beside auditd's own", .inTurn, .enabled(if: KernelAudit.isHere, KernelAudit.why))
struct DeliveryBesideAuditdTests {
  @Test(arguments: ["RAW", "ENRICHED"], ["NONE", "HOSTNAME"])
  func `makes of auditd's binary stream the lines that auditd makes`(
    format: String, name: String
  ) async throws {
    let theirs = try Scratch()
    let plugins = [try await copier("string", theirs), try await copier("binary", theirs)]
    try await KernelAudit.hold { audit in
      let auditd = try await RealAuditd(
        plugins, settings: ["log_format": format, "name_format": name], audit: audit,
        scratch: theirs)
      try await audit.auditExecs()
      _ = try await audit.execs(20)
      try await audit.auditctl("-m", "a message")
      try await eventually("auditd's plugins have the execs") {
        Receipt.execs(theirs.lines("string")) == 20
          && theirs.text("string").contains("a message")
      }
      try await auditd.stop()
    }
    let ours = try Scratch()
    let daemon = try await Audispatchd(
      [try await copier("string", ours), try await copier("binary", ours)], scratch: ours)
    let input = theirs.bytes("binary")
    try #require(input.count % 8986 == 0)
    try await daemon.send(bytes: input, records: input.count / 8986)
    try await daemon.finish()
    #expect(ours.bytes("string") == theirs.bytes("string"))
    #expect(ours.bytes("binary") == zeroPadded(input))
  }
}

/// A plugin file whose name is its format and its output's name.
private func copier(_ format: String, _ scratch: Scratch) async throws -> PluginFile {
  PluginFile(
    format, try await Programs.plugin(), ["copy", scratch(format)], format: format)
}

private func unpacked(_ name: String) async throws -> Data {
  let scratch = try Scratch()
  let child = try Child(
    "/bin/gzip", ["-dc", Programs.fixture(name)], output: scratch("out"))
  _ = try await child.end()
  return scratch.bytes("out")
}

/// Fixed records with nothing behind their payload.
private func zeroPadded(_ records: Data) -> Data {
  var records = Array(records)
  for start in stride(from: 0, to: records.count, by: 8986) {
    let size = records[start + 12..<start + 16].reversed().reduce(0) { $0 << 8 | Int($1) }
    for place in start + 16 + size..<start + 8986 { records[place] = 0 }
  }
  return Data(records)
}
