import Foundation
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@Suite("audispatch-elastic", .onThreads)
struct StoringTests {
  @Test func `stores each event once, and confirms it`() throws {
    let server = try StandInIndex.ready()
    let run = try elastic(server)
    try run.send(records(1...100))
    #expect(run.eventually { run.confirmed == 100 }, "\(run.messages)")
    #expect(try server.ids() == ids(1...100))
    let document = try #require(try server.documents().first)
    #expect(document["@timestamp"] as? String == "2023-11-14T22:13:20.000Z")
    #expect((document["event"] as? [String: Any])?["module"] as? String == "auditd")
    run.close()
    #expect(run.end() == .exit(0))
    #expect(figure("stored", in: run.messages) == 100, "\(run.messages)")
  }

  @Test func `stores at the end of its input what waits for others`() throws {
    let server = try StandInIndex.ready()
    let run = try elastic(server, ["flush_interval = 60"], first: nil)
    try run.send(records(1...10))
    run.close()
    #expect(run.end() == .exit(0), "\(run.messages)")
    #expect(try server.ids() == ids(1...10))
  }

  @Test func `sends as many together as it was told, compressed`() throws {
    let server = try StandInIndex.ready()
    let run = try elastic(server, ["bulk_documents = 10", "flush_interval = 60"], first: nil)
    try run.send(records(1...100, " fill=\(String(repeating: "x", count: 200))"))
    run.close()
    #expect(run.end() == .exit(0), "\(run.messages)")
    #expect(try server.count("ids") == 100)
    #expect(try server.requests("_bulk") == 10)
    let headers = try server.ask([:])["headers"] as? [String: String]
    #expect(headers?["Content-Encoding"] == "gzip")
    #expect(headers?["Content-Type"] == "application/x-ndjson")
  }

  @Test func `writes into an index, where a document takes the place of its older self`() throws {
    let server = try StandInIndex()
    for _ in 1...2 {
      let run = try elastic(
        server, ["index = 0a1b-token", "operation = index", "form = laurel"], first: nil)
      try run.send(records(1...5))
      run.close()
      #expect(run.end() == .exit(0), "\(run.messages)")
    }
    #expect(try server.ids() == ids(1...5))
    #expect(try server.ask([:])["indices"] as? [String: Int] == ["0a1b-token": 5])
  }

  @Test func `waits for a server that is not there yet`() throws {
    let server = try StandInIndex.ready()
    try server.set(["away": true])
    let run = try elastic(server)
    try run.send(records(1...20))
    #expect(run.await("documents wait here", in: "err"))
    #expect(run.confirmed == 0)
    try server.set(["away": false])
    #expect(run.eventually { run.confirmed == 20 }, "\(run.messages)")
    #expect(try server.ids() == ids(1...20))
    #expect(run.await("documents are stored again", in: "err"))
  }

  @Test func `asks its servers in turn, and goes on with those that are there`() throws {
    let server = try StandInIndex.ready()
    let other = try StandInIndex.ready()
    // Nobody listens at port 1 of the loopback.
    let run = try elastic(
      server, ["server = http://127.0.0.1:1", "server = \(other.url)", "bulk_documents = 1"])
    try run.send(records(1...30))
    #expect(run.eventually { run.confirmed == 30 }, "\(run.messages)")
    let (first, second) = (try server.ids(), try other.ids())
    #expect((first + second).sorted() == ids(1...30))
    #expect(!first.isEmpty && !second.isEmpty)
  }

  @Test(arguments: [401, 403, 404, 429, 500, 502, 503, 504])
  func `comes again after a refusal of the whole request`(_ status: Int) throws {
    let server = try StandInIndex.ready()
    try server.set(["status": status, "status_times": 3])
    let run = try elastic(server)
    try run.send(records(1...20))
    #expect(run.eventually { run.confirmed == 20 }, "\(run.messages)")
    #expect(try server.ids() == ids(1...20))
    #expect(run.messages.contains("\(status)"))
  }

  @Test func `waits as long as the server asks for`() throws {
    let server = try StandInIndex.ready()
    try server.set(["status": 429, "status_times": 1, "retry_after": 2])
    let run = try elastic(server)
    let began = Moment.now
    try run.send(records(1...5))
    #expect(run.eventually { run.confirmed == 5 }, "\(run.messages)")
    #expect(Moment.now - began >= .seconds(2))
    #expect(try server.requests("_bulk") == 2)
  }

