import AudispatchPlugin
import BulkIndexing
import Configuration
import EventDocument
import Linux
import Shipping

/// What `audispatch-kafka` was asked for.
struct KafkaOptions: PublishingOptions {
  /// What it does, beside running as a plugin.
  enum Command: Equatable, Sendable {
    case setUp
    case test
  }

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

  var command: Command?
  var servers: [HostAndPort] = []
  var subject = SubjectTemplate.only("audit")
  /// What `setup` makes.
  var wanted = WantedTopic()

  var isSecure = false
  var tls = TLSFiles()
  var user: String?
  var passwordFile: String?
  /// From that file, once it was read.
  var password: String?
  var mechanism = Mechanism.scram512

  var compression = Compression.lz4
  var batch = BulkQueue<MessagePlace>.Limits(
    documents: 1000, bytes: 4 << 20, gathering: .milliseconds(100))
  var patience = standardPatience
  var refusedFile: String? = "/var/lib/audispatch/kafka-refused.ndjson"
  var form = DocumentForm.ecs
  var document = Self.standardDocument
  var volume = VolumeRules()
  var places = SettingPlaces()

  static let lookUpNeeds = "the rights to describe and to read the topic"

  private static let standardPatience = Patience(answerTime: .seconds(30))

  /// What a broker takes by default, less some room for node and id.
  private static var standardDocument: DocumentSettings {
    var settings = DocumentSettings()
    settings.maximumSize = 1000 << 10
    return settings
  }

  static let keywords: [PluginKeyword<KafkaOptions>] =
    topicKeywords + accessKeywords + batchKeywords
    + Patience.keywords(\.patience, standard: standardPatience)
    + documentKeywords + VolumeRules.keywords(\.volume)

  mutating func take(_ operands: [Word]) throws(Diagnostic) {
    command = try CommandWord.choice(operands, among: ["setup": .setUp, "test": .test])
  }

  func makeClient() -> KafkaClient { KafkaClient(self) }
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
    [
      .flag("tls", "encrypt (no); tls_ca does as well") { $0.isSecure = $1 },
      noting("user", "NAME", "who we are, with password_file") {
        (o: inout KafkaOptions, w: Word) throws(Diagnostic) in
        guard !w.text.isEmpty else { throw w.error("a user has a name") }
        o.user = w.text
      },
      noting("password_file", "FILE", "its first line is the password of user") {
        (o: inout KafkaOptions, w: Word) throws(Diagnostic) in
        o.passwordFile = try w.absolutePath(for: "password_file")
      },
      noting("sasl", "MECHANISM", "scram-sha-512 (default), scram-sha-256, plain") {
        (o: inout KafkaOptions, w: Word) throws(Diagnostic) in
        o.mechanism = try w.choice(Mechanism.self, for: "sasl")
      },
    ] + TLSFiles.keywords(\.tls, noting: \.places)

  private static let batchKeywords: [PluginKeyword<KafkaOptions>] =
    [
      .value("compression", "HOW", "none, gzip, snappy, lz4 (default), zstd") {
        (o: inout KafkaOptions, w: Word) throws(Diagnostic) in
        o.compression = try w.choice(Compression.self, for: "compression")
      },
      RefusedFile.keyword(
        \.refusedFile, about: "where what no topic takes goes; none: it is dropped",
        noting: \.places),
    ]
    + BatchKeywords.all(
      \.batch, count: ("batch_messages", "messages that are under way together (1000)"),
      bytes: ("batch_bytes", "bytes of those (4M)"), waiting: "a message waits for others (0.1)")

  private static let documentKeywords: [PluginKeyword<KafkaOptions>] =
    [
      .value("form", "FORM", "ecs (default), auditbeat6, laurel, go-libaudit") {
        (o: inout KafkaOptions, w: Word) throws(Diagnostic) in
        o.form = try w.choice(DocumentForm.self, for: "form")
      }
    ] + DocumentSettings.keywords(\.document, largest: 32 << 20, standard: "1000K")

  /// A keyword of one value whose place is remembered.
  private static func noting(
    _ name: String, _ value: String, _ about: String,
    set: @escaping @Sendable (inout KafkaOptions, Word) throws(Diagnostic) -> Void
  ) -> PluginKeyword<KafkaOptions> {
    .value(name, value, about, set: set).noting(in: \.places)
  }
}
