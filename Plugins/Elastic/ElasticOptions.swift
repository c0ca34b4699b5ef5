import AudispatchPlugin
import BulkIndexing
import Configuration
import EventDocument
import HTTPClient
import HTTPShipping
import Linux
import Shipping

/// What `audispatch-elastic` was asked for.
struct ElasticOptions: NotingOptions, Equatable {
  /// What it does, beside running as a plugin.
  enum Command: Equatable, Sendable {
    case setUp
    case test
    /// Makes our files of an auditbeat.yml: into a folder, or standard output.
    case importing(String, into: String?)
  }

  var command: Command?
  var servers: [ServerURL] = []
  var target = BulkTarget.dataStream
  var name = "logs-audispatch-default"
  var operation = BulkBody.Operation.create
  var pipeline: String?
  var access = HTTPAccess()
  var compression = 1

  var workers = 1
  var batch = BulkQueue<DeliveryToken>.Limits(
    documents: 1600, bytes: 5 << 20, gathering: .seconds(1))
  var patience = standardPatience
  /// An index for what no other takes.
  var refusedIndex: String?
  /// Where what no index takes goes.
  var refused = RefusedFile(path: "/var/lib/audispatch/elastic-refused.ndjson")

  var form = DocumentForm.ecs
  var document = DocumentSettings()
  var volume = VolumeRules()
  var processes = ProcessSettings()
  var places = SettingPlaces()

  private static let standardPatience = Patience(answerTime: .seconds(90))

  static let keywords: [PluginKeyword<ElasticOptions>] =
    targetKeywords
    + HTTPAccess.keywords(
      \.access, credentials: \.access.credentials, tls: \.access.tls, hasKeys: true)
    + sendingKeywords + Patience.keywords(\.patience, standard: standardPatience)
    + documentKeywords
    + ProcessSettings.keywords(\.processes) + VolumeRules.keywords(\.volume)

  mutating func take(_ operands: [Word]) throws(Diagnostic) {
    if operands[0].text == "import" {
      guard operands.count > 1 else {
        throw operands[0].error(
          "import needs a file", suggestion: "write import /etc/auditbeat/auditbeat.yml")
      }
      guard operands.count < 4 else { throw operands[3].error("unexpected argument") }
      command = .importing(
        operands[1].text, into: operands.count > 2 ? operands[2].text : nil)
      return
    }
    command = try CommandWord.choice(operands, among: ["setup": .setUp, "test": .test])
  }

  /// What is to be known of processes.
  var processRequest: ProcessRequest {
    ProcessRequest(processes, form, host: document.options.host, volume)
  }

  var http: HTTPSettings {
    access.http(
      agent: "audispatch-elastic/\(Release.version)", connectTime: patience.connectTime)
  }
}

extension ElasticOptions {
  private static let targetKeywords: [PluginKeyword<ElasticOptions>] =
    [
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
      noting("operation", "WORD", "create (default) or index: what becomes of an id that is there")
      {
        (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
        o.operation = try w.choice(BulkBody.Operation.self, for: "operation")
      },
      noting("pipeline", "NAME", "an ingest pipeline that documents go through") {
        (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
        o.pipeline = try cleanName(w, for: "pipeline")
      },
      noting("refused_index", "NAME", "an index or a data stream for what the other does not take")
      {
        (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
        o.refusedIndex = try indexName(w, for: "refused_index")
      },
    ]
    + RefusedFile.keywords(
      \.refused, about: "where what no index takes goes; none: it is dropped", noting: \.places)

  private static let sendingKeywords: [PluginKeyword<ElasticOptions>] =
    [
      .value("compression", "LEVEL", "of what is sent: 0 (none) to 9 (1)") {
        (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
        o.compression = try w.number(in: 0...9, for: "compression")
      },
      .value("workers", "COUNT", "requests under way together (1)") {
        (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
        o.workers = try w.number(in: 1...16, for: "workers")
      },
    ]
    + BatchKeywords.all(
      \.batch, count: ("bulk_documents", "documents of a request (1600)"),
      bytes: ("bulk_bytes", "bytes of a request, before compression (5M)"),
      waiting: "a document waits for others (1)")

  private static let documentKeywords: [PluginKeyword<ElasticOptions>] =
    [
      noting("form", "FORM", "ecs (default), auditbeat6, laurel, go-libaudit") {
        (o: inout ElasticOptions, w: Word) throws(Diagnostic) in
        o.form = try w.choice(DocumentForm.self, for: "form")
      }
    ] + DocumentSettings.keywords(\.document, largest: 32 << 20)

  /// What Elasticsearch takes as a name.
  private static func indexName(_ word: Word, for keyword: String) throws(Diagnostic) -> String {
    let name = try cleanName(word, for: keyword)
    guard name == name.lowercased() else {
      throw word.error(
        "\(keyword) has no capital letters", suggestion: "did you mean '\(name.lowercased())'?")
    }
    return name
  }

  private static func cleanName(_ word: Word, for keyword: String) throws(Diagnostic) -> String {
    let name = word.text
    let isClean = name.utf8.allSatisfy { byte in
      byte > 0x20 && byte < 0x7f && !"\\/*?\"<>|,#:%".utf8.contains(byte)
    }
    guard isClean, (1...255).contains(name.utf8.count), !"-_+.".contains(name.first ?? "-") else {
      throw word.error(
        "\(keyword) is a name of letters, digits, '-', '_' and '.', and begins with one of the first"
      )
    }
    return name
  }
}
