import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_nats

/// Whoever dies, and whenever: nothing is missing, and nothing is there twice.
@Suite("audispatch-nats, killed", .onThreads, .enabled(if: NatsServer.isHere, "\(NatsServer.why)"))
struct KillTests {
  @Test func `stores each event once though the server is killed again and again`() throws {
    let server = try NatsServer()
    try server.makeStream()
    var random = Seeded(of: "kills of nats-server")
    let run = try nats(server, ["batch_messages = 500"])
    let count = 20_000
    let lines = records(1...count).map { Array(($0 + "\n").utf8) }
    var (sent, kills) = (0, 0)
    var nextKill = 1000 + random.number(below: 3000)
    let end = Moment.now + .seconds(300)
    while run.confirmed < count {
      try #require(Moment.now < end, "\(run.confirmed) of \(count): \(run.messages)")
      // As the dispatcher does, no more than the plugin takes.
      let next = min(count, sent + 500)
      if sent < next {
        var rest = Array(lines[sent..<next].joined())
        while !rest.isEmpty, Moment.now < end {
          rest.removeFirst(run.writeWhatIsTaken(rest))
          if !rest.isEmpty { Pause.nanoseconds(1_000_000) }
        }
        sent = next
      } else {
        Pause.nanoseconds(1_000_000)
      }
      guard sent >= nextKill, kills < 10 else { continue }
      nextKill += 500 + random.number(below: 1500)
      Pause.nanoseconds(Int64(random.number(below: 20_000_000)))
      server.kill()
      kills += 1
      try server.start()
      try #require(sent < count || run.eventually { run.confirmed == count }, "\(run.messages)")
    }
    #expect(kills == 10)
    #expect(try server.ids() == inOrder(1...count))
  }

  @Test(arguments: [1, 2, 3])
  func `stores each event once though both are killed`(_ seed: Int) throws {
    let server = try NatsServer()
    try server.makeStream()
    var random = Seeded(UInt64(seed))
    let count = 3000
    var confirmed = 0
    // As the dispatcher does: from the first that is not confirmed on.
    for turn in 1...10 {
      let run = try nats(server, ["batch_messages = 100"], first: confirmed + 1)
      try run.send(records((confirmed + 1)...count))
      let goal = turn == 10 ? count : min(count, confirmed + random.number(below: 400))
      if random.number(below: 2) == 0, turn < 10 {
        Pause.nanoseconds(Int64(random.number(below: 100_000_000)))
        server.kill()
        try server.start()
      }
      #expect(run.eventually { max(confirmed, run.confirmed) >= goal }, "\(run.messages)")
      run.signal(SIGKILL)
      _ = run.end()
      confirmed = max(confirmed, run.confirmed)
      if confirmed == count { break }
    }
    #expect(confirmed == count, "seed \(seed)")
    #expect(try server.ids() == inOrder(1...count), "seed \(seed)")
  }

  @Test func `finds what its predecessor stored before the stream forgot its id`() throws {
    let server = try NatsServer()
    try server.makeStream(StreamState(window: .seconds(1)))
    do {
      let run = try nats(server)
      try run.send(records(1...50))
      #expect(run.eventually { run.confirmed == 50 }, "\(run.messages)")
      run.signal(SIGKILL)
      _ = run.end()
    }
    // What the stream has forgotten it would store again.
    Pause.nanoseconds(2_500_000_000)
    let run = try nats(server)
    try run.send(records(1...80))
    #expect(run.eventually { run.confirmed == 80 }, "\(run.messages)")
    #expect(try server.ids() == inOrder(1...80))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(figure("already_there", in: run.messages) == 50, "\(run.messages)")
    #expect(figure("perhaps_twice", in: run.messages) == 0)
  }

  @Test func `counts what no subject tells it to look for, and stores it`() throws {
    let server = try NatsServer()
    try server.makeStream()
    let run = try nats(server, ["subject = audit.{type}.{action}"])
    try run.send(records(1...20))
    #expect(run.eventually { run.confirmed == 20 }, "\(run.messages)")
    #expect(
      run.await(
        "cannot look up what may be stored already: subject has no {node} (it needs {node} in "
          + "subject, and the right to ask for the stream, its last message, and a consumer): "
          + "beyond the stream's window it may be there twice", in: "err"), "\(run.messages)")
    run.close()
    #expect(run.end() == .exit(0))
    #expect(figure("not_looked_up", in: run.messages) == 20)
    #expect(figure("perhaps_twice", in: run.messages) == 20)
  }

  @Test func `counts what it may not look for, and stores it`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let (server, user) = try NatsServer.denying(
      ["$JS.API.STREAM.MSG.GET.>", "$JS.API.CONSUMER.>"], folder)
    let who = user + ["answer_time = 0.5"]
    let setup = try CommandRun(
      ["\(PluginRun.products)/audispatch-nats"]
        + PluginHarness.options(["server = \(server.url)", "refused_file = none"] + who)
        + ["setup"])
    #expect(setup.end == .exit(0), "\(setup.error)")
    let run = try nats(server, who)
    try run.send(records(1...20))
    #expect(run.eventually { run.confirmed == 20 }, "\(run.messages)")
    #expect(run.await("cannot look up what may be stored already", in: "err"))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(figure("not_looked_up", in: run.messages) == 20)
    #expect(figure("perhaps_twice", in: run.messages) == 20)
  }
}
