import AudispatchPlugin
import Configuration
import Glibc
import SyslogSending

/// What `audispatch-integrity` was asked for.
struct IntegrityOptions: PluginOptions, Equatable {
  enum Format: String, CaseIterable { case text, json }

  var database = "/var/lib/audispatch/integrity/baseline.db"
  var policy = Policy()
  var workers = 0
  /// Bytes and files a second; 0: no limit.
  var byteRate = 0
  var fileRate = 0
  var largestFile = 64 << 30
  var format = Format.text
  var reason: String?
  var restarts = false
  /// Where the plugin writes its events; standard output without it.
  var events: String?
  /// Whether each of them is a record of the kernel's audit too.
  var auditRecords = false
  /// Seconds from the beginning of a scan of everything to that of the next.
  var scanEvery: Int64 = 24 * 3600
  /// Whether the plugin loads the kernel's rules that it needs, and looks after them.
  var loadsRules = false
  /// Whether it proves that it sees; how often, and by which login uid.
  var canary = false
  var canaryEvery: Int64 = 300
  var canaryLogin: UInt32 = 64_997
  /// Whether what dpkg changed is told as one event; below which folder its packages are.
  var explainsUpdates = true
  var packageRoot = "/"
  /// The key that signs the changes of the baseline; and for `verify`, whose signatures count, and
  /// a head that is known from elsewhere.
  var signingKey: String?
  var publicKey: [UInt8]?
  var head: String?
  /// Where `report` writes a page; on the terminal without it.
  var html: String?
  /// Seconds of a maintenance window.
  var windowLasts: Int64 = 3600
  /// The servers that events are sent to beside, and in whose name.
  var syslog = SyslogServers(prefix: "syslog_")
  var syslogFacility = SyslogPriority()
  /// Recorded logs that say who did it, and of which node.
  var auditLogs: [String] = []
  var auditNode: String?
  /// The keys of rules that tell of everybody who changes what is watched: ours among them.
  var auditKeys: Set<[UInt8]> = [Array(Self.ownKey.utf8)]
  /// The command and what it is about.
  var words: [Word] = []
  private var sets: [String: AttributeSet] = [:]
  private var patterns: [Word] = []

  /// The key of the rules that this program makes.
  static let ownKey = "audispatch-integrity"

  init() { syslogFacility.facility = .authpriv }

  static let keywords =
    ownKeywords + SyslogServers.keywords(\.syslog, prefix: "syslog_") as [PluginKeyword<Self>]