  @Test func `sends items again that are put off, and no others`() throws {
    let server = try StandInIndex.ready(["--seed", "7"])
    try server.set(["item_429": 400])
    let run = try elastic(server)
    try run.send(records(1...200))
    #expect(run.eventually { run.confirmed == 200 }, "\(run.messages)")
    #expect(try server.ids() == ids(1...200))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(figure("already_there", in: run.messages) == 0)
    #expect(figure("retried", in: run.messages) ?? 0 > 50)
  }

  @Test func `halves what is too large, and refuses what is so alone`() throws {
    let server = try StandInIndex.ready()
    try server.set(["max_body": 8000])
    let run = try elastic(server, ["compression = 0"])
    try run.send(records(1...60))
    try run.send([record(61, " fill=\(String(repeating: "x", count: 9000))")])
    try run.send(records(62...70))
    #expect(run.eventually { run.confirmed == 70 }, "\(run.messages)")
    #expect(try server.ids() == (ids(1...60) + ids(62...70)).sorted())
    #expect(run.lines("refused").count == 1)
    #expect(run.contents("refused").contains("\"id\":\"host:1700000000.000:61\""))
    #expect(run.messages.contains("host:1700000000.000:61"))
  }

  @Test func `sends as text what the mapping refuses`() throws {
    let server = try StandInIndex.ready()
    try server.set(["refuse": "odd="])
    let run = try elastic(server, ["original = yes"])
    try run.send(records(1...5) + [record(6, " odd=\"1\"")] + records(7...9))
    #expect(run.eventually { run.confirmed == 9 }, "\(run.messages)")
    #expect(try server.ids() == ids(1...9))
    let text = try #require(try server.documents().first { $0["message"] != nil })
    #expect(text["tags"] as? [String] == ["_mapping_refused"])
    let message = try #require(text["message"] as? String)
    let whole = try JSONSerialization.jsonObject(with: Data(message.utf8)) as? [String: Any]
    #expect((whole?["auditd"] as? [String: Any])?["sequence"] as? Int == 6)
    let error = (text["error"] as? [String: Any])?["message"] as? String
    #expect(error?.contains("failed to parse field [x]") == true)
    #expect(run.contents("refused") == "")
  }

  @Test func `puts aside what is refused for ever, and goes on`() throws {
    let server = try StandInIndex.ready()
    try server.set(["refuse_always": "odd="])
    let run = try elastic(server, ["original = yes"])
    try run.send(records(1...5) + [record(6, " odd=\"1\"")] + records(7...9))
    #expect(run.eventually { run.confirmed == 9 }, "\(run.messages)")
    #expect(try server.ids() == (ids(1...5) + ids(7...9)).sorted())
    let line = try #require(run.lines("refused").first)
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    #expect((object?["error"] as? [String: Any])?["type"] as? String == "mapper_exception")
    let document = object?["document"] as? [String: Any]
    #expect((document?["auditd"] as? [String: Any])?["sequence"] as? Int == 6)
    #expect(run.messages.contains("is refused and goes to"))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(figure("refused", in: run.messages) == 1)
  }

  @Test func `loses nothing where refused documents cannot be written`() throws {
    let server = try StandInIndex.ready()
    try server.set(["refuse_always": "odd="])
    // /dev/full takes nothing, but is no file; a folder in the place of the file is none either.
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    unsafe mkdir("\(folder)/refused", 0o700)
    let run = try elastic(
      server, ["original = yes", "refused_file = DIR/link/refused"], folder: folder)
    unsafe symlink("nowhere/at/all", "\(folder)/link")
    try run.send([record(1, " odd=\"1\"")] + records(2...9))
    #expect(run.await("cannot", in: "err"))
    #expect(run.eventually { (try? server.count()) == 8 }, "\(run.messages)")
    #expect(run.confirmed == 0)
    // The others are stored, and say nothing of that.
    try run.send([record(10)])
    #expect(run.eventually { (try? server.count()) == 9 }, "\(run.messages)")
    #expect(!run.messages.contains("stored again"), "\(run.messages)")
    unsafe unlink("\(folder)/link")
    unsafe mkdir("\(folder)/link", 0o700)
    #expect(run.eventually { run.confirmed == 10 }, "\(run.messages)")
    #expect(run.lines("link/refused").count == 1)
  }

