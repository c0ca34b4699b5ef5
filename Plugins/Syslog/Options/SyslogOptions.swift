import AudispatchPlugin
import Configuration
import SyslogSending

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

  var priority = SyslogPriority()
  var interpret = false
  /// This host's `/dev/log` without any.
  var servers = SyslogServers()
  var unit: Unit?
  var body = BodyForm.text
  /// What is taken out of arguments; events are sent each for itself.
  var volume = VolumeRules()
  /// Whether it is taken out of records too that are sent as they are.
  var redactsVerbatim = false
  /// Between the attributes of LEEF.
  var delimiter = LEEFBody.tab
  var format: Format?
  /// Bytes of a message, header and all.
  var maximumSize: Int?
  var tag: String?
  var host: String?
  var utc = false
  var ends: Bool?
  var structuredData = true
  /// That of the examples in RFC 5612: the project has none.
  var enterprise = 32473
  /// Where what `settle` may object to stands.
  var places = SettingPlaces()

  static let keywords: [PluginKeyword<SyslogOptions>] =
    messageKeywords + redactionKeywords + SyslogServers.keywords(\.servers)

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
    }.noting(in: \.places),
    .choice("body", "FORM", "text, key_value, json, cee, cef or leef", \.body),
    .value("leef_delimiter", "CHARACTER", "between the attributes of LEEF: tab (default) or ^") {
      (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      options.delimiter = try Self.delimiter(word)
    }.noting(in: \.places),
    .value("format", "RFC", "the header: rfc3164 or rfc5424") {
      (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      options.format = try word.choice(Format.self, for: "format")
    },
    .value("max_size", "SIZE", "the longest message; longer ones are cut, with a mark") {
      (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      options.maximumSize = try word.byteCount(in: 480...(128 << 10), for: "max_size")
    }.noting(in: \.places),
    .value("tag", "NAME", "the program's name in the header") {
      (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      options.tag = try MessageHeader.name(word, limit: 48)
    },
    .value("host", "NAME", "this host's name in the header") {
      (options: inout SyslogOptions, word: Word) throws(Diagnostic) in
      options.host = try MessageHeader.name(word, limit: 255)
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
    ]).map { $0.noting(in: \.places) }

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
