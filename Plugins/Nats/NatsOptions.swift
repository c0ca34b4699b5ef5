import AudispatchPlugin
import Configuration
import Linux
import Shipping

/// What `audispatch-nats` was asked for.
struct NatsOptions: PublishingOptions {
  var command: PublishingCommand?
  var servers: [ServerURL] = []
  var stream = "AUDIT"
  var subject = SubjectTemplate.standard
  /// What `setup` makes.
  var wanted = StreamState(window: .seconds(7200))

  var credentials = Credentials()
  var tokenFile: String?
  /// From that file, once it was read.
  var token: String?
  var credentialsFile: String?
  var tls = TLSFiles()

  var publishing = PublishingSettings(
    patience: Patience(answerTime: .seconds(10), connectTime: .seconds(2)),
    refused: RefusedFile(path: "/var/lib/audispatch/nats-refused.ndjson"))
  var places = SettingPlaces()

  static let store = "stream"
  static let lookUp = (
    needs:
      "{node} in subject, and the right to ask for the stream, its last message, and a consumer",
    failing: "beyond the stream's window it may be there twice"
  )

  static let keywords: [PluginKeyword<NatsOptions>] =
    streamKeywords + accessKeywords + publishingKeywords

  func makeClient() throws(SystemError) -> StreamPublisher { try StreamPublisher(self) }

  /// Whether connections are encrypted.
  var isSecure: Bool {
    tls != TLSFiles() || servers.contains { $0.text.hasPrefix("tls://") }
  }
}

extension NatsOptions {
  private static let streamKeywords: [PluginKeyword<NatsOptions>] = [
    .value(
      "server", "URL", "nats://HOST:4222 or tls://HOST; more than one are tried in turn",
      letter: "s", repeats: true
    ) { (o: inout NatsOptions, w: Word) throws(Diagnostic) in
      o.servers.append(try ServerURL(w, schemes: ["nats", "tls"]))
      o.places["server"] = w
    },
    .value("stream", "NAME", "the stream that has the messages (AUDIT)") {
      (o: inout NatsOptions, w: Word) throws(Diagnostic) in
      guard (1...255).contains(w.text.utf8.count),
        w.text == SubjectTemplate.clean(Array(w.text.utf8))
      else { throw w.error("stream is a name of letters, digits, '-' and '_'") }
      o.stream = w.text
    },
    noting("subject", "SUBJECT", "of a message (audit.{node}.{action}); also {type}, {key}") {
      (o: inout NatsOptions, w: Word) throws(Diagnostic) in o.subject = try SubjectTemplate(w)
    },
    .value("window", "SECONDS", "setup: for how long the stream knows ids (7200)") {
      (o: inout NatsOptions, w: Word) throws(Diagnostic) in
      o.wanted.window = try w.seconds(in: .seconds(1)...(.seconds(30 * 86400)), for: "window")
    },
    noting("max_age", "SECONDS", "setup: how long messages are kept (0: for ever)") {
      (o: inout NatsOptions, w: Word) throws(Diagnostic) in
      let age = try w.seconds(in: .zero...(.seconds(10 * 366 * 86400)), for: "max_age")
      o.wanted.maxAge = age == .zero ? nil : age
    },
    noting("max_size", "SIZE", "setup: bytes that are kept (0: no bound)") {
      (o: inout NatsOptions, w: Word) throws(Diagnostic) in
      let size = try w.byteCount(in: 0...1 << 60, for: "max_size")
      o.wanted.maxBytes = size == 0 ? nil : size
    },
    noting("replicas", "COUNT", "setup: servers that have each message (1)") {
      (o: inout NatsOptions, w: Word) throws(Diagnostic) in
      o.wanted.replicas = try w.number(in: 1...5, for: "replicas")
    },
  ]

  private static let accessKeywords: [PluginKeyword<NatsOptions>] =
    Credentials.keywords(\.credentials)
    + [
      noting("token_file", "FILE", "its first line is a token") {
        (o: inout NatsOptions, w: Word) throws(Diagnostic) in
        o.tokenFile = try w.absolutePath(for: "token_file")
      },
      noting("credentials_file", "FILE", "a user's JWT and seed, as nsc writes them") {
        (o: inout NatsOptions, w: Word) throws(Diagnostic) in
        o.credentialsFile = try w.absolutePath(for: "credentials_file")
      },
    ] + TLSFiles.keywords(\.tls, noting: \.places)
}