  private static let ownKeywords: [PluginKeyword<IntegrityOptions>] = [
    .value("database", "FILE", "the baseline") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.database = try w.absolutePath(for: "database")
    },
    PluginKeyword("attributes", "NAME LIST", "a name for a set of attributes", repeats: true) {
      (o: inout IntegrityOptions, setting: Setting) throws(Diagnostic) in
      try o.define(setting)
    },
    PluginKeyword(
      "watch", "PATH [ATTRIBUTES] [severity=LEVEL]", "a path and all below it", repeats: true
    ) { (o: inout IntegrityOptions, setting: Setting) throws(Diagnostic) in
      try o.watch(setting, isRecursive: true)
    },
    PluginKeyword(
      "watch_entry", "PATH [ATTRIBUTES] [severity=LEVEL]", "a path and nothing below it",
      repeats: true
    ) { (o: inout IntegrityOptions, setting: Setting) throws(Diagnostic) in
      try o.watch(setting, isRecursive: false)
    },
    .value("ignore", "PATH", "a path and all below it that is not watched", repeats: true) {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.add(
        PolicyRule(
          pattern: try PathPattern(w), effect: .ignore, isRecursive: true, place: w.place), w)
    },
    .value("workers", "COUNT", "threads that read files; 0: one for each processor") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.workers = try w.number(in: 0...256, for: "workers")
    },
    .value("scan_rate", "BYTES", "how much a scan reads in a second at most; 0: no limit") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.byteRate = w.text == "0" ? 0 : try w.byteCount(in: 4096...1 << 40, for: "scan_rate")
    },
    .value("scan_files", "COUNT", "how many files a scan looks at in a second at most; 0: no limit")
    { (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.fileRate = try w.number(in: 0...1_000_000_000, for: "scan_files")
    },
    .value("max_file_size", "BYTES", "larger files are not hashed, which is said") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.largestFile = try w.byteCount(in: 0...1 << 60, for: "max_file_size")
    },
    .value("format", "FORM", "of reports: text, json") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.format = try w.choice(Format.self, for: "format")
    },
    .value("reason", "TEXT", "why a change is accepted; with update and accept") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      guard w.position.line == 0 else {
        throw w.error("a reason is given on the command line, each time anew")
      }
      o.reason = w.text
    },
    .value("events", "FILE", "where the plugin writes its events, not to standard output") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.events = try w.absolutePath(for: "events")
    },
    .flag("audit_records", "each event is also a record of the kernel's audit") {
      $0.auditRecords = $1
    },
    .value("scan_every", "SECONDS", "how often the plugin scans everything") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.scanEvery = Int64(try w.number(in: 60...31_536_000, for: "scan_every"))
    },
    .flag("load_rules", "the plugin loads the audit rules that it needs") { $0.loadsRules = $1 },
    .flag("canary", "the plugin proves that it sees what is done") { $0.canary = $1 },
    .value("canary_every", "SECONDS", "how often it does") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.canaryEvery = Int64(try w.number(in: 15...86_400, for: "canary_every"))
    },
    .value("canary_login", "UID", "a login uid that nobody has, for that") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.canaryLogin = UInt32(try w.number(in: 1...4_294_967_294, for: "canary_login"))
    },
    .flag("explain_updates", "what dpkg's database explains is one event") {
      $0.explainsUpdates = $1
    },
    .value("package_root", "FOLDER", "where packages are installed; otherwise /") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.packageRoot = try w.absolutePath(for: "package_root")
    },
    .value("signing_key", "FILE", "the Ed25519 key that signs changes of the baseline") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.signingKey = try w.absolutePath(for: "signing_key")
    },
    .value("public_key", "DIGITS", "whose signatures count, with verify: 64 hexadecimal digits") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.publicKey = try w.digest(for: "public_key")
    },
    .value("head", "DIGITS", "a head known from elsewhere, with verify: 64 hexadecimal digits") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      guard w.position.line == 0 else {
        throw w.error("a head is given on the command line: here whoever alters it would write it")
      }
      o.head = FileState.hex(try w.digest(for: "head"))
    },
    .value("html", "FILE", "where report writes a page of HTML") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.html = try w.absolutePath(for: "html")
    },
    .value("audit_log", "FILE", "a log that says who did it, also gzipped", repeats: true) {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.auditLogs.append(try w.absolutePath(for: "audit_log"))
    },
    .value("audit_key", "KEY", "of your rules that tell of all who change it", repeats: true) {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.auditKeys.insert(Array(w.text.utf8))
    },
    .value("audit_node", "NAME", "the node whose records of a log count") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      o.auditNode = w.text
    },
    .value("syslog_facility", "NAME", "authpriv (default), user, daemon, audit, local0 …") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      try o.syslogFacility.takeFacility(w)
    },
    .value("for", "SECONDS", "how long a maintenance window lasts, with begin (3600)") {
      (o: inout IntegrityOptions, w: Word) throws(Diagnostic) in
      guard w.position.line == 0 else {
        throw w.error("a window is begun on the command line, each time anew")
      }
      o.windowLasts = Int64(try w.number(in: 1...Int(MaintenanceWindow.longest), for: "for"))
    },
    .flag("restart", "begin an interrupted init anew") { $0.restarts = $1 },
  ]

  mutating func take(_ operands: [Word]) throws(Diagnostic) { words = operands }

  private mutating func define(_ setting: Setting) throws(Diagnostic) {
    var words = setting.values
    if words.count == 1 {
      // One argument of a command line.
      words = words[0].text.split(separator: " ").map { part in
        var word = words[0]
        word.text = String(part)
        return word
      }
    }
    guard words.count == 2 else {
      throw setting.keyword.error(
        "attributes has a name and a list: 'attributes = conf full-ctime'")
    }
    guard AttributeSet.isFree(words[0].text) else {
      throw words[0].error("not a free name for a set")
    }
    sets[words[0].text] = try AttributeSet(words[1], defined: sets)
  }

  private mutating func watch(
    _ setting: Setting, isRecursive: Bool
  ) throws(Diagnostic) {
    let pattern = try PathPattern(setting.values[0])
    var attributes: AttributeSet?
    var severity = Severity.medium
    for word in setting.values.dropFirst() {
      if word.text.hasPrefix("severity=") {
        var level = word
        level.text = String(word.text.dropFirst(9))
        severity = try level.choice(Severity.self, for: "severity")
      } else if attributes == nil {
        attributes = try AttributeSet(word, defined: sets)
      } else {
        throw word.error("one set of attributes is enough: join them with '+'")
      }
    }
    let word = setting.values[0]
    add(
      PolicyRule(
        pattern: pattern, effect: .watch(attributes ?? .full, severity), isRecursive: isRecursive,
        place: word.place), word)
  }

  private mutating func add(_ rule: PolicyRule, _ word: Word) {
    policy.rules.append(rule)
    patterns.append(word)
  }

  mutating func settle() -> [Diagnostic] {
    // A command says itself what it lacks.
    let isPlugin = unsafe getenv("AUDISPATCH_PLUGIN") != nil && words.isEmpty
    var diagnostics = isPlugin ? pluginObjections : []
    if !syslog.addresses.isEmpty { diagnostics += syslog.settle() }
    if workers == 0 { workers = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
    for (index, rule) in policy.rules.enumerated() where !rule.watches {
      let hidesNothing = !policy.rules[..<index].contains {
        $0.watches && rule.pattern.mayMeet($0.pattern)
      }
      if hidesNothing {
        diagnostics.append(
          patterns[index].warning(
            "no rule before this one watches anything there",
            suggestion: "the last rule that names a path decides: write exceptions behind"))
      }
    }
    if canary {
      // Its folder changes all the time, and what is in it is gone before it is looked at: that is
      // watched like anything else.
      for root in policy.roots {
        policy.rules.append(
          PolicyRule(
            pattern: PathPattern(literal: root.appending(CanarySteps.folder)),
            effect: .watch([.type, .mode, .user, .group, .accessControl], .high),
            isRecursive: false, place: "canary"))
      }
    }
    return diagnostics
  }
}

extension Word {
  /// 32 bytes, as hexadecimal digits.
  fileprivate func digest(for keyword: String) throws(Diagnostic) -> [UInt8] {
    guard let bytes = Hex.decode(anyCase: text.utf8), bytes.count == 32 else {
      throw error("\(keyword) is 64 hexadecimal digits")
    }
    return bytes
  }

  /// `FILE:LINE`.
  fileprivate var place: String { position.line > 0 ? "\(file):\(position.line)" : file }
}
