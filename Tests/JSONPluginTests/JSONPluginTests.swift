import Foundation
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@Suite("audispatch-json", .onThreads)
struct JSONPluginTests {
  static func record(_ serial: Int, fill: Int = 0) -> String {
    "type=USER msg=audit(1700000000.000:\(serial)): pid=1 x=\(String(repeating: "y", count: fill))"
  }

  static func records(_ serials: ClosedRange<Int>, fill: Int = 0) -> [String] {
    serials.map { record($0, fill: fill) }
  }

  /// The serials of documents, in their order; a line that is no document is -1.
  static func serials(_ lines: [String]) -> [Int] {
    lines.map { line in
      let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return (object?["auditd"] as? [String: Any])?["sequence"] as? Int ?? -1
    }
  }

  @Test func `writes one document a line to its standard output`() throws {
    let run = try PluginRun("audispatch-json", [])
    try run.send(Self.records(1...3))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(Self.serials(run.lines("out")) == [1, 2, 3])
  }

  @Test func `wants a place for its documents where the dispatcher shows few lines`() throws {
    for (output, status) in [("log", ChildEnd.exit(2)), ("pass", .exit(0))] {
      let run = try PluginRun(
        "audispatch-json", ["--config", "/dev/null", "--check"],
        environment: ["AUDISPATCH_PLUGIN=json", "AUDISPATCH_OUTPUT=\(output)"])
      run.close()
      #expect(run.end() == status)
      #expect(
        run.contents("out").contains(
          "/dev/null: error: file: documents would go to standard output")
          == (output == "log"), "\(run.contents("out"))")
    }
  }

  @Test(arguments: ["ecs", "auditbeat6", "laurel", "go-libaudit"])
  func `has its forms`(_ form: String) throws {
    let run = try PluginRun("audispatch-json", ["--form", form, "--prefix", "@cee: "])
    try run.send([Self.record(7)])
    run.close()
    #expect(run.end() == .exit(0))
    let text = run.contents("out")
    #expect(text.hasPrefix("@cee: {") && text.hasSuffix("}\n"))
    #expect(text.contains(form == "laurel" ? "1700000000.000:7" : "\"sequence\":7"))
  }

  @Test func `rotates its file, and keeps as many as it was told`() throws {
    let run = try PluginRun(
      "audispatch-json",
      ["--file", "DIR/sub/audit.json", "--max-file", "8192", "--num-files", "3"])
    for serial in 1...60 {
      try run.send([Self.record(serial, fill: 400)])
      if serial.isMultiple(of: 5) {
        #expect(run.await("\"sequence\":\(serial),", in: "sub/audit.json"))
      }
    }
    run.close()
    #expect(run.end() == .exit(0))
    let names = try Files.names(in: "\(run.folder)/sub").sorted()
    #expect(names == ["audit.json", "audit.json.1", "audit.json.2"])
    let kept = names.reversed().flatMap { Self.serials(run.lines("sub/\($0)")) }
    #expect(kept == Array(61 - kept.count...60))
    for name in names {
      let status = try Files.status(of: "\(run.folder)/sub/\(name)")
      #expect(status.mode == (name == "audit.json" ? 0o600 : 0o400))
    }
    #expect(try Files.status(of: "\(run.folder)/sub").mode == 0o700)
  }

  @Test func `begins a new file where the old one was moved away`() throws {
    let run = try PluginRun("audispatch-json", ["--file", "DIR/audit.json"])
    try run.send(Self.records(1...2))
    #expect(run.await("\"sequence\":2,", in: "audit.json"))
    try Files.rename("\(run.folder)/audit.json", to: "\(run.folder)/old.json")
    run.signal(SIGHUP)
    try run.send(Self.records(3...4))
    #expect(run.await("\"sequence\":4,", in: "audit.json"))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(Self.serials(run.lines("old.json") + run.lines("audit.json")) == [1, 2, 3, 4])
  }

  @Test func `gives a line that a crash has cut a newline`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let before = try PluginRun("audispatch-json", ["--help"], folder: folder)
    try before.put("{\"cut", in: "audit.json")
    #expect(before.end() == .exit(0))
    let run = try PluginRun("audispatch-json", ["--file", "DIR/audit.json"], folder: folder)
    try run.send([Self.record(1)])
    run.close()
    #expect(run.end() == .exit(0))
    #expect(Self.serials(run.lines("audit.json")) == [-1, 1])
  }

  @Test func `confirms what its file has`() throws {
    let run = try PluginRun("audispatch-json", ["--file", "DIR/audit.json", "--sync"], first: 11)
    try run.send(Self.records(1...5))
    #expect(run.eventually { run.confirmed == 15 })
    #expect(Self.serials(run.lines("audit.json")) == [1, 2, 3, 4, 5])
  }

  @Test func `waits for a place that is not there, and confirms nothing`() throws {
    let run = try PluginRun("audispatch-json", ["--socket", "unix:DIR/s"], first: 1)
    try run.send(Self.records(1...5))
    #expect(run.await("cannot", in: "err"))
    #expect(run.confirmed == 0)
    let listener = try UnixSocket.listen("\(run.folder)/s", mode: 0o600)
    let client = try Self.accept(listener.number)
    #expect(run.eventually { run.confirmed == 5 })
    #expect(Self.serials(Self.read(client.number, lines: 5)) == [1, 2, 3, 4, 5])
  }

  @Test func `begins a line anew at the next reader`() throws {
    let run = try PluginRun("audispatch-json", ["--socket", "unix:DIR/s"])
    let listener = try UnixSocket.listen("\(run.folder)/s", mode: 0o600)
    // More than the socket holds, of which the first reader takes nothing.
    try run.send(Self.records(1...200, fill: 5000))
    do {
      let first = try Self.accept(listener.number)
      #expect(run.eventually { (UnixSocket.unread(first.number) ?? 0) > 50_000 })
      #expect(Self.serials(Self.read(first.number, lines: 1)) == [1])
    }
    let second = try Self.accept(listener.number)
    run.endInput()
    let rest = Self.serials(Self.read(second.number, lines: .max))
    #expect(!rest.contains(-1))
    #expect(rest.last == 200)
    #expect(rest == Array((rest.first ?? 0)...200))
  }

  @Test func `starts a program again that has ended`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    do {
      let script = try Descriptor.open("\(folder)/reader", O_WRONLY | O_CREAT, mode: 0o700)
      let text = "#!/bin/sh\nread -r line\necho \"$line\" >>\"${0%/*}/got\"\n"
      try Transfer.writeAll(script.number, Array(text.utf8))
    }
    let run = try PluginRun("audispatch-json", ["--program", "DIR/reader"], folder: folder)
    var serial = 0
    // What one has not read when it ends is not given to the next.
    for wanted in 1...3 {
      for _ in 0..<200 where run.lines("got").count < wanted {
        serial += 1
        try run.send([Self.record(serial)])
        usleep(50_000)
      }
    }
    let serials = Self.serials(run.lines("got"))
    #expect(serials.count >= 3 && serials == serials.sorted() && !serials.contains(-1))
    run.close()
    #expect(run.end() == .exit(0))
  }

  @Test func `ends when its reader is gone`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let lines = Self.records(1...2000, fill: 200).joined(separator: "\n") + "\n"
    let file = try Descriptor.open("\(folder)/in", O_WRONLY | O_CREAT)
    try Transfer.writeAll(file.number, Array(lines.utf8))
    let run = try CommandRun(
      "/bin/bash", "-c",
      "'\(PluginRun.products)/audispatch-json' <'\(folder)/in' | true; exit ${PIPESTATUS[0]}")
    #expect(run.end == .exit(74))
    #expect(run.error.contains("cannot write to standard output: Broken pipe"))
  }

  /// The next one that connects, within 30 s.
  static func accept(_ listener: Int32) throws -> Descriptor {
    for _ in 0..<3000 {
      if let client = UnixSocket.accept(listener) { return client }
      usleep(10_000)
    }
    throw Errno(ETIMEDOUT)
  }

  /// So many lines of a socket, or all until its end.
  static func read(_ socket: Int32, lines count: Int) -> [String] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    var seen = 0
    while seen < count {
      guard Poll.wait(socket, for: .read, milliseconds: 20_000) else { break }
      let result = unsafe buffer.withUnsafeMutableBytes { unsafe Transfer.read(socket, into: $0) }
      guard case .bytes(let read) = result else { break }
      bytes += buffer[..<read]
      seen += buffer[..<read].count { $0 == 0x0a }
    }
    let all = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    return Array(all.prefix(count))
  }
}
