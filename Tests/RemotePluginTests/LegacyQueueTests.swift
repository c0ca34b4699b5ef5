import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_remote

/// A queue file as audisp-remote writes it.
private struct QueueFile {
  var entries = 5
  var head = 0
  var texts: [String] = []
  /// Bytes that are changed, by offset.
  var changes: [(offset: Int, byte: UInt8)] = []

  private static func number(_ number: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
  }

  func bytes() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: (entries + 1) * LegacyQueue.entrySize)
    let header =
      [0] + Array("audisp-remote".utf8) + [0, 0] + Self.number(entries)
      + Self.number(LegacyQueue.entrySize) + Self.number(head) + Self.number(texts.count)
    bytes.replaceSubrange(0..<32, with: header)
    for (place, text) in texts.enumerated() {
      let start = ((head + place) % entries + 1) * LegacyQueue.entrySize
      bytes.replaceSubrange(start..<start + text.utf8.count, with: text.utf8)
    }
    for (offset, byte) in changes { bytes[offset] = byte }
    return bytes
  }

  func write(in folder: String) throws -> String {
    let path = "\(folder)/remote.log"
    let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
    try Transfer.writeAll(file.number, bytes())
    return path
  }
}

private func drain(_ path: String) throws -> (texts: [String], damaged: Int) {
  guard var queue = try LegacyQueue(path) else { return ([], 0) }
  var texts: [String] = []
  while let record = queue.next() { texts.append(String(decoding: record, as: UTF8.self)) }
  return (texts, queue.damaged)
}

/// Reads all of it; how many entries are left when so many records of it were stored.
private func leaving(_ path: String, after stored: Int) throws -> Int {
  guard var queue = try LegacyQueue(path) else { return 0 }
  while queue.next() != nil {}
  for _ in 0..<stored { queue.finish() }
  return queue.left
}

@Suite("What audisp-remote left behind", .onThreads) struct LegacyQueueTests {
  private let folder: String
  init() throws { folder = try PluginRun.makeFolder() }

  @Test(arguments: 0..<5)
  func `is read in its order, wherever it begins`(head: Int) throws {
    let path = try QueueFile(head: head, texts: ["a\n", "b\n", "c\n"]).write(in: folder)
    #expect(try drain(path).texts == ["a", "b", "c"])
    PluginRun.remove(folder)
  }

  @Test func `goes on behind what was stored, at a second start`() throws {
    let path = try QueueFile(head: 3, texts: ["a\n", "b\n", "c\n", "d\n"]).write(in: folder)
    #expect(try leaving(path, after: 2) == 2)
    #expect(try drain(path).texts == ["c", "d"])
    PluginRun.remove(folder)
  }

  @Test func `is nothing once all of it is stored`() throws {
    let path = try QueueFile(texts: ["a\n", "b\n"]).write(in: folder)
    #expect(try leaving(path, after: 2) == 0)
    #expect(try drain(path).texts == [])
    PluginRun.remove(folder)
  }

  @Test func `loses the entries alone that are damaged (S21)`() throws {
    let long = String(repeating: "x", count: LegacyQueue.entrySize)
    let path = try QueueFile(texts: [long, "a\n", "", "b\n", "\n"]).write(in: folder)
    let (texts, damaged) = try drain(path)
    #expect(texts == ["a", "b"] && damaged == 3)
    PluginRun.remove(folder)
  }

  @Test func `passes over damaged entries as those around them are stored`() throws {
    let path = try QueueFile(texts: ["", "a\n", "", "b\n", ""]).write(in: folder)
    #expect(try leaving(path, after: 1) == 2)
    #expect(try leaving(path, after: 1) == 0)
    PluginRun.remove(folder)
  }

  @Test(arguments: [0, 1, 13, 20, 23, 27, 31])
  func `is refused with a header that is damaged (S21)`(offset: Int) throws {
    let path = try QueueFile(texts: ["a\n"], changes: [(offset, 0x7f)]).write(in: folder)
    #expect(throws: LegacyQueue.Refusal.self) { try drain(path) }
    PluginRun.remove(folder)
  }

  @Test(arguments: [0, 31, 32, 20_000])
  func `is refused or cut short where the file is (S21)`(length: Int) throws {
    let path = try QueueFile(texts: ["a\n", "b\n", "c\n"]).write(in: folder)
    #expect(unsafe truncate(path, off_t(length)) == 0)
    if length < 32 {
      #expect(throws: LegacyQueue.Refusal.self) { try drain(path) }
    } else {
      #expect(try drain(path).texts == (length < 13_000 ? [] : ["a"]))
    }
    PluginRun.remove(folder)
  }

  @Test func `may not be there`() throws {
    #expect(try drain(folder + "/nothing").texts == [])
    PluginRun.remove(folder)
  }

  @Test func `goes to the server before what comes, once`() throws {
    let server = try ScriptedServer()
    let path = try QueueFile(entries: 300, head: 250, texts: records(1...100).map { $0 + "\n" })
      .write(in: folder)
    for round in 0..<2 {
      let plugin = try remote(
        server.configuration("take_over_queue = yes", "queue_file = \(path)"))
      try plugin.send(records(1000...1001))
      #expect(server.accept())
      let expected = (round == 0 ? records(1...100) : []) + records(1000...1001)
      #expect(server.store(expected.count) == expected.map { $0 + "\n" })
      #expect(plugin.eventually { plugin.confirmed == 2 })
      plugin.close()
      #expect(plugin.end() == .exit(0))
      server.close()
    }
    PluginRun.remove(folder)
  }

  /// Under auditd, which keeps nothing for a plugin.
  @Test func `takes no room from what comes, however much it is`() throws {
    let server = try ScriptedServer()
    let left = records(1...1600)
    let path = try QueueFile(entries: 1700, head: 900, texts: left.map { $0 + "\n" })
      .write(in: folder)
    let plugin = try remote(
      server.configuration("queue_depth = 100", "take_over_queue = yes", "queue_file = \(path)"),
      first: nil, environment: [])
    #expect(server.accept())
    #expect(server.next()?.text == left[0] + "\n")
    // It is stuck from then on: what there is no room for is dropped.
    Pause.nanoseconds(1_200_000_000)
    let new = records(2000...2099)
    for start in stride(from: 0, to: 100, by: 10) {
      try plugin.send(Array(new[start..<start + 10]))
    }
    Pause.nanoseconds(200_000_000)
    server.close()
    #expect(server.accept())
    #expect(server.store(1700) == (left + new).map { $0 + "\n" })
    #expect(plugin.await("what audisp-remote left is stored", in: "err"))
    #expect(plugin.lines("err").allSatisfy { !$0.contains("records are dropped") })
    plugin.close()
    #expect(plugin.end() == .exit(0))
    PluginRun.remove(folder)
  }
}
