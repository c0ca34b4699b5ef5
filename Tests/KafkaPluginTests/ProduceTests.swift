import Foundation
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@Suite("audispatch-kafka", .onThreads)
struct ProduceTests {
  @Test(arguments: ["none", "gzip", "snappy", "lz4", "zstd"])
  func `stores each event once, in order, and confirms it`(_ compression: String) throws {
    let cluster = try StandInCluster()
    let run = try kafka(cluster, ["batch_messages = 7", "compression = \(compression)"])
    try run.send(records(1...100))
    #expect(run.eventually { run.confirmed == 100 }, "\(run.messages)")
    #expect(try cluster.ids() == inOrder(1...100))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(figure("stored", in: run.messages) == 100, "\(run.messages)")
    #expect(figure("already_there", in: run.messages) == 0)
    #expect(figure("not_looked_up", in: run.messages) == 0)
  }

  @Test func `has the node as key, an id, the event's time, and topics of what it has`() throws {
    let cluster = try StandInCluster(topic: "audit.web_example_org.opened-file", partitions: 3)
    try cluster.make("audit.host.unknown_9999_", partitions: 3)
    let run = try kafka(cluster, ["topic = audit.{node}.{action}"])
    try run.send(openedFile)
    run.endInput()
    #expect(run.eventually { run.confirmed == 3 }, "\(run.messages)")
    let message = try #require(try cluster.messages().first)
    #expect(message.topic == "audit.web_example_org.opened-file")
    #expect(message.key == "web.example.org")
    #expect(message.milliseconds == 1_700_000_000_123)
    let id = "web.example.org:1700000000.123:5"
    #expect(message.id == id)
    let body =
      try JSONSerialization.jsonObject(with: Data(message.value.utf8)) as? [String: Any]
    #expect((body?["event"] as? [String: Any])?["id"] as? String == id)
  }

  @Test func `keeps the order of each node, in one partition of a topic`() throws {
    let cluster = try StandInCluster(partitions: 5, ["--brokers", "3"])
    let run = try kafka(cluster, ["batch_messages = 20"])
    let count = 600
    try run.send((1...count).map { "node=n\($0 % 7) " + record($0) })
    #expect(run.eventually { run.confirmed == count }, "\(run.messages)")
    let messages = try cluster.messages()
    #expect(messages.count == count)
    for node in 0..<7 {
      let ours = messages.filter { $0.key == "n\(node)" }
      let serials = ours.compactMap { $0.id.split(separator: ":").last.flatMap { Int($0) } }
      #expect(serials == (1...count).filter { $0 % 7 == node }, "n\(node)")
      #expect(Set(ours.map(\.partition)).count == 1)
    }
    #expect(Set(messages.map(\.partition)).count > 1)
  }

  @Test func `sends again what brokers put off, once`() throws {
    let cluster = try StandInCluster()
    let run = try kafka(cluster, ["batch_messages = 1"])
    try cluster.refuse(.produce, [.notLeader, .cut, .tooFewReplicas, .timedOut, .cut, .timedOut])
    try run.send(records(1...50))
    #expect(run.eventually { run.confirmed == 50 }, "\(run.messages)")
    #expect(try cluster.ids() == inOrder(1...50))
  }

