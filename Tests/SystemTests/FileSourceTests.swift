import Foundation
import Linux
import Testing

/// A recorded file as the source: everything is delivered, then it ends.
@Suite("A file as the source", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct FileSourceTests {
  static let events = TestEvent.stream(1..<401, records: 3, eoe: true, fill: 200)

  enum Form: String, CaseIterable, Sendable { case log, gzip, compact, fixed }

  private func write(_ form: Form, _ scratch: Scratch) async throws -> String {
    let records = Self.events.records
    let text = records.map { $0 + "\n" }.joined()
    switch form {
    case .log: return try scratch.write(text, to: "log")
    case .gzip:
      try scratch.write(text, to: "log")
      _ = try await run("/bin/gzip", [scratch("log")])
      return scratch("log.gz")
    case .compact, .fixed:
      let data = records.map { Binary.record($0, fixed: form == .fixed) }.reduce(into: Data()) {
        $0.append($1)
      }
      return try scratch.write(data, to: "capture")
    }
  }

  @Test(arguments: Form.allCases)
  func `delivers everything also to a slow plugin with a tiny queue, and exits 0`(form: Form)
    async throws
  {
    let scratch = try Scratch()
    let file = try await write(form, scratch)
    let program = try await Programs.plugin()
    let daemon = try await Audispatchd(
      [
        PluginFile("slow", program, ["slow:4096:2000", scratch("slow")], "q_depth = 2"),
        PluginFile("fast", program, ["copy", scratch("fast")]),
      ], source: "file:" + file, scratch: scratch)
    let records = Self.events.records
    let state = try await daemon.ended(sent: records.count)
    for name in ["slow", "fast"] {
      #expect(difference(scratch.lines(name), records) == nil)
      #expect(try state.plugin(name).delivered == records.count)
      #expect(try state.plugin(name).droppedInAll == 0)
    }
    #expect(state.source.kind == "file")
  }

  @Test func `is what standard input is, where no source is named`() async throws {
    let scratch = try Scratch()
    let log = try Descriptor.open(try await write(.log, scratch), O_RDONLY)
    let files = try DispatcherFiles(
      scratch, [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])])
    let daemon = try Child(
      Programs.product("audispatchd"),
      [
        "--config", files.configuration, "--plugin-dir", files.pluginFolder, "--runtime-dir",
        files.runtimeFolder,
      ], input: log.number, output: scratch("err"), error: scratch("err"))
    #expect(try await daemon.end() == .exited(0), "\(scratch.text("err"))")
    #expect(difference(scratch.lines("out"), Self.events.records) == nil)
  }

  @Test func `several files are read in the order they are named in`() async throws {
    let scratch = try Scratch()
    let parts = [TestEvent.stream(1..<11), TestEvent.stream(11..<21)]
    for (index, part) in parts.enumerated() {
      try scratch.write(part.records.map { $0 + "\n" }.joined(), to: "log.\(index)")
    }
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])],
      arguments: ["--source", "file:" + scratch("log.1")], source: "file:" + scratch("log.0"),
      scratch: scratch)
    try await daemon.ended(sent: 20)
    #expect(difference(scratch.lines("out"), parts.flatMap(\.records)) == nil)
  }

  @Test func `a capture of the kernel's messages becomes the lines that auditd made of it`()
    async throws
  {
    let scratch = try Scratch()
    let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let capture = here.appendingPathComponent("../EnrichmentTests/Corpus/kernel-6.18.nlmsg")
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])],
      source: "file:" + capture.standardized.path, scratch: scratch)
    try await daemon.ended()
    // The names of accounts are this host's: what comes before them is compared.
    func bare(_ lines: [String]) -> [String] {
      lines.map { String($0.prefix { $0 != "\u{1d}" }) }
    }
    let auditd = RealPluginTests.corpus.filter { !$0.hasPrefix("type=DAEMON_") }
    #expect(difference(bare(scratch.lines("out")), bare(auditd)) == nil)
  }

  @Test func `a plugin that cannot be made to take it is status 3, with the counts`() async throws {
    let scratch = try Scratch()
    let file = try await write(.log, scratch)
    let program = try await Programs.plugin()
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "dies", program, ["exit:0:1", scratch("dies")], "max_restarts = 1", "restart_delay = 0.01"
        ),
        PluginFile("copy", program, ["copy", scratch("copy")]),
      ], source: "file:" + file, scratch: scratch)
    let records = Self.events.records
    let state = try await daemon.ended(status: 3, sent: records.count, within: .seconds(60))
    #expect(difference(scratch.lines("copy"), records) == nil)
    #expect(try state.plugin("dies").droppedInAll == records.count)
    #expect(daemon.messages.contains("dies"))
  }

  /// Each: the file's bytes, and what is said of it.
  static let notWhole: [(String, Data, String)] = [
    ("empty", Data(), "no record is in it; it is empty"),
    ("text", Data("a\nb\n".utf8), "no record is in it; 2 lines are no records"),
    (
      "packed", Data([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4] + [UInt8](repeating: 6, count: 90)),
      "unpack it with 'xz -dc' first"
    ),
  ]

  @Test(arguments: notWhole)
  func `a file with no record in it is status 3, and is named`(
    _ name: String, _ bytes: Data, _ message: String
  ) async throws {
    let scratch = try Scratch()
    let file = try scratch.write(bytes, to: name)
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])],
      source: "file:" + file, scratch: scratch)
    try await daemon.ended(status: 3, sent: 0)
    #expect(daemon.messages.contains("\(file): no record is in it"))
    #expect(daemon.messages.contains(message))
  }

  @Test func `a packed file that is cut off is status 3, and half a record is none`() async throws {
    let scratch = try Scratch()
    // Its end is in the midst of a record, and a newline is nowhere near.
    try scratch.write(Self.events.records.map { $0 + "\n" }.joined(), to: "log")
    _ = try await run("/bin/gzip", [scratch("log")])
    let whole = try Data(contentsOf: URL(fileURLWithPath: scratch("log.gz")))
    let file = try scratch.write(whole.prefix(whole.count / 2), to: "cut.gz")
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])],
      source: "file:" + file, scratch: scratch)
    let state = try await daemon.ended(status: 3)
    let lines = scratch.lines("out")
    #expect(!lines.isEmpty)
    #expect(lines.elementsEqual(Self.events.records.prefix(lines.count)))
    #expect(try state.plugin("p").delivered == lines.count)
    #expect(daemon.messages.contains("\(file): not all of it could be read: /bin/gzip ended with"))
  }

  @Test func `what a system log put before each record is passed over`() async throws {
    let scratch = try Scratch()
    let records = Self.events.records
    let file = try scratch.write(
      records.map { "Nov 27 14:00:00 host1 audispd[123]: \($0)\n" }.joined() + "-- MARK --\n",
      to: "messages")
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])],
      source: "file:" + file, scratch: scratch)
    try await daemon.ended(sent: records.count)
    #expect(difference(scratch.lines("out"), records) == nil)
    #expect(daemon.messages.contains("1 of \(records.count + 1) lines is no record"))
  }

  @Test func `standard input can be a log`() async throws {
    let scratch = try Scratch()
    let file = try await write(.log, scratch)
    let files = try DispatcherFiles(
      scratch, [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])])
    let input = unsafe open(file, O_RDONLY)
    defer { close(input) }
    let outcome = try await run(
      Programs.product("audispatchd"),
      [
        "--source", "stdin", "--config", files.configuration, "--plugin-dir", files.pluginFolder,
        "--runtime-dir", files.runtimeFolder,
      ], input: input)
    #expect(outcome.end == .exited(0), "\(outcome.error)")
    try files.writtenState().expectConserved(sent: Self.events.records.count)
    #expect(difference(scratch.lines("out"), Self.events.records) == nil)
  }
}
