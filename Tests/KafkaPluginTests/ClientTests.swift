import PluginHarness
import Shipping
import TestSupport
import Testing

@testable import audispatch_kafka

@Suite("The client of a cluster", .onThreads)
struct ClientTests {
  private static func client(
    _ cluster: StandInCluster, _ bounds: KafkaClient.Bounds = .init()
  ) throws -> KafkaClient {
    let (options, said) = PluginHarness.settled(
      KafkaOptions.self, ["server = \(cluster.address)", "refused_file = none"])
    try #require(said == [])
    return KafkaClient(options, bounds: bounds)
  }

  private static let topics = (0..<5).map { "t\($0)" }

  private static func clusterWithTopics() throws -> StandInCluster {
    let cluster = try StandInCluster(topic: topics[0])
    for topic in topics.dropFirst() { try cluster.make(topic, partitions: 1) }
    return cluster
  }

  private static func message(_ serial: Int, _ topic: String = "audit") -> OutgoingMessage {
    OutgoingMessage(
      subject: topic, node: Array("host".utf8), id: Array("host:1:\(serial)".utf8), body: [0x7b],
      milliseconds: 1_700_000_000_000)
  }

  private static func store(_ messages: [OutgoingMessage], _ client: KafkaClient) throws {
    _ = try client.prepare(messages, areDoubtful: false)
    let published = client.publish(messages) { _ in }
    #expect(published.fates == messages.map { _ in .stored })
    #expect(published.why == "" && published.isConnected)
  }

  @Test func `says of each batch that more was stored than it reads`() throws {
    let cluster = try StandInCluster()
    var bounds = KafkaClient.Bounds()
    bounds.tail = 5
    let client = try Self.client(cluster, bounds)
    defer { client.close() }
    try Self.store((1...10).map { Self.message($0) }, client)
    for serials in [4...7, 8...11, 1...2] {
      let messages = serials.map { Self.message($0) }
      let found = try client.prepare(messages, areDoubtful: true)
      #expect(found.notLookedUp == "others have stored more than 5 messages meanwhile")
      #expect(
        found.ids == Set(serials.filter { (6...10).contains($0) }.map { Self.message($0).id }))
    }
    // Another one reads all.
    let other = try Self.client(cluster)
    defer { other.close() }
    for _ in 1...2 {
      let found = try other.prepare((9...12).map { Self.message($0) }, areDoubtful: true)
      #expect(found.notLookedUp == nil)
      #expect(found.ids == Set((9...10).map { Self.message($0).id }))
    }
  }

  @Test func `finds what is there in more partitions than it remembers`() throws {
    let cluster = try Self.clusterWithTopics()
    var bounds = KafkaClient.Bounds()
    bounds.ids = 7
    let client = try Self.client(cluster, bounds)
    defer { client.close() }
    let messages = Self.topics.flatMap { topic in (1...3).map { Self.message($0, topic) } }
    // Ids are of topics, so that none is found by another's.
    let own = zip(messages, 0...).map { message, number in
      Self.message(100 + number, message.subject)
    }
    try Self.store(own, client)
    for _ in 1...2 {
      let found = try client.prepare(own + messages, areDoubtful: true)
      #expect(found == FoundBefore(Set(own.map(\.id))))
    }
  }

  @Test func `sends to more topics than it remembers`() throws {
    let cluster = try Self.clusterWithTopics()
    var bounds = KafkaClient.Bounds()
    bounds.topics = 2
    let client = try Self.client(cluster, bounds)
    defer { client.close() }
    for serial in 1...3 {
      try Self.store(Self.topics.map { Self.message(serial, $0) }, client)
    }
    #expect(try cluster.messages().count == 15)
  }
}
