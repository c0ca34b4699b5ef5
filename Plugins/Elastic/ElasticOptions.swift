import AudispatchPlugin
import BulkIndexing
import Configuration
import EventDocument
import HTTPClient
import Linux

/// What `audispatch-elastic` was asked for.
struct ElasticOptions: PluginOptions, Equatable {
  /// What it does, beside running as a plugin.
  enum Command: Equatable, Sendable {
    case setUp
    case test
  }

  struct Credentials: Equatable, Sendable {
    var user: String?
    var passwordFile: String?
    var keyFile: String?
    var tokenFile: String?
    /// The value of `Authorization`, from those.
    var header: String?
  }

  var command: Command?
  var servers: [ServerURL] = []
  var target = BulkTarget.dataStream
  var name = "logs-audispatch-default"
  var operation = BulkBody.Operation.create
  var pipeline: String?
  var credentials = Credentials()
  var headers: [String] = []
  var authorities: String?
  var certificate: String?
  var key: String?
  var proxy: String?
  var withoutProxy: String?
  var compression = 1

  var workers = 1
  var batch = BulkQueue<DeliveryToken>.Limits(
    documents: 1600, bytes: 5 << 20, gathering: .seconds(1))
  var answerTime = Duration.seconds(90)
  var connectTime = Duration.seconds(10)
  var delay = RetryDelay(shortest: .seconds(1), longest: .seconds(60))
  /// Where what no index takes goes; `nil`: nowhere.
  var refusedFile: String? = "/var/lib/audispatch/elastic-refused.ndjson"

  var form = DocumentForm.ecs
  var document = DocumentSettings()
  var volume = VolumeRules()
  var places = SettingPlaces()

  static let keywords: [PluginKeyword<ElasticOptions>] =
    targetKeywords + accessKeywords + sendingKeywords + documentKeywords
    + VolumeRules.keywords(\.volume)

  mutating func take(_ operands: [Word]) throws(Diagnostic) {
    let commands = ["setup": Command.setUp, "test": Command.test]
    guard let command = commands[operands[0].text] else {
      throw operands[0].error(
        "unexpected argument",
        suggestion: Suggestion.near(operands[0].text, among: commands.keys.sorted())
          ?? "see --help")
    }
    guard operands.count == 1 else { throw operands[1].error("unexpected argument") }
    self.command = command
  }

  var http: HTTPSettings {
    var settings = HTTPSettings(agent: "audispatch-elastic/\(Release.version)")
    settings.authorities = authorities
    settings.certificate = certificate
    settings.key = key
    settings.proxy = proxy
    settings.withoutProxy = withoutProxy
    settings.connectTime = connectTime
    settings.headers =
      headers + (credentials.header.map { ["Authorization: \($0)"] } ?? [])
    return settings
  }
}

