import Foundation
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@Suite("audispatch-otlp", .onThreads)
struct ExportTests {
  @Test(arguments: ["protobuf", "json"])
  func `sends each event once, in order, and confirms it`(_ encoding: String) throws {
    let server = try StandInCollector()
    let run = try otlp(server, ["encoding = \(encoding)", "batch_events = 7"])
    try run.send(records(1...100))
    #expect(run.eventually { run.confirmed == 100 }, "\(run.messages)")
    #expect(try server.ids() == inOrder(1...100))
    let report = try server.report()
    #expect(report["path"] as? String == "/v1/logs")
    let headers = report["headers"] as? [String: String]
    #expect(
      headers?["Content-Type"]
        == (encoding == "json" ? "application/json" : "application/x-protobuf"))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(figure("stored", in: run.messages) == 100, "\(run.messages)")
    #expect(figure("perhaps_twice", in: run.messages) == 0)
  }

  /// Events with all that a record takes from them.
  private static let events = [
    #"node=web type=SYSCALL msg=audit(1700000000.123:5): arch=c000003e syscall=257 success=no "#
      + #"exit=-13 a0=ffffff9c a1=7ffc a2=0 a3=0 items=1 ppid=1 pid=2 auid=1000 uid=33 gid=33 "#
      + #"euid=33 suid=33 fsuid=33 egid=33 sgid=33 fsgid=33 tty=(none) ses=3 comm="cat" "#
      + #"exe="/usr/bin/cat" subj=unconfined key=70617373776401657463"#,
    #"node=web type=PATH msg=audit(1700000000.123:5): item=0 name="/etc/sha\dow" inode=9 "#
      + #"dev=08:01 mode=0100640 ouid=0 ogid=42 rdev=00:00 nametype=NORMAL"#,
    #"node=web type=PROCTITLE msg=audit(1700000000.123:5): proctitle=636174FF"#,
    #"node=web type=EOE msg=audit(1700000000.123:5): "#,
    #"node=db type=ANOM_ABEND msg=audit(1700000001.000:6): auid=0 uid=0 gid=0 ses=1 pid=7 "#
      + #"comm="x" exe="/x" sig=11 res=1"#,
    #"node=web type=USER_LOGIN msg=audit(1700000002.000:7): pid=8 uid=0 auid=0 ses=1 "#
      + #"msg='op=login id=0 exe="/bin/login" hostname=h addr=? terminal=tty1 res=success'"#,
  ]

  private func sent(_ settings: [String]) throws -> [[String: Any]] {
    let server = try StandInCollector()
    let run = try otlp(server, settings)
    try run.send(Self.events)
    run.endInput()
    #expect(run.eventually { run.confirmed == 6 }, "\(run.messages)")
    #expect(run.end() == .exit(0), "\(run.messages)")
    let records = try server.records()
    for record in records {
      let observed = try #require(record["observed"] as? Int)
      #expect(abs(observed / 1_000_000_000 - Int(Date().timeIntervalSince1970)) < 60)
    }
    return records.map { $0.filter { $0.key != "observed" } }
  }

  @Test func `says the same in both encodings, field by field`() throws {
    for settings in [[], ["body = text"], ["form = laurel"]] {
      let (one, other) = (
        try sent(["encoding = protobuf"] + settings), try sent(["encoding = json"] + settings)
      )
      #expect(one.count == 3)
      #expect(one as NSArray == other as NSArray)
    }
  }

  /// Field by field beside what the tests' own reader finds.
  @Test(
    .enabled(if: OfficialDefinitions.areHere, "\(OfficialDefinitions.why)"),
    arguments: ["protobuf", "json"])
  func `is read by OpenTelemetry's own definitions`(_ encoding: String) throws {
    for settings in [[], ["body = text"], ["form = laurel"], ["form = go-libaudit"]] {
      let server = try StandInCollector()
      try server.set(["official": true])
      let run = try otlp(server, ["encoding = \(encoding)"] + settings)
      try run.send(Self.events + records(100...300, " odd=\"é\u{1}\" empty="))
      // All but the last, which may go on until the input ends.
      #expect(run.eventually { run.confirmed >= 206 }, "\(run.messages)")
      run.endInput()
      #expect(run.eventually { run.confirmed == 207 }, "\(run.messages)")
      #expect(run.end() == .exit(0), "\(run.messages)")
      #expect(try server.report()["official"] as? Int == 204)
    }
  }

  @Test func `gives a record what a collector looks for`() throws {
    let records = try sent([])
    // Those of one node stand together.
    let resources = records.map { $0["resource"] as? [String: String] }
    #expect(resources.map { $0?["host.name"] } == ["web", "web", "db"])
    #expect(resources.allSatisfy { $0?["service.name"] == "audispatch" })
    let open = records[0]
    #expect(open["time"] as? Int == 1_700_000_000_123_000_000)
    #expect(open["severity"] as? Int == 13 && open["severity_text"] as? String == "WARN")
    let attributes = try #require(open["attributes"] as? [String: Any])
    #expect(attributes["event.id"] as? String == "web:1700000000.123:5")
    #expect(attributes["event.action"] as? String == "opened-file")
    #expect(attributes["event.outcome"] as? String == "failure")
    #expect(attributes["auditd.sequence"] as? Int == 5)
    #expect(attributes["auditd.keys"] as? [String] == ["passwd", "etc"])
    let body = try #require(open["body"] as? [String: Any])
    #expect((body["auditd"] as? [String: Any])?["sequence"] as? Int == 5)
    #expect((body["file"] as? [String: Any])?["path"] as? String == #"/etc/sha\dow"#)
    #expect((body["process"] as? [String: Any])?["title"] as? String == #"cat\xff"#)
    #expect(records[1]["severity"] as? Int == 9)
    #expect(records[2]["severity"] as? Int == 13)
    let text = try sent(["body = text"])[0]["body"] as? String
    let parsed = try JSONSerialization.jsonObject(with: Data(#require(text).utf8))
    #expect(parsed as? NSDictionary == body as NSDictionary)
  }

  @Test func `is compressed, and bounded in bytes`() throws {
    let server = try StandInCollector()
    let run = try otlp(server, ["batch_bytes = 4096", "flush_interval = 60"], first: nil)
    try run.send(records(1...40, " fill=\(String(repeating: "x", count: 1200))"))
    run.close()
    #expect(run.end() == .exit(0), "\(run.messages)")
    #expect(try server.ids().count == 40)
    #expect(try server.requests() >= 14)
    let headers = try server.report()["headers"] as? [String: String]
    #expect(headers?["Content-Encoding"] == "gzip")
  }

  @Test(arguments: ["protobuf", "json"])
  func `counts what is refused of a request, says why, and never sends it again`(
    _ encoding: String
  ) throws {
    let server = try StandInCollector()
    try server.set(["reject": 2, "message": "no such\ntenant"])
    let run = try otlp(
      server, ["encoding = \(encoding)", "batch_events = 10", "flush_interval = 5"])
    try run.send(records(1...10))
    #expect(run.eventually { run.confirmed == 10 }, "\(run.messages)")
    run.close()
    #expect(run.end() == .exit(74), "\(run.messages)")
    #expect(
      run.messages.contains(
        "event (2 of the 10 from host:1700000000.000:1 on) is refused and is dropped: "
          + "no such tenant"), "\(run.messages)")
    #expect(figure("refused", in: run.messages) == 2)
    #expect(figure("stored", in: run.messages) == 8)
    #expect(try server.requests() == 1)
  }

  @Test(arguments: ["protobuf", "json"])
  func `says what a collector warns of`(_ encoding: String) throws {
    let server = try StandInCollector()
    try server.set(["warning": "old client"])
    let run = try otlp(server, ["encoding = \(encoding)"])
    try run.send(records(1...3))
    #expect(run.eventually { run.confirmed == 3 }, "\(run.messages)")
    #expect(run.await("the collector says: old client", in: "err"))
  }

  @Test(arguments: [401, 403, 404, 406, 408, 415, 429, 500, 502, 503, 504])
  func `comes again after a refusal that is not the events' fault`(_ status: Int) throws {
    let server = try StandInCollector()
    try server.set(["status": status, "status_times": 3])
    let run = try otlp(server)
    try run.send(records(1...20))
    #expect(run.eventually { run.confirmed == 20 }, "\(run.messages)")
    #expect(try server.ids().sorted() == ids(1...20))
    #expect(run.messages.contains("status \(status): as it was told"))
    #expect(run.await("events are stored again", in: "err"))
  }

  @Test func `waits as long as the collector asks for`() throws {
    let server = try StandInCollector()
    try server.set(["status": 503, "status_times": 1, "retry_after": 2])
    let run = try otlp(server)
    let began = Moment.now
    try run.send(records(1...5))
    #expect(run.eventually { run.confirmed == 5 }, "\(run.messages)")
    #expect(Moment.now - began >= .seconds(2))
    #expect(try server.requests() == 2)
  }

  @Test(arguments: ["protobuf", "json"])
  func `finds the event that is refused, and drops it alone`(_ encoding: String) throws {
    let server = try StandInCollector()
    try server.set(["refuse": "odd-one", "message": "bad attribute"])
    let run = try otlp(server, ["encoding = \(encoding)", "original = yes"])
    try run.send(records(1...5) + [record(6, " x=odd-one")] + records(7...30))
    #expect(run.eventually { run.confirmed == 30 }, "\(run.messages)")
    #expect(try server.ids().sorted() == (ids(1...5) + ids(7...30)).sorted())
    run.close()
    #expect(run.end() == .exit(74), "\(run.messages)")
    #expect(
      run.messages.contains(
        "event host:1700000000.000:6 is refused and is dropped: status 400: bad attribute"))
    #expect(figure("refused", in: run.messages) == 1)
    #expect(figure("stored", in: run.messages) == 29)
  }

  @Test func `halves what is too large`() throws {
    let server = try StandInCollector()
    try server.set(["max_body": 20_000])
    let run = try otlp(server, ["compression = 0"])
    try run.send(records(1...200))
    #expect(run.eventually { run.confirmed == 200 }, "\(run.messages)")
    #expect(try server.ids().sorted() == ids(1...200))
  }

  @Test(arguments: ["garbage_times", "die_times"])
  func `counts what may be there twice after an unclear answer`(_ fault: String) throws {
    let server = try StandInCollector()
    try server.set([fault: 1])
    let run = try otlp(server, ["flush_interval = 0.3"])
    try run.send(records(1...10))
    #expect(run.eventually { run.confirmed == 10 }, "\(run.messages)")
    run.close()
    #expect(run.end() == .exit(0))
    let all = try server.ids()
    #expect(Set(all).count == 10)
    #expect(figure("perhaps_twice", in: run.messages) == all.count - 10, "\(run.messages)")
    #expect(all.count > 10)
  }

  @Test func `waits for a collector that is not there, and asks others meanwhile`() throws {
    let (server, other) = (try StandInCollector(), try StandInCollector())
    try server.set(["away": true])
    let run = try otlp(server)
    try run.send(records(1...20))
    #expect(run.await("events wait here", in: "err"))
    #expect(run.confirmed == 0)
    try server.set(["away": false])
    #expect(run.eventually { run.confirmed == 20 }, "\(run.messages)")
    let both = try otlp(server, ["server = \(other.url)", "batch_events = 1"])
    try server.set(["away": true])
    try both.send(records(21...40))
    #expect(both.eventually { both.confirmed == 20 }, "\(both.messages)")
    #expect(try other.ids().count == 20)
  }

  @Test(arguments: [("json", "protobuf"), ("protobuf", "json")])
  func `goes on in another encoding after a reload, also with what waits`(
    _ old: String, _ new: String
  ) throws {
    let server = try StandInCollector()
    let media = "application/\(new == "json" ? "json" : "x-protobuf")"
    try server.set(["only": media, "message": "not this one"])
    let usual = [
      "server = \(server.url)", "node = host", "flush_interval = 0", "retry_time = 0.05",
      "retry_time_max = 0.1",
    ]
    let run = try PluginRun.reading(usual + ["encoding = \(old)"], "audispatch-otlp")
    try run.send(records(1...3))
    #expect(run.await("status 415: not this one", in: "err"))
    try run.reload(usual + ["encoding = \(new)"])
    try run.send(records(4...6))
    #expect(run.eventually { run.confirmed == 6 }, "\(run.messages)")
    try run.send(records(7...9))
    #expect(run.eventually { run.confirmed == 9 }, "\(run.messages)")
    #expect(try server.ids() == inOrder(1...9))
    let headers = try server.report()["headers"] as? [String: String]
    #expect(headers?["Content-Type"] == media)
    run.close()
    #expect(run.end() == .exit(0), "\(run.messages)")
    #expect(figure("refused", in: run.messages) == 0)
    // Those before the reload count too.
    #expect(try figure("requests", in: run.messages) == server.requests(), "\(run.messages)")
  }

  @Test(arguments: ["protobuf", "json"])
  func `tries a record by hand`(_ encoding: String) throws {
    let server = try StandInCollector()
    let program = "\(PluginRun.products)/audispatch-otlp"
    func test() throws -> CommandRun {
      try CommandRun(program, "--server", server.url, "--encoding", encoding, "test")
    }
    let good = try test()
    #expect(good.end == .exit(0), "\(good.error)")
    #expect(good.output.contains("\(server.url) has taken audispatch-otlp-test:"))
    #expect(try server.records().first?["body"] as? String == "a test by audispatch-otlp")
    try server.set(["authorization": "Bearer x"])
    let refused = try test()
    #expect(refused.end == .exit(1))
    #expect(refused.error.contains("does not take it: status 401: who is there?"))
    let typo = try CommandRun(program, "--server", server.url, "tset")
    #expect(typo.end == .exit(2))
    #expect(typo.error.contains("did you mean 'test'?"))
  }
}
