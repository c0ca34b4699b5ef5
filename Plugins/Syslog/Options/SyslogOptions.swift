import AudispatchPlugin
import Configuration
import Linux
import SecureChannel

/// What `audispatch-syslog` was asked for. What depends on other choices is `nil` until `settle`.
struct SyslogOptions: PluginOptions, Equatable {
  enum Unit: String, CaseIterable, Sendable {
    case records
    case events
  }

  enum Format: String, CaseIterable, Sendable {
    case rfc3164
    case rfc5424
  }

  enum Framing: String, CaseIterable, Sendable {
    /// `LENGTH SP MESSAGE`, RFC 6587 3.4.1.
    case octetCounting = "octet_counting"
    /// A newline behind each message, RFC 6587 3.4.2.
    case lines
  }

  struct TLS: Equatable, Sendable {
    var authorities: String?
    var certificate: String?
    var key: String?
    var name: String?

    /// What a server is shown, and asked for.
    func certificates(for host: String) -> TLSIdentity.Certificates {
      TLSIdentity.Certificates(
        authorities: authorities, certificate: certificate, key: key, revoked: nil,
        name: name ?? host)
    }
  }

  /// Where what `settle` may object to stands; no part of what is asked for.
  struct Places: Equatable, Sendable {
    var words = SettingPlaces()
    /// Those of `servers`.
    var servers: [Word] = []

    static func == (_: Places, _: Places) -> Bool { true }
  }

  var priority = SyslogPriority()
  var interpret = false
  /// In the order in which they are tried; this host's `/dev/log` without any.
  var servers: [ServerAddress] = []
  var unit: Unit?
  var body = BodyForm.text
  /// What is taken out of arguments; events are sent each for itself.
  var volume = VolumeRules()
  /// Whether it is taken out of records too that are sent as they are.
  var redactsVerbatim = false
  /// Between the attributes of LEEF.
  var delimiter = LEEFBody.tab
  var format: Format?
  var framing = Framing.octetCounting
  /// Bytes of a message, header and all.
  var maximumSize: Int?
  var tag: String?
  var host: String?
  var utc = false
  var ends: Bool?
  var structuredData = true
  /// That of the examples in RFC 5612: the project has none.
  var enterprise = 32473
  /// Messages that may be on their way to the server and not acknowledged.
  var window = 1000
  var timeout = Duration.seconds(30)
  var retryDelay = Duration.milliseconds(500)
  var retryDelayMaximum = Duration.seconds(30)
  var tls = TLS()
  var places = Places()

  static let keywords: [PluginKeyword<SyslogOptions>] =
    messageKeywords + redactionKeywords + serverKeywords

