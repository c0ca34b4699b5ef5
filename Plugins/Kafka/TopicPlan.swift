import Linux

/// A topic as it shall be; `nil`: as the cluster does.
struct WantedTopic: Equatable, Sendable {
  var partitions = 3
  var replicas: Int?
  /// How long messages are kept, and how many bytes of a partition.
  var maxAge: Duration?
  var maxBytes: Int?

  /// In Kafka's words.
  var configuration: [(name: String, value: String)] {
    var all: [(name: String, value: String)] = []
    if let maxAge { all.append(("retention.ms", "\(Int(maxAge / .milliseconds(1)))")) }
    if let maxBytes { all.append(("retention.bytes", "\(maxBytes)")) }
    return all
  }

  /// What Kafka's own tool is asked for the same.
  func command(_ topic: String, servers: String) -> String {
    let replication = replicas.map { " --replication-factor \($0)" } ?? ""
    let settings = configuration.map { " --config \($0.name)=\($0.value)" }.joined()
    return "kafka-topics.sh --bootstrap-server \(servers) --create --topic \(topic) "
      + "--partitions \(partitions)\(replication)\(settings)"
  }

  /// What is to be said of a topic that is there: it is not changed.
  ///
  /// - Parameter given: what was asked for.
  func notes(_ found: TopicState, given: Set<String>) -> [String] {
    var notes: [String] = []
    if found.partitions != partitions, given.contains("partitions") {
      notes.append(
        "it has \(found.partitions) partitions, and keeps them: with others a node's messages would "
          + "be in two of them")
    }
    if let replicas, found.replicas != replicas {
      notes.append("it has \(found.replicas) replicas, and keeps them")
    }
    if maxAge != nil || maxBytes != nil { notes.append("how long it keeps messages stays") }
    return notes
  }
}
