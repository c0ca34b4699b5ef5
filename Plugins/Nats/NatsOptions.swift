import AudispatchPlugin
import BulkIndexing
import Configuration
import EventDocument
import Linux
import Shipping

/// What `audispatch-nats` was asked for.
struct NatsOptions: PluginOptions, Equatable {
  /// What it does, beside running as a plugin.
  enum Command: Equatable, Sendable {
    case setUp
    case test
  }

  var command: Command?
  var servers: [ServerURL] = []
  var stream = "AUDIT"
  var subject = SubjectTemplate.standard
  /// What `setup` makes.
  var wanted = StreamState(window: .seconds(7200))

  var user: String?
  var passwordFile: String?
  var tokenFile: String?
  var credentialsFile: String?
  /// From those files, once they were read.
  var password: String?
  var token: String?
  var tls = TLSFiles()

  var batch = Publisher.Queue.Limits(
    documents: 1000, bytes: 4 << 20, gathering: .milliseconds(100))
  var patience = standardPatience
  /// Where what no stream takes goes; `nil`: nowhere.
  var refusedFile: String? = "/var/lib/audispatch/nats-refused.ndjson"
  var form = DocumentForm.ecs
  var document = Self.standardDocument
  var volume = VolumeRules()
  var places = SettingPlaces()

  private static let standardPatience = Patience(
    answerTime: .seconds(10), connectTime: .seconds(2))

  /// What a server takes by default, less some room for subject and id.
  private static var standardDocument: DocumentSettings {
    var settings = DocumentSettings()
    settings.maximumSize = 1000 << 10
    return settings
  }

  static let keywords: [PluginKeyword<NatsOptions>] =
    streamKeywords + accessKeywords + batchKeywords
    + Patience.keywords(\.patience, standard: standardPatience)
    + documentKeywords + VolumeRules.keywords(\.volume)

  mutating func take(_ operands: [Word]) throws(Diagnostic) {
    command = try CommandWord.choice(operands, among: ["setup": .setUp, "test": .test])
  }

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
    [
      noting("user", "NAME", "who we are, with password_file") {
        (o: inout NatsOptions, w: Word) throws(Diagnostic) in
        guard !w.text.isEmpty else { throw w.error("a user has a name") }
        o.user = w.text
      },
      noting("password_file", "FILE", "its first line is the password of user") {
        (o: inout NatsOptions, w: Word) throws(Diagnostic) in
        o.passwordFile = try w.absolutePath(for: "password_file")
      },
      noting("token_file", "FILE", "its first line is a token") {
        (o: inout NatsOptions, w: Word) throws(Diagnostic) in
        o.tokenFile = try w.absolutePath(for: "token_file")
      },
      noting("credentials_file", "FILE", "a user's JWT and seed, as nsc writes them") {
        (o: inout NatsOptions, w: Word) throws(Diagnostic) in
        o.credentialsFile = try w.absolutePath(for: "credentials_file")
      },
    ] + TLSFiles.keywords(\.tls, noting: \.places)

  private static let batchKeywords: [PluginKeyword<NatsOptions>] =
    [
      RefusedFile.keyword(
        \.refusedFile, about: "where what no stream takes goes; none: it is dropped",
        noting: \.places)
    ]
    + BatchKeywords.all(
      \.batch, count: ("batch_messages", "messages that are under way together (1000)"),
      bytes: ("batch_bytes", "bytes of those (4M)"), waiting: "a message waits for others (0.1)")

  private static let documentKeywords: [PluginKeyword<NatsOptions>] =
    [
      .value("form", "FORM", "ecs (default), auditbeat6, laurel, go-libaudit") {
        (o: inout NatsOptions, w: Word) throws(Diagnostic) in
        o.form = try w.choice(DocumentForm.self, for: "form")
      }
    ] + DocumentSettings.keywords(\.document, largest: 32 << 20, standard: "1000K")

  /// A keyword of one value whose place is remembered.
  private static func noting(
    _ name: String, _ value: String, _ about: String,
    set: @escaping @Sendable (inout NatsOptions, Word) throws(Diagnostic) -> Void
  ) -> PluginKeyword<NatsOptions> {
    .value(name, value, about, set: set).noting(in: \.places)
  }
}
