import Foundation
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@Suite("audispatch-elastic and an index for what is refused", .onThreads)
struct RefusedIndexTests {
  private static func server() throws -> StandInIndex {
    let server = try StandInIndex.ready()
    try server.set(["refuse_always": "odd="])
    return server
  }

  private static let settings = ["original = yes", "refused_index = dead"]
  private static let lines =
    records(1...5) + [record(6, " odd=\"1\""), record(7, " odd=\"2\"")] + records(8...9)

  private static func stored(_ server: StandInIndex) throws -> [String: Int] {
    try server.ask([:])["indices"] as? [String: Int] ?? [:]
  }

  private static func refused(_ server: StandInIndex) throws -> [[String: Any]] {
    try server.documents().filter { $0["document"] != nil }
  }

  @Test func `find it there, with what it was and why`() throws {
    let server = try Self.server()
    let run = try elastic(server, Self.settings)
    try run.send(Self.lines)
    #expect(run.eventually { run.confirmed == 9 }, "\(run.messages)")
    #expect(try server.ids() == ids(1...9))
    let refused = try Self.refused(server)
    #expect(refused.count == 2)
    let document = try #require(
      refused.first { ($0["event"] as? [String: Any])?["id"] as? String == ids(6...6)[0] })
    #expect(document["@timestamp"] as? Int == 1_700_000_000_000)
    #expect(document["document"] as? [String: String] == ["index": "logs-audispatch-default"])
    #expect(
      document["error"] as? [String: String]
        == ["type": "mapper_exception", "message": "refused for ever"])
    let event = try #require(document["event"] as? [String: String])
    #expect(event["kind"] == "pipeline_error")
    let whole = try JSONSerialization.jsonObject(with: Data((event["original"] ?? "").utf8))
    let audit = (whole as? [String: Any])?["auditd"] as? [String: Any]
    #expect(audit?["sequence"] as? Int == 6)
    #expect(run.messages.contains("is refused and goes to dead"))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(figure("refused", in: run.messages) == 2)
    #expect(figure("refused_indexed", in: run.messages) == 2)
    #expect(run.contents("refused") == "")
  }

  @Test func `find it in the file where that index does not take it either`() throws {
    for status in [400, 403, 404] {
      let server = try Self.server()
      try server.set(["item_status": ["dead": status]])
      let run = try elastic(server, Self.settings)
      try run.send(Self.lines)
      #expect(run.eventually { run.confirmed == 9 }, "\(run.messages)")
      #expect(run.lines("refused").count == 2)
      // The first reason is the one that is told.
      #expect(run.contents("refused").contains("mapper_exception"))
      #expect(run.await("dead does not take what was refused, and it goes to /", in: "err"))
      run.close()
      #expect(run.end() == .exit(0))
      #expect(figure("refused", in: run.messages) == 2)
      #expect(figure("refused_indexed", in: run.messages) == 0)
    }
  }

  @Test(arguments: [403, 404])
  func `find it in the file where that index takes no request, and hold up no others`(
    _ status: Int
  ) throws {
    let server = try Self.server()
    try server.set(["bulk_status": ["dead": status]])
    let run = try elastic(server, Self.settings + ["retry_time = 60", "retry_time_max = 60"])
    try run.send(Self.lines)
    #expect(run.eventually { run.confirmed == 9 }, "\(run.messages)")
    #expect(run.lines("refused").count == 2)
    #expect(
      run.await("dead does not take what was refused, and it goes to /", in: "err"),
      "\(run.messages)")
    try run.send([record(10)])
    #expect(run.eventually { run.confirmed == 10 }, "\(run.messages)")
  }

  @Test(arguments: ["item_status", "bulk_status"])
  func `wait without a word of others, which are stored`(_ fault: String) throws {
    let server = try Self.server()
    try server.set([fault: ["dead": 403]])
    let run = try elastic(server, Self.settings + ["refused_file = none"])
    try run.send(Self.lines)
    #expect(run.await("dead puts off what was refused", in: "err"))
    for serial in 10...14 {
      try run.send([record(serial)])
      #expect(run.eventually { (try? server.count()) == serial - 2 }, "\(run.messages)")
    }
    try server.set([fault: NSNull()])
    #expect(run.eventually { run.confirmed == 14 }, "\(run.messages)")
    #expect(run.lines("err").count { $0.contains("puts off what was refused") } == 1)
    #expect(!run.messages.contains("stored again"), "\(run.messages)")
  }

  @Test func `find it in a data stream though others overwrite what is there`() throws {
    let server = try Self.server()
    try server.ask(["stream": "dead"])
    let run = try elastic(server, Self.settings + ["index = events", "operation = index"])
    try run.send(Self.lines)
    #expect(run.eventually { run.confirmed == 9 }, "\(run.messages)")
    #expect(try Self.refused(server).count == 2)
    #expect(run.contents("refused") == "")
  }

  @Test func `wait while it is put off, or without a file may not be written`() throws {
    for (status, file) in [(503, "DIR/refused"), (429, "none"), (403, "none"), (404, "none")] {
      let server = try Self.server()
      try server.set(["item_status": ["dead": status]])
      let run = try elastic(server, Self.settings + ["refused_file = \(file)"])
      try run.send(Self.lines)
      #expect(run.await("dead puts off what was refused", in: "err"))
      // The others are stored; what is behind a document that waits is not confirmed.
      #expect(run.eventually { (try? server.count()) == 7 }, "\(run.messages)")
      #expect(run.eventually { run.confirmed == 5 }, "\(run.messages)")
      try server.set(["item_status": NSNull()])
      #expect(run.eventually { run.confirmed == 9 }, "\(run.messages)")
      #expect(try Self.stored(server)["dead"] == 2)
      run.close()
      #expect(run.end() == .exit(0))
      #expect(figure("discarded", in: run.messages) == 0)
      #expect(run.contents("refused") == "")
    }
  }

  @Test func `lose it where there is no file, and it is the document's fault; it is counted`()
    throws
  {
    let server = try Self.server()
    try server.set(["item_status": ["dead": 400]])
    let run = try elastic(server, Self.settings + ["refused_file = none"])
    try run.send(Self.lines)
    #expect(run.eventually { run.confirmed == 9 }, "\(run.messages)")
    run.close()
    #expect(run.end() == .exit(74))
    #expect(figure("discarded", in: run.messages) == 2)
  }

  @Test func `find each once though answers are lost, the server fails and the process is killed`()
    throws
  {
    let server = try StandInIndex(["--seed", "7"])
    try server.ask(["stream": "logs-audispatch-default"])
    try server.set([
      "refuse_always": "odd=", "die_after": 200, "die_before": 100, "garbage": 50, "half": 50,
      "item_429": 100, "item_503": 100,
    ])
    let lines = (1...200).map { record($0, $0 % 3 == 0 ? " odd=\"1\"" : "") }
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let settings = Self.settings + ["bulk_documents = 10"]
    do {
      let run = try elastic(server, settings, folder: folder)
      try run.send(lines)
      #expect(run.eventually { run.confirmed >= 50 }, "\(run.messages)")
      run.signal(SIGKILL)
      _ = run.end()
    }
    // All come again, as if nothing had been confirmed.
    let run = try elastic(server, settings, folder: folder)
    try run.send(lines)
    #expect(run.eventually { run.confirmed == 200 }, "\(run.messages)")
    #expect(try server.ids() == ids(1...200))
    #expect(try Self.stored(server)["dead"] == 66)
    run.close()
    #expect(run.end() == .exit(0))
  }
}
