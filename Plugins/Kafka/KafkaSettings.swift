import BulkIndexing
import Configuration
import EventDocument
import Linux
import Shipping

/// What librdkafka is told, in its own words.
struct KafkaSettings: Equatable {
  private(set) var all: [String: String]

  /// Settings that librdkafka has from 2.3 on; one before that does not need them.
  static let ofLaterLibraries: Set<String> = ["retry.backoff.max.ms"]

  /// For whoever only asks and reads.
  init(reading options: KafkaOptions) {
    let patience = options.publishing.patience
    let credentials = options.credentials
    all = [
      "bootstrap.servers": options.serverList,
      "client.id": "audispatch-kafka",
      "socket.keepalive.enable": "true",
      "socket.timeout.ms": Self.milliseconds(patience.answerTime, 10...300_000),
      "socket.connection.setup.timeout.ms": Self.milliseconds(
        patience.connectTime, 1000...300_000),
      "reconnect.backoff.ms": Self.milliseconds(patience.delay.shortest, 1...600_000),
      "reconnect.backoff.max.ms": Self.milliseconds(patience.delay.longest, 1...3_600_000),
      "retry.backoff.ms": Self.milliseconds(patience.delay.shortest, 1...300_000),
      "retry.backoff.max.ms": Self.milliseconds(patience.delay.longest, 1...300_000),
      "security.protocol": (credentials.user == nil ? "" : "sasl_")
        + (options.isSecure ? "ssl" : "plaintext"),
    ]
    set("ssl.ca.location", options.tls.authorities)
    set("ssl.certificate.location", options.tls.certificate)
    set("ssl.key.location", options.tls.key)
    guard credentials.user != nil else { return }
    set("sasl.mechanism", options.mechanism.rawValue.uppercased())
    set("sasl.username", credentials.user)
    set("sasl.password", credentials.password)
  }

  /// For whoever reads what is stored: no offsets are kept by the brokers, and what is gone is not
  /// waited for.
  static func consumer(_ options: KafkaOptions) -> KafkaSettings {
    var settings = KafkaSettings(reading: options)
    settings.set("isolation.level", "read_uncommitted")
    settings.set("enable.partition.eof", "true")
    settings.set("auto.offset.reset", "earliest")
    settings.set("queued.max.messages.kbytes", "8192")
    settings.set("fetch.wait.max.ms", "100")
    return settings
  }

  /// For whoever stores.
  ///
  /// A message is sent until a broker has answered for it: a broker takes one with the same number
  /// once. Whatever fails for good ends the producer, so that nothing is stored before it.
  static func producer(_ options: KafkaOptions) -> KafkaSettings {
    var settings = KafkaSettings(reading: options)
    settings.set("enable.idempotence", "true")
    settings.set("enable.gapless.guarantee", "true")
    settings.set("message.timeout.ms", "0")
    settings.set(
      "request.timeout.ms", milliseconds(options.publishing.patience.answerTime, 1...900_000))
    // All of a batch is there by then, and goes together.
    settings.set("linger.ms", "10")
    settings.set("compression.type", options.compression.rawValue)
    settings.set(
      "message.max.bytes", String(options.publishing.document.maximumSize + roomForKeys))
    return settings
  }

  /// Beside the document: node, id and what Kafka adds.
  private static let roomForKeys = 16 << 10

  private mutating func set(_ name: String, _ value: String?) {
    if let value { all[name] = value }
  }

  private static func milliseconds(_ time: Duration, _ range: ClosedRange<Int>) -> String {
    String(min(max(Int(time / .milliseconds(1)), range.lowerBound), range.upperBound))
  }
}