  @Test func `waits for a right and for a topic, and says so once`() throws {
    let cluster = try StandInCluster()
    try cluster.hide("audit")
    let run = try kafka(cluster, ["batch_messages = 50"])
    try run.send(records(1...200))
    #expect(
      run.await("there is no topic audit: audispatch-kafka setup makes it", in: "err"),
      "\(run.messages)")
    try cluster.refuse(.produce, [.noRight, .noRight, .noRight])
    try cluster.hide("audit", false)
    #expect(run.eventually { run.confirmed == 200 }, "\(run.messages)")
    #expect(try cluster.ids() == inOrder(1...200))
    #expect(run.await("messages are stored again", in: "err"))
    #expect(run.lines("err").count { $0.contains("there is no topic") } == 1)
    #expect(
      run.lines("err").count { $0.contains("Topic authorization failed") } == 1, "\(run.messages)")
  }

  @Test func `waits for brokers that are away, and goes on where it was`() throws {
    let cluster = try StandInCluster()
    let run = try kafka(cluster)
    try run.send(records(1...100))
    #expect(run.eventually { run.confirmed == 100 }, "\(run.messages)")
    try cluster.setAway(true)
    try run.send(records(101...300))
    #expect(run.await("Connection refused; 200 messages wait here", in: "err"), "\(run.messages)")
    #expect(run.confirmed == 100)
    try cluster.setAway(false)
    #expect(run.eventually { run.confirmed == 300 }, "\(run.messages)")
    #expect(run.await("messages are stored again", in: "err"))
    #expect(try cluster.ids() == inOrder(1...300))
    #expect(run.lines("err").count { $0.contains("Connection refused") } == 1, "\(run.messages)")
  }

  @Test func `puts aside what no topic takes, and goes on`() throws {
    let cluster = try StandInCluster()
    // A batch of eight, then its first four, two, and one.
    try cluster.refuse(.produce, [.tooLarge, .tooLarge, .badRecord, .tooLarge])
    let run = try kafka(cluster, ["batch_messages = 8"])
    try run.send(records(1...100))
    #expect(run.eventually { run.confirmed == 100 }, "\(run.messages)")
    #expect(try cluster.ids() == inOrder(2...100))
    let line = try #require(run.lines("refused").first)
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    #expect(object?["id"] as? String == "host:1700000000.000:1")
    #expect(run.messages.contains("message host:1700000000.000:1 is refused and goes to"))
    #expect(run.messages.contains("Message size too large"))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(figure("refused", in: run.messages) == 1)
    #expect(figure("stored", in: run.messages) == 99)
  }

  @Test func `goes to another cluster after a reload`() throws {
    let (one, other) = (try StandInCluster(), try StandInCluster())
    try one.setAway(true)
    let usual = ["node = host", "retry_time = 0.05", "refused_file = none"]
    let run = try PluginRun.reading(usual + ["server = \(one.address)"], "audispatch-kafka")
    try run.send(records(1...5))
    #expect(run.await("messages wait here", in: "err"))
    try run.reload(usual + ["server = \(other.address)"])
    #expect(run.eventually { run.confirmed == 5 }, "\(run.messages)")
    #expect(try other.ids() == inOrder(1...5))
  }

  @Test(arguments: [true, false])
  func `ends in time though a broker says nothing`(_ isSilentFromTheStart: Bool) throws {
    let silent = try Loopback(stream: true, waiting: 16)
    let slow = try StandInCluster()
    let server = isSilentFromTheStart ? "127.0.0.1:\(silent.port)" : slow.address
    let run = try PluginRun(
      "audispatch-kafka",
      PluginHarness.options(["server = \(server)", "node = host", "refused_file = none"]),
      first: 1)
    if !isSilentFromTheStart {
      try run.send(records(1...5))
      #expect(run.eventually { run.confirmed == 5 }, "\(run.messages)")
      try slow.setSlow(milliseconds: 60_000)
    }
    try run.send(records(6...10))
    Pause.nanoseconds(500_000_000)
    let began = Moment.now
    run.signal(SIGTERM)
    #expect(run.end() == .exit(0))
    #expect(Moment.now - began < .seconds(5))
    #expect(run.messages.contains("ends before 5 messages were stored"), "\(run.messages)")
  }

  @Test func `takes no more memory however long brokers are away`() throws {
    let cluster = try StandInCluster()
    let run = try kafka(cluster, ["original = yes"])
    try run.send(records(1...10))
    #expect(run.eventually { run.confirmed == 10 }, "\(run.messages)")
    try cluster.setAway(true)
    let more = String(repeating: "x", count: 6000)
    let lines = records(11...8000, " fill=\(more)").map { Array(($0 + "\n").utf8) }
    var next = 0
    // Until it takes nothing for a while.
    var since = Moment.now
    var rest: [UInt8] = []
    while next < lines.count, Moment.now - since < .seconds(2) {
      if rest.isEmpty {
        rest = Array(lines[next..<min(next + 100, lines.count)].joined())
        next += 100
      }
      let taken = run.writeWhatIsTaken(rest)
      rest.removeFirst(taken)
      if taken > 0 { since = Moment.now } else { Pause.nanoseconds(1_000_000) }
    }
    #expect(next < 6000)
    let status = String(
      decoding: try Transfer.contents(of: "/proc/\(run.pid)/status", limit: 1 << 16), as: UTF8.self)
    let peak = try #require(
      status.firstMatch(of: #/VmHWM:\s*(\d+) kB/#).flatMap { Int($0.1) })
    // What waits, the batch that is under way, and librdkafka's copy of it.
    #expect(peak < 96 << 10, "\(peak) KiB")
  }
}