extension ElasticOptions {
  private static let targetKeywords: [PluginKeyword<ElasticOptions>] = [
    .value(
      "server", "URL", "where to; more than one are asked in turn", letter: "s", repeats: true
    ) { (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      o.servers.append(try ServerURL(w))
      o.places["server"] = w
    },
    noting("data_stream", "NAME", "what documents are added to (logs-audispatch-default)") {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      o.name = try indexName(w, for: "data_stream")
      o.target = .dataStream
    },
    noting("index", "NAME", "an index, an alias or Logsene's token, and no data stream") {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      o.name = try indexName(w, for: "index")
      o.target = .index
    },
    noting("operation", "WORD", "create (default) or index: what becomes of an id that is there") {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      o.operation = try w.choice(BulkBody.Operation.self, for: "operation")
    },
    noting("pipeline", "NAME", "an ingest pipeline that documents go through") {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      o.pipeline = try indexName(w, for: "pipeline")
    },
    noting("refused_file", "FILE", "where what no index takes goes; none: it is dropped") {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      o.refusedFile =
        w.text.lowercased() == "none" ? nil : try w.absolutePath(for: "refused_file")
    },
  ]

  private static let accessKeywords: [PluginKeyword<ElasticOptions>] = [
    noting("user", "NAME", "who we are, with password_file") {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      guard !w.text.isEmpty, !w.text.contains(":") else { throw w.error("a user has no colon") }
      o.credentials.user = w.text
    },
    path("password_file", "its first line is the password of user", \.credentials.passwordFile),
    path("api_key_file", "its first line is an API key: ID:KEY, or encoded", \.credentials.keyFile),
    path("token_file", "its first line is a bearer token", \.credentials.tokenFile),
    .value("header", "TEXT", "a line that goes with every request", repeats: true) {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      guard w.text.contains(": "), w.text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else {
        throw w.error("a header is NAME: VALUE in visible ASCII")
      }
      o.headers.append(w.text)
    },
    path("tls_ca", "whose signature a server's certificate needs", \.authorities),
    path("tls_cert", "our own certificate, for servers that ask", \.certificate),
    path("tls_key", "the private key of our certificate", \.key),
    noting("proxy", "URL", "through which proxy") {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      o.proxy = try ServerURL(w, schemes: ["http", "https", "socks5", "socks5h"]).text
    },
    noting("no_proxy", "HOSTS", "hosts that are reached without it, with commas") {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in o.withoutProxy = w.text
    },
  ]

  private static let sendingKeywords: [PluginKeyword<ElasticOptions>] = [
    .value("compression", "LEVEL", "of what is sent: 0 (none) to 9 (1)") {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      o.compression = try w.number(in: 0...9, for: "compression")
    },
    .value("bulk_documents", "COUNT", "documents of a request (1600)") {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      o.batch.documents = try w.number(in: 1...10_000, for: "bulk_documents")
    },
    .value("bulk_bytes", "SIZE", "bytes of a request, before compression (5M)") {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      o.batch.bytes = try w.byteCount(in: 4096...64 << 20, for: "bulk_bytes")
    },
    .value("flush_interval", "SECONDS", "a document waits for others (1)") {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      o.batch.gathering = try w.seconds(in: .zero...(.seconds(60)), for: "flush_interval")
    },
    .value("workers", "COUNT", "requests under way together (1)") {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      o.workers = try w.number(in: 1...16, for: "workers")
    },
    .value("answer_time", "SECONDS", "a request may take (90)") {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      o.answerTime = try w.seconds(in: .milliseconds(100)...(.seconds(3600)), for: "answer_time")
    },
    .value("connect_time", "SECONDS", "a connection may take (10)") {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      o.connectTime = try w.seconds(in: .milliseconds(100)...(.seconds(300)), for: "connect_time")
    },
    .value("retry_time", "SECONDS", "until a first new attempt (1)") {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      o.delay.shortest = try w.seconds(in: .milliseconds(10)...(.seconds(600)), for: "retry_time")
    },
    .value("retry_time_max", "SECONDS", "between attempts at last (60)") {
      (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
      o.delay.longest = try w.seconds(
        in: .milliseconds(10)...(.seconds(3600)), for: "retry_time_max")
    },
  ]

  private static let documentKeywords: [PluginKeyword<ElasticOptions>] =
    [
      noting("form", "FORM", "ecs (default), auditbeat6, laurel, go-libaudit") {
        (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
        o.form = try w.choice(DocumentForm.self, for: "form")
      }
    ] + DocumentSettings.keywords(\.document, largest: 32 << 20)

  /// A keyword of one value whose place is remembered.
  private static func noting(
    _ name: String, _ value: String, _ about: String,
    set: @escaping @Sendable (inout ElasticOptions, Word) throws(Diagnostic) -> Void
  ) -> PluginKeyword<ElasticOptions> {
    .value(name, value, about, set: set).noting(in: \.places)
  }

  private static func path(
    _ name: String, _ about: String,
    _ place: any WritableKeyPath<ElasticOptions, String?> & Sendable
  ) -> PluginKeyword<ElasticOptions> {
    noting(name, "FILE", about) { (options: inout ElasticOptions, word: Word) throws(Diagnostic) in
      options[keyPath: place] = try word.absolutePath(for: name)
    }
  }

  /// What Elasticsearch takes as a name.
  private static func indexName(_ word: Word, for keyword: String) throws(Diagnostic) -> String {
    let name = word.text
    let isClean = name.utf8.allSatisfy { byte in
      byte > 0x20 && byte < 0x7f && !"\\/*?\"<>|,#:%".utf8.contains(byte)
    }
    guard isClean, (1...255).contains(name.utf8.count), !"-_+.".contains(name.first ?? "-") else {
      throw word.error(
        "\(keyword) is a name of letters, digits, '-', '_' and '.', and begins with one of the first"
      )
    }
    guard name == name.lowercased() else {
      throw word.error(
        "\(keyword) has no capital letters", suggestion: "did you mean '\(name.lowercased())'?")
    }
    return name
  }
}

/// Where a server is: `https://host:9200/prefix`.
struct ServerURL: Equatable, Sendable {
  /// Without a slash at its end.
  let text: String

  init(_ word: Word, schemes: [String] = ["https", "http"]) throws(Diagnostic) {
    var text = word.text[...]
    while text.hasSuffix("/") { text = text.dropLast() }
    guard let mark = text.firstRange(of: "://") else {
      throw word.error("not a URL", suggestion: "write https://\(word.text)")
    }
    guard schemes.contains(String(text[..<mark.lowerBound])) else {
      throw word.error("a URL begins with \(schemes.map { $0 + "://" }.joined(separator: " or "))")
    }
    let rest = text[mark.upperBound...]
    guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
      !rest.contains(where: { "?#".contains($0) })
    else { throw word.error("a URL has no spaces, no '?' and no '#' here") }
    guard !rest.contains("@") else {
      throw word.error(
        "who we are does not belong into a URL", suggestion: "set user and password_file")
    }
    guard HostAndPort(String(rest.prefix { $0 != "/" })) != nil else {
      throw word.error("the URL names no host")
    }
    self.text = String(text)
  }
}
