import Foundation
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

/// Answers that leave open whether anything was stored.
@Suite("audispatch-elastic, in doubt", .onThreads)
struct DoubtTests {
  @Test(arguments: ["die_after", "die_before", "garbage", "half"])
  func `stores nothing twice, whatever the answer`(_ fault: String) throws {
    let server = try StandInIndex.ready(["--seed", "3"])
    try server.set([fault: 500])
    let run = try elastic(server, ["bulk_documents = 10"])
    try run.send(records(1...300))
    #expect(run.eventually { run.confirmed == 300 }, "\(run.messages)")
    #expect(try server.ids() == ids(1...300))
  }

  @Test(arguments: ["die_after", "garbage", "item_503"])
  func `stores nothing twice where the stream rolled over meanwhile`(_ fault: String) throws {
    let server = try StandInIndex.ready(["--seed", "5"])
    try server.set([fault: 400, "roll": 300])
    let run = try elastic(server, ["bulk_documents = 10"])
    try run.send(records(1...300))
    #expect(run.eventually { run.confirmed == 300 }, "\(run.messages)")
    let report = try server.ask([:])
    let streams = report["streams"] as? [String: [String]]
    #expect(streams?["logs-audispatch-default"]?.count ?? 0 > 3)
    run.close()
    #expect(run.end() == .exit(0))
    // One request at a time: nothing rolls over between looking and storing.
    #expect(figure("perhaps_twice", in: run.messages) == 0)
    #expect(report["ids"] as? Int == 300)
    #expect(report["twice"] as? Int == 0)
    #expect(try server.requests("_mget") > 0)
  }

  @Test func `looks for what its predecessor may have stored`() throws {
    let server = try StandInIndex.ready()
    do {
      let run = try elastic(server)
      try run.send(records(1...50))
      #expect(run.eventually { (try? server.count()) == 50 })
      run.signal(SIGKILL)
      _ = run.end()
    }
    try server.ask(["rollover": "logs-audispatch-default"])
    let run = try elastic(server)
    try run.send(records(1...80))
    #expect(run.eventually { run.confirmed == 80 }, "\(run.messages)")
    #expect(try server.ids() == ids(1...80))
  }

  @Test func `counts what an index may have that cannot be asked`() throws {
    let server = try StandInIndex.ready()
    do {
      let run = try elastic(server)
      try run.send(records(1...50))
      #expect(run.eventually { (try? server.count()) == 50 })
      run.signal(SIGKILL)
      _ = run.end()
    }
    let streams = try server.ask([:])["streams"] as? [String: [String]]
    let lost = try #require(streams?["logs-audispatch-default"]?.first)
    try server.set(["lost_index": lost])
    try server.ask(["rollover": "logs-audispatch-default"])
    let run = try elastic(server)
    try run.send(records(1...50))
    #expect(run.eventually { run.confirmed == 50 }, "\(run.messages)")
    run.close()
    #expect(run.end() == .exit(0))
    #expect(figure("not_looked_up", in: run.messages) == 50)
    #expect(figure("perhaps_twice", in: run.messages) == 50)
    #expect(run.messages.contains("cannot look up what may be stored already"))
  }

  @Test func `looks behind an alias too`() throws {
    let server = try StandInIndex()
    try server.ask(["alias": "audit"])
    do {
      let run = try elastic(server, ["index = audit"])
      try run.send(records(1...20))
      #expect(run.eventually { run.confirmed == 20 }, "\(run.messages)")
    }
    try server.ask(["alias": "audit"])
    let run = try elastic(server, ["index = audit"])
    try run.send(records(1...30))
    #expect(run.eventually { run.confirmed == 30 }, "\(run.messages)")
    #expect(try server.ids() == ids(1...30))
  }

  @Test func `counts what it may not look for, and stores it`() throws {
    let server = try StandInIndex.ready()
    try server.set(["no_look_up": true])
    let run = try elastic(server)
    try run.send(records(1...20))
    #expect(run.eventually { run.confirmed == 20 }, "\(run.messages)")
    #expect(run.await("cannot look up", in: "err"))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(figure("not_looked_up", in: run.messages) == 20)
    #expect(figure("perhaps_twice", in: run.messages) == 20)
  }

  @Test func `gives a request up that takes too long, and looks`() throws {
    let server = try StandInIndex.ready()
    try server.set(["slow": 3])
    let run = try elastic(server, ["answer_time = 0.5"])
    try run.send(records(1...20))
    // What was given up is stored all the same.
    #expect(run.eventually { (try? server.count()) == 20 })
    #expect(run.confirmed == 0)
    try server.set(["slow": 0])
    #expect(run.eventually { run.confirmed == 20 }, "\(run.messages)")
    #expect(try server.ids() == ids(1...20))
  }

  @Test(arguments: [1, 2, 3])
  func `loses and doubles nothing though everything fails and it is killed`(_ seed: Int) throws {
    let server = try StandInIndex.ready(["--seed", "\(seed)"])
    try server.set([
      "die_after": 100, "die_before": 100, "garbage": 50, "half": 50, "item_429": 100,
      "item_503": 20,
    ])
    var random = Numbers(state: UInt64(seed))
    var confirmed = 0
    // As the dispatcher does: from the first that is not confirmed on.
    for _ in 0..<6 {
      let run = try elastic(
        server, ["bulk_documents = 20", "workers = 3"], first: confirmed + 1)
      try run.send(records((confirmed + 1)...600))
      let goal = min(600, confirmed + 20 + random.next(below: 100))
      #expect(run.eventually { run.confirmed >= goal }, "\(run.messages)")
      run.signal(SIGKILL)
      _ = run.end()
      confirmed = max(confirmed, run.confirmed)
      // What the dead one has sent may be done only now; a rollover between its look and that would
      // have a document twice, which nobody is left to count.
      try server.ask(["quiet": true])
      try server.ask(["rollover": "logs-audispatch-default"])
      if confirmed == 600 { break }
    }
    let run = try elastic(server, first: min(confirmed, 599) + 1)
    try run.send(records((min(confirmed, 599) + 1)...600))
    #expect(run.eventually { run.confirmed == 600 }, "\(run.messages)")
    run.close()
    _ = run.end()
    let report = try server.ask([:])
    #expect(report["ids"] as? Int == 600, "seed \(seed)")
    #expect(report["twice"] as? Int == 0, "seed \(seed)")
  }

