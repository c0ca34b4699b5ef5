/// A process that stands in for a Kafka cluster, and fails as it is told to; see `Programs/kafka.py`.
public final class StandInCluster {
  /// A message as it is stored.
  public struct Message: Equatable, Sendable {
    public let topic: String
    public let partition: Int
    public let key: String
    public let id: String
    public let milliseconds: Int
    public let value: String

    public init?(_ record: [String: Any]) {
      guard let topic = record["topic"] as? String, let partition = record["partition"] as? Int,
        let key = record["key"] as? String, let value = record["value"] as? String,
        let id = (record["headers"] as? [String: String])?["event.id"],
        let milliseconds = record["time"] as? Int
      else { return nil }
      self.topic = topic
      self.partition = partition
      self.key = key
      self.id = id
      self.milliseconds = milliseconds
      self.value = value
    }
  }

  /// Requests, by their numbers in Kafka.
  public enum Request: Int, Sendable {
    case produce = 0
    case fetch = 1
    case listOffsets = 2
    case metadata = 3
  }

  /// Answers, by their numbers in Kafka; `cut`: none, and the connection ends.
  public enum Refusal: Int, Sendable {
    case cut = -195
    case noTopic = 3
    case notLeader = 6
    case timedOut = 7
    case tooLarge = 10
    case tooFewReplicas = 19
    case noRight = 29
    case badRecord = 87
  }

  private let server: StandIn
  private var read: [Message] = []

  /// One with a topic.
  ///
  /// - Parameter arguments: how many brokers, files for TLS, a user and a password.
  public init(
    topic: String = "audit", partitions: Int = 1, _ arguments: [String] = []
  ) throws {
    server = try StandIn("kafka.py", arguments)
    try make(topic, partitions: partitions)
  }

  /// Its first broker.
  public var address: String { "127.0.0.1:\(server.port)" }

  public func make(_ topic: String, partitions: Int) throws {
    try server.ask(["topic": [topic, partitions]])
  }

  /// Answers the next requests of a kind so, one after another.
  public func refuse(_ request: Request, _ answers: [Refusal]) throws {
    try server.ask(["errors": [request.rawValue, answers.map(\.rawValue)]])
  }

  /// Answers requests of a kind as it should again.
  public func take(_ request: Request) throws { try server.ask(["clear": request.rawValue]) }

  /// Says of a topic that there is none, or not any more.
  public func hide(_ topic: String, _ isHidden: Bool = true) throws {
    try server.ask(["topic_error": [topic, isHidden ? Refusal.noTopic.rawValue : 0]])
  }

  /// Ends all connections and takes none, or takes them again.
  public func setAway(_ isAway: Bool) throws { try server.ask(["down": isAway]) }

  /// Lets each answer last.
  public func setSlow(milliseconds: Int) throws { try server.ask(["rtt": milliseconds]) }

  /// All messages that it has had so far, those of a partition in their order.
  public func messages() throws -> [Message] {
    let records = try server.ask(["records": true])["records"] as? [[String: Any]] ?? []
    read += records.compactMap { Message($0) }
    return read
  }

  /// Their ids.
  public func ids() throws -> [String] { try messages().map(\.id) }
}
