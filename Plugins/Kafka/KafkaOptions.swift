import AudispatchPlugin
import Configuration
import Linux
import Shipping

/// What `audispatch-kafka` was asked for.
struct KafkaOptions: PublishingOptions {
  /// How messages are made smaller on their way.
  enum Compression: String, CaseIterable, Sendable {
    case none
    case gzip
    case snappy
    case lz4
    case zstd
  }

  /// How a password is proved.
  enum Mechanism: String, CaseIterable, Sendable {
    case scram512 = "scram-sha-512"
    case scram256 = "scram-sha-256"
    case plain
  }

  var command: PublishingCommand?
  var servers: [HostAndPort] = []
  var subject = SubjectTemplate.only("audit")
  /// What `setup` makes.
  var wanted = WantedTopic()

  var isSecure = false
  var tls = TLSFiles()
  var credentials = Credentials()
  var mechanism = Mechanism.scram512

  var compression = Compression.lz4
  var publishing = PublishingSettings(
    patience: Patience(answerTime: .seconds(30)),
    refused: RefusedFile(path: "/var/lib/audispatch/kafka-refused.ndjson"))
  var places = SettingPlaces()

  static let store = "topic"
  static let lookUp = (
    needs: "the rights to describe and to read the topic", failing: "it may be there twice"
  )

  static let keywords: [PluginKeyword<KafkaOptions>] =
    topicKeywords + accessKeywords + [compressionKeyword] + publishingKeywords

  func makeClient() -> KafkaClient { KafkaClient(self) }
}

extension KafkaOptions {
  /// All brokers, as Kafka's own tools take them.
  var serverList: String { servers.map(\.description).joined(separator: ",") }

  var answerMilliseconds: Int32 {
    Int32(clamping: Int(publishing.patience.answerTime / .milliseconds(1)))
  }

  /// The topic for a subject: its name has 249 bytes at most.
  static func topic(_ subject: String) -> String {
    String(decoding: subject.utf8.prefix(249), as: UTF8.self)
  }
}

extension KafkaOptions {
  private static let topicKeywords: [PluginKeyword<KafkaOptions>] = [
    .value(
      "server", "HOST[:PORT]", "a broker of the cluster (port 9092); more than one are tried",
      letter: "s", repeats: true
    ) { (o: inout KafkaOptions, w: Word) throws(Diagnostic) in
      guard var server = HostAndPort(w.text), !w.text.contains(",") else {
        throw w.error("server is HOST or HOST:PORT, one each")
      }
      server.port = server.port ?? 9092
      o.servers.append(server)
      o.places["server"] = w
    },
    noting("topic", "TOPIC", "of a message (audit); also {node}, {action}, {type}, {key}") {
      (o: inout KafkaOptions, w: Word) throws(Diagnostic) in
      o.subject = try SubjectTemplate(w, as: "topic")
    },
    noting("partitions", "COUNT", "setup: parts of the topic (3)") {
      (o: inout KafkaOptions, w: Word) throws(Diagnostic) in
      o.wanted.partitions = try w.number(in: 1...10_000, for: "partitions")
    },
    noting("replicas", "COUNT", "setup: brokers that have each message (0: as the cluster does)") {
      (o: inout KafkaOptions, w: Word) throws(Diagnostic) in
      let count = try w.number(in: 0...100, for: "replicas")
      o.wanted.replicas = count == 0 ? nil : count
    },
    noting("max_age", "SECONDS", "setup: how long messages are kept (0: as the cluster does)") {
      (o: inout KafkaOptions, w: Word) throws(Diagnostic) in
      let age = try w.seconds(in: .zero...(.seconds(100 * 366 * 86400)), for: "max_age")
      o.wanted.maxAge = age == .zero ? nil : age
    },
    noting("max_size", "SIZE", "setup: bytes that are kept of a part (0: as the cluster does)") {
      (o: inout KafkaOptions, w: Word) throws(Diagnostic) in
      let size = try w.byteCount(in: 0...1 << 60, for: "max_size")
      o.wanted.maxBytes = size == 0 ? nil : size
    },
  ]

  private static let accessKeywords: [PluginKeyword<KafkaOptions>] =
    [.flag("tls", "encrypt (no); tls_ca does as well") { $0.isSecure = $1 }]
    + Credentials.keywords(\.credentials)
    + [
      noting("sasl", "MECHANISM", "scram-sha-512 (default), scram-sha-256, plain") {
        (o: inout KafkaOptions, w: Word) throws(Diagnostic) in
        o.mechanism = try w.choice(Mechanism.self, for: "sasl")
      }
    ] + TLSFiles.keywords(\.tls, noting: \.places)

  private static let compressionKeyword = PluginKeyword<KafkaOptions>.value(
    "compression", "HOW", "none, gzip, snappy, lz4 (default), zstd"
  ) { (o: inout KafkaOptions, w: Word) throws(Diagnostic) in
    o.compression = try w.choice(Compression.self, for: "compression")
  }
}