  private static let messageKeywords: [PluginKeyword<SyslogOptions>] = [
    .value("level", "LEVEL", "info (default), or another of syslog(3)") {
      (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      try options.priority.takeLevel(word)
    },
    .value("facility", "NAME", "user (default), authpriv, daemon, audit, local0 …") {
      (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      try options.priority.takeFacility(word)
    },
    .flag("interpret", "names of users, calls, errors in the place of numbers") {
      $0.interpret = $1
    },
    .value("messages", "UNIT", "a message for each of the records or events") {
      (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      options.unit = try word.choice(Unit.self, for: "messages")
    }.noting(in: \.places.words),
    .choice("body", "FORM", "text, key_value, json, cee, cef or leef", \.body),
    .value("leef_delimiter", "CHARACTER", "between the attributes of LEEF: tab (default) or ^") {
      (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      options.delimiter = try Self.delimiter(word)
    }.noting(in: \.places.words),
    .value("format", "RFC", "the header: rfc3164 or rfc5424") {
      (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      options.format = try word.choice(Format.self, for: "format")
    },
    .value("max_size", "SIZE", "the longest message; longer ones are cut, with a mark") {
      (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      options.maximumSize = try word.byteCount(in: 480...(128 << 10), for: "max_size")
    }.noting(in: \.places.words),
    .value("tag", "NAME", "the program's name in the header") {
      (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      options.tag = try Self.token(word, limit: 48)
    },
    .value("host", "NAME", "this host's name in the header") {
      (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      options.host = try Self.token(word, limit: 255)
    },
    .flag("utc", "times of RFC 3164 in UTC and not in local time") { $0.utc = $1 },
    .flag("eoe", "whether records that only end an event are sent") { $0.ends = $1 },
    .flag("structured_data", "with RFC 5424: serial, node, type and key (default)") {
      $0.structuredData = $1
    },
    .number(
      "enterprise_number", "NUMBER", "the number in the structured data's name", \.enterprise,
      1...4_294_967_295),
  ]

  private static let redactionKeywords: [PluginKeyword<SyslogOptions>] =
    (VolumeRules.redactionKeywords(\.volume) + [
      .flag("redact_verbatim", "out of records too that are sent as they are (no)") {
        $0.redactsVerbatim = $1
        if $1 { $0.volume.redacts = true }
      }
    ]).map { $0.noting(in: \.places.words) }

  private static let serverKeywords: [PluginKeyword<SyslogOptions>] = [
    .value(
      "server", "WHERE", "local, journal, or udp, tcp, tls, relp ://HOST[:PORT]", letter: "s",
      repeats: true
    ) { (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      options.servers.append(try ServerAddress(word))
      options.places.servers.append(word)
    },
    .choice("framing", "HOW", "over tcp: octet_counting or lines", \.framing)
      .noting(in: \.places.words),
    .number(
      "window", "MESSAGES", "messages on their way that are not acknowledged", \.window,
      1...100_000),
    .seconds(
      "timeout", "how long a server may not answer", \.timeout,
      .milliseconds(100)...(.seconds(3600))),
    .seconds("retry_delay", "between attempts to connect, at first", \.retryDelay, pauses),
    .seconds(
      "retry_delay_max", "between attempts to connect, at last", \.retryDelayMaximum, pauses),
    .value("tls_ca", "FILE", "whose signature a server's certificate needs") {
      (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      options.tls.authorities = try word.absolutePath(for: "tls_ca")
    }.noting(in: \.places.words),
    .value("tls_cert", "FILE", "our own certificate, for servers that ask") {
      (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      options.tls.certificate = try word.absolutePath(for: "tls_cert")
    }.noting(in: \.places.words),
    .value("tls_key", "FILE", "the private key of our certificate") {
      (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      options.tls.key = try word.absolutePath(for: "tls_key")
    }.noting(in: \.places.words),
    .value("tls_name", "NAME", "the name in the server's certificate, if not HOST") {
      (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      options.tls.name = try Self.token(word, limit: 253)
    }.noting(in: \.places.words),
  ]

  private static let pauses = Duration.milliseconds(10)...(.seconds(3600))

  /// What no name, number or escape of LEEF holds.
  private static func delimiter(_ word: Word) throws(Diagnostic) -> UInt8 {
    if word.text == "tab" { return LEEFBody.tab }
    guard let byte = word.text.utf8.first, word.text.utf8.count == 1,
      "^~!#$%&*+;<>?@`{}".utf8.contains(byte)
    else {
      throw word.error("a delimiter is tab or one of ^ ~ ! # $ % & * + ; < > ? @ ` { }")
    }
    return byte
  }

  private static func token(_ word: Word, limit: Int) throws(Diagnostic) -> String {
    let isToken = word.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    guard !word.text.isEmpty, word.text.utf8.count <= limit, isToken else {
      throw word.error("a name is visible ASCII without spaces, at most \(limit) bytes")
    }
    return word.text
  }

  /// audisp-syslog's and builtin_syslog's: levels, facilities and `interpret`, in any order.
  mutating func take(_ operands: [Word]) throws(Diagnostic) {
    for word in operands {
      if word.text.lowercased() == "interpret" {
        interpret = true
      } else {
        try priority.take(word)
      }
    }
  }
}
