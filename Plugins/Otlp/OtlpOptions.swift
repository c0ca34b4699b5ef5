import AudispatchPlugin
import BulkIndexing
import Configuration
import EventDocument
import HTTPClient
import HTTPShipping
import Linux
import Shipping

/// What `audispatch-otlp` was asked for.
struct OtlpOptions: NotingOptions, Equatable {
  /// What it does, beside running as a plugin.
  enum Command: Equatable, Sendable { case test }

  /// What the body of a log record is.
  enum Body: String, CaseIterable, Sendable {
    /// The event's document, as a value with members.
    case document
    /// The same as a text.
    case text
  }

  var command: Command?
  var servers: [ServerURL] = []
  var access = HTTPAccess()
  var encoding = OtlpEncoding.protobuf
  var compression = 1
  var batch = Exporter.Queue.Limits(documents: 1000, bytes: 3 << 20, gathering: .seconds(1))
  var patience = standardPatience
  var body = Body.document
  var form = DocumentForm.ecs
  var document = DocumentSettings()
  var volume = VolumeRules()
  var processes = ProcessSettings()
  var places = SettingPlaces()

  private static let standardPatience = Patience(answerTime: .seconds(30))

  static let keywords: [PluginKeyword<OtlpOptions>] =
    sendingKeywords
    + HTTPAccess.keywords(
      \.access, credentials: \.access.credentials, tls: \.access.tls, hasKeys: false)
    + batchKeywords + Patience.keywords(\.patience, standard: standardPatience)
    + documentKeywords + ProcessSettings.keywords(\.processes) + VolumeRules.keywords(\.volume)

  mutating func take(_ operands: [Word]) throws(Diagnostic) {
    command = try CommandWord.choice(operands, among: ["test": .test])
  }

  func conflicts(without wrong: Set<String>) -> [Diagnostic] { access.conflicts(places) }

  mutating func settle() -> [Diagnostic] {
    patience.settle()
    var found = conflicts(without: [])
    if servers.isEmpty {
      found.append(
        places.problem(
          "server", "no server is named", suggestion: "set server = https://HOST:4318"))
    }
    found += access.problems(servers, places)
    if !found.contains(where: { $0.severity == .error }) {
      found += access.takeCredentials(places)
    }
    return found
  }
}

extension OtlpOptions {
  /// What is to be known of processes.
  var processRequest: ProcessRequest {
    ProcessRequest(processes, form, host: document.options.host, volume)
  }

  var http: HTTPSettings {
    access.http(agent: "audispatch-otlp/\(Release.version)", connectTime: patience.connectTime)
  }

  /// A request with records that are encoded already.
  func request(
    _ encoding: OtlpEncoding, _ groups: [ResourceGroup], on server: Int
  ) -> HTTPRequest {
    let url = servers[server].text
    var request = HTTPRequest(
      .post, url.hasSuffix(Self.path) ? url : url + Self.path,
      headers: ["Content-Type: \(encoding.mediaType)", "Accept: \(encoding.mediaType)"],
      body: encoding.request(groups), time: patience.answerTime)
    request.compression = compression
    return request
  }

  /// Where collectors take logs (OTLP specification, "OTLP/HTTP Request").
  private static let path = "/v1/logs"

  private static let sendingKeywords: [PluginKeyword<OtlpOptions>] = [
    .value(
      "server", "URL", "the collector, https://HOST:4318; more than one are asked in turn",
      letter: "s", repeats: true
    ) { (o: inout OtlpOptions, w: Word) throws(Diagnostic) in
      o.servers.append(try ServerURL(w))
      o.places["server"] = w
    },
    .value("encoding", "WORD", "protobuf (default) or json") {
      (o: inout OtlpOptions, w: Word) throws(Diagnostic) in
      o.encoding = try w.choice(OtlpEncoding.self, for: "encoding")
    },
  ]

  private static let batchKeywords: [PluginKeyword<OtlpOptions>] =
    [
      .value("compression", "LEVEL", "of what is sent: 0 (none) to 9 (1)") {
        (o: inout OtlpOptions, w: Word) throws(Diagnostic) in
        o.compression = try w.number(in: 0...9, for: "compression")
      }
    ]
    + BatchKeywords.all(
      \.batch, count: ("batch_events", "events of a request (1000)"),
      bytes: ("batch_bytes", "bytes of a request, before compression (3M)"),
      waiting: "an event waits for others (1)")

  private static let documentKeywords: [PluginKeyword<OtlpOptions>] =
    [
      .value("body", "WORD", "document (default) or text: the event as a value, or as JSON text") {
        (o: inout OtlpOptions, w: Word) throws(Diagnostic) in
        o.body = try w.choice(Body.self, for: "body")
      },
      .value("form", "FORM", "ecs (default), auditbeat6, laurel, go-libaudit") {
        (o: inout OtlpOptions, w: Word) throws(Diagnostic) in
        o.form = try w.choice(DocumentForm.self, for: "form")
      },
    ] + DocumentSettings.keywords(\.document, largest: 32 << 20)
}