  /// The records of an event whose end comes late, so that its beginning is given out before.
  private static let parts = (
    beginning: [
      "type=SYSCALL msg=audit(1700000000.000:5): arch=c000003e syscall=82 success=yes exit=0 "
        + "items=2 ppid=1 pid=2 auid=0 uid=0 comm=\"mv\" exe=\"/usr/bin/mv\" key=\"k\"",
      "type=PATH msg=audit(1700000000.000:5): item=0 name=\"/old\" nametype=DELETE",
      // Two seconds later by the node's clock.
      "type=USER msg=audit(1700000003.000:6): pid=1",
    ],
    rest: [
      "type=PATH msg=audit(1700000000.000:5): item=1 name=\"/new\" nametype=CREATE",
      "type=EOE msg=audit(1700000000.000:5): ",
    ]
  )

  /// What documents of that event say of paths, and their ids.
  private static func paths(_ server: StandInIndex) throws -> (names: [String], ids: Set<String>) {
    var names: [String] = []
    var ids: Set<String> = []
    for document in try server.documents() {
      let audit = document["auditd"] as? [String: Any]
      guard audit?["sequence"] as? Int == 5 else { continue }
      let paths = audit?["paths"] as? [[String: Any]] ?? []
      names += paths.compactMap { $0["name"] as? String }
      // Of a record without a call.
      if let name = (audit?["data"] as? [String: Any])?["name"] as? String { names.append(name) }
      let event = document["event"] as? [String: Any]
      if let id = event?["id"] as? String { ids.insert(id) }
    }
    return (names.sorted(), ids)
  }

  @Test func `stores the rest of an event whose beginning its predecessor stored`() throws {
    let server = try StandInIndex.ready()
    do {
      let run = try elastic(server)
      try run.send(Self.parts.beginning)
      #expect(run.eventually { run.confirmed == 3 }, "\(run.messages)")
      run.signal(SIGKILL)
      _ = run.end()
    }
    let run = try elastic(server, first: 4)
    try run.send(Self.parts.rest)
    #expect(run.eventually { run.confirmed == 5 }, "\(run.messages)")
    let (names, ids) = try Self.paths(server)
    #expect(names == ["/new", "/old"])
    #expect(ids.count == 2)
  }

  @Test func `stores the whole where a part was stored and not confirmed`() throws {
    let server = try StandInIndex.ready()
    do {
      let run = try elastic(server)
      try run.send(Self.parts.beginning)
      #expect(run.eventually { (try? server.count()) == 2 }, "\(run.messages)")
      run.signal(SIGKILL)
      _ = run.end()
    }
    let run = try elastic(server)
    let (beginning, rest) = Self.parts
    try run.send(beginning.dropLast() + rest + beginning.suffix(1))
    #expect(run.eventually { run.confirmed == 5 }, "\(run.messages)")
    let (names, ids) = try Self.paths(server)
    #expect(names == ["/new", "/old", "/old"])
    #expect(ids.contains("host:1700000000.000:5") && ids.count == 2)
  }

  @Test(arguments: [1, 2]) func `counts each event once though it is killed`(_ seed: Int) throws {
    let server = try StandInIndex.ready(["--seed", "\(seed)"])
    try server.set(["die_after": 100, "half": 100, "item_429": 100])
    var random = Numbers(state: UInt64(seed))
    // A hundred events in a minute of theirs, of five kinds.
    let lines = (1...2000).map { serial in
      let milliseconds = serial * 600
      let fraction = String(milliseconds % 1000 + 1000).dropFirst()
      return "type=USER msg=audit(\(1_700_000_000 + milliseconds / 1000).\(fraction):\(serial)): "
        + "pid=\(serial) x=\(serial % 5)"
    }
    var confirmed = 0
    for turn in 1...6 {
      let run = try elastic(
        server, ["aggregate = 60", "bulk_documents = 7"], first: confirmed + 1)
      try run.send(Array(lines[confirmed...]))
      // The last window stays open; what is confirmed already is not said again.
      let goal = turn == 6 ? 1900 : min(1900, confirmed + random.next(below: 400))
      #expect(run.eventually { max(confirmed, run.confirmed) >= goal }, "\(run.messages)")
      if turn == 6 {
        run.endInput()
        #expect(run.eventually { run.confirmed == 2000 }, "\(run.messages)")
        break
      }
      run.signal(SIGKILL)
      _ = run.end()
      confirmed = max(confirmed, run.confirmed)
    }
    let documents = try server.documents()
    let counts = documents.map { ($0["aggregate"] as? [String: Any])?["count"] as? Int ?? 1 }
    #expect(counts.reduce(0, +) == 2000, "seed \(seed)")
    #expect(documents.count == 100, "seed \(seed)")
  }

  struct Numbers {
    var state: UInt64
    mutating func next(below limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(limit))
    }
  }
}