  @Test func `rotates the file of what is refused, and counts what is gone with the oldest`() throws
  {
    let server = try StandInIndex.ready()
    try server.set(["refuse_always": "odd="])
    let settings = [
      "original = yes", "refused_max_file = 4096", "refused_num_files = 3", "bulk_documents = 2",
    ]
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    // A crash has left the beginning of a line.
    try TestFolder.write(#"{"id":"ol"#, to: "\(folder)/refused")
    let run = try elastic(server, settings, folder: folder)
    try run.send((1...60).map { record($0, " odd=\"1\"") })
    #expect(run.eventually { run.confirmed == 60 }, "\(run.messages)")
    run.close()
    // What is gone is lost, though a dispatcher asks for confirming.
    #expect(run.end() == .exit(74))
    let gone = try #require(figure("refused_removed", in: run.messages))
    let names = ["refused.2", "refused.1", "refused"]
    #expect(
      try Files.names(in: folder).filter { $0.hasPrefix("refused") }.sorted() == names.sorted())
    let lines = names.flatMap { run.lines($0) }
    #expect(gone > 1 && lines.count + gone == 60 + 1)
    let kept = try lines.map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return object?["id"] as? String
    }
    #expect(kept == inOrder(61 - lines.count...60))
    for name in names { #expect(run.contents(name).utf8.count <= 4096) }
    #expect(run.messages.contains("are gone with \(folder)/refused.2, the oldest of 3 files"))
  }

  @Test func `loses nothing on a disk that is full, and goes on when there is room`() throws {
    let server = try StandInIndex.ready()
    try server.set(["refuse_always": "odd="])
    let settings = [
      "server = \(server.url)", "node = host", "flush_interval = 0.05", "retry_time = 0.05",
      "retry_time_max = 0.2", "refused_file = DIR/refused", "refused_max_file = 1M",
      "original = yes", "bulk_documents = 5",
    ]
    // For the process the disk ends at 32 KiB of a file.
    let run = try PluginRun(
      "audispatch-elastic", options(settings),
      prefix: ["/usr/bin/prlimit", "--fsize=32768:unlimited"],
      ignoring: "XFSZ", first: 1)
    try run.send((1...100).map { record($0, " odd=\"1\"") })
    #expect(run.await("File too large", in: "err"), "\(run.messages)")
    // Each try takes back what it could write of a line.
    #expect(run.eventually { run.contents("refused").hasSuffix("}\n") })
    let written = run.lines("refused").count
    #expect(written < 100)
    #expect(run.confirmed <= written)
    let lifted = try CommandRun(
      "/usr/bin/prlimit", "--pid", "\(run.pid)", "--fsize=unlimited:unlimited")
    try #require(lifted.end == .exit(0), "\(lifted.error)")
    #expect(run.eventually { run.confirmed == 100 }, "\(run.messages)")
    #expect(run.lines("refused").count == 100)
    run.close()
    #expect(run.end() == .exit(0))
  }

  @Test func `takes secrets out, and makes one of many`() throws {
    let server = try StandInIndex.ready()
    let run = try elastic(server, ["redact = yes", "aggregate = 10", "original = yes"])
    let lines = (1...30).map { serial in
      "type=USER_CMD msg=audit(1700000000.000:\(serial)): pid=\(serial) uid=0 "
        + "msg='cmd=\"sshpass\u{20}-psecret\" res=success'"
    }
    try run.send(lines + [record(31).replacing("0000.000", with: "0020.000")])
    // The second window ends by the clock, too, if the machine is slow.
    #expect(run.eventually { run.confirmed >= 30 }, "\(run.messages)")
    run.endInput()
    #expect(run.eventually { run.confirmed == 31 }, "\(run.messages)")
    let documents = try server.documents()
    #expect(documents.count == 2)
    let one = try #require(documents.first { $0["aggregate"] != nil })
    let aggregate = try #require(one["aggregate"] as? [String: Any])
    #expect(aggregate["count"] as? Int == 30)
    #expect((aggregate["first"] as? [String: Any])?["serial"] as? Int == 1)
    #expect((aggregate["last"] as? [String: Any])?["serial"] as? Int == 30)
    #expect((aggregate["last"] as? [String: Any])?["time"] as? String == "2023-11-14T22:13:20.000Z")
    let text = String(
      decoding: try JSONSerialization.data(withJSONObject: documents), as: UTF8.self)
    #expect(text.contains("[redacted]") && !text.contains("psecret"))
    #expect(run.end() == .exit(0))
    #expect(figure("absorbed", in: run.messages) == 29)
    #expect(figure("redacted", in: run.messages) == 30)
  }

  /// Servers quote documents in their reasons, and so what any user writes.
  @Test func `writes no line for a server`() throws {
    let server = try StandInIndex.ready()
    try server.set(["refuse_always": "evil", "reason": "no\nforged: line\u{1b}[31m"])
    let run = try elastic(server)
    try run.send(records(1...1, " x=evil"))
    #expect(run.await("is refused", in: "err"), "\(run.messages)")
    #expect(
      run.messages.contains(#"mapper_exception: no\x0Aforged: line\x1B[31m"#), "\(run.messages)")
    #expect(!run.lines("err").contains { $0.hasPrefix("forged") })
  }
}
