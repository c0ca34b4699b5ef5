import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

/// Whenever the plugin dies: nothing is missing, and nothing is there twice.
@Suite("audispatch-kafka, killed", .onThreads)
struct KillTests {
  /// The stand-in takes for new what comes again when an answer was lost, and what comes behind
  /// something that it refused: so with refusals one message at a time is under way.
  @Test(arguments: [(1, true), (2, false), (3, false)])
  func `stores each event once, and in order`(_ seed: Int, _ refuses: Bool) throws {
    let cluster = try StandInCluster()
    var random = Seeded(UInt64(seed))
    let count = refuses ? 120 : 3000
    var confirmed = 0
    var doubtful = 0
    // As the dispatcher does: from the first that is not confirmed on.
    for turn in 1...10 {
      // So that some are under way when it dies.
      try cluster.setSlow(milliseconds: random.number(below: 20))
      if refuses { try cluster.refuse(.produce, [.timedOut, .cut, .noRight, .notLeader]) }
      let run = try kafka(
        cluster, ["batch_messages = \(refuses ? 1 : 100)"], first: confirmed + 1)
      try run.send(records((confirmed + 1)...count))
      let goal = turn == 10 ? count : min(count, confirmed + random.number(below: count / 6))
      #expect(run.eventually { max(confirmed, run.confirmed) >= goal }, "\(run.messages)")
      Pause.nanoseconds(Int64(random.number(below: 30_000_000)))
      if turn == 10 {
        run.close()
        #expect(run.end() == .exit(0))
        doubtful = figure("perhaps_twice", in: run.messages) ?? -1
      } else {
        run.signal(SIGKILL)
        _ = run.end()
      }
      confirmed = max(confirmed, run.confirmed)
      if confirmed == count { break }
    }
    #expect(doubtful == 0)
    let ids = try cluster.ids()
    #expect(
      ids == inOrder(1...count),
      "\(ids.count) are there, \(Set(ids).count) of them once, seed \(seed)")
  }

  @Test func `finds what its predecessor stored, in every partition and topic`() throws {
    let cluster = try StandInCluster(topic: "audit.n0", partitions: 4)
    for node in 1...5 { try cluster.make("audit.n\(node)", partitions: 4) }
    let lines = (1...120).map { "node=n\($0 % 6) " + record($0) }
    do {
      let run = try kafka(cluster, ["topic = audit.{node}"])
      try run.send(Array(lines[..<70]))
      #expect(run.eventually { run.confirmed == 70 }, "\(run.messages)")
      run.signal(SIGKILL)
      _ = run.end()
    }
    let run = try kafka(cluster, ["topic = audit.{node}"])
    try run.send(lines)
    #expect(run.eventually { run.confirmed == 120 }, "\(run.messages)")
    let ids = try cluster.ids()
    #expect(ids.count == 120 && Set(ids).count == 120)
    run.close()
    #expect(run.end() == .exit(0))
    #expect(figure("already_there", in: run.messages) == 70, "\(run.messages)")
    #expect(figure("perhaps_twice", in: run.messages) == 0)
  }

  @Test(arguments: [StandInCluster.Request.listOffsets, .fetch])
  func `counts what it may not look for, and stores it`(
    _ request: StandInCluster.Request
  ) throws {
    let cluster = try StandInCluster()
    do {
      let run = try kafka(cluster)
      try run.send(records(1...10))
      #expect(run.eventually { run.confirmed == 10 }, "\(run.messages)")
      run.signal(SIGKILL)
      _ = run.end()
    }
    try cluster.refuse(request, Array(repeating: .noRight, count: 50))
    let run = try kafka(cluster)
    try run.send(records(11...30))
    #expect(run.eventually { run.confirmed == 20 }, "\(run.messages)")
    #expect(run.await("cannot look up what may be stored already: ", in: "err"))
    #expect(run.messages.contains("authorization failed (it needs the rights to describe"))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(figure("not_looked_up", in: run.messages) == 20)
    #expect(figure("perhaps_twice", in: run.messages) == 20)
    try cluster.take(request)
    #expect(try cluster.ids() == inOrder(1...30))
  }

  @Test func `looks again when it could not, before it stores anything`() throws {
    let cluster = try StandInCluster()
    do {
      let run = try kafka(cluster)
      try run.send(records(1...10))
      #expect(run.eventually { run.confirmed == 10 }, "\(run.messages)")
      run.signal(SIGKILL)
      _ = run.end()
    }
    try cluster.refuse(.listOffsets, Array(repeating: .cut, count: 5))
    let run = try kafka(cluster, ["answer_time = 2"])
    try run.send(records(1...30))
    #expect(run.eventually { run.confirmed == 30 }, "\(run.messages)")
    #expect(try cluster.ids() == inOrder(1...30))
  }
}
