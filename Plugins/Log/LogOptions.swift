import AudispatchPlugin
import Configuration

/// What `audispatch-log` was asked for, in the words of auditd.conf where that has one.
struct LogOptions: PluginOptions, Equatable {
  var file = "/var/log/audispatch/audit.log"
  /// Who may read it beside root.
  var group: UInt32 = 0
  var flush = FlushMode.incrementalAsync
  /// Records between two synchronisations.
  var frequency = 50
  /// In bytes.
  var maximumSize = 8 << 20
  var sizeAction = LogAction.rotate
  /// With the one that is written.
  var fileCount = 5
  /// In seconds; 0: however old.
  var maximumAge = 0
  var compresses = false
  /// Rotated files that stay as they are.
  var uncompressed = 1
  var spaceLeft = SpaceLimit.megabytes(75)
  var spaceAction = LogAction.syslog
  var adminSpaceLeft = SpaceLimit.megabytes(50)
  var adminSpaceAction = LogAction.suspend
  var fullAction = LogAction.suspend
  var errorAction = LogAction.suspend
  var mailAccount = "root"
  /// What `single` and `halt` execute.
  var singleCommand = ["/sbin/init", "1"]
  var haltCommand = ["/sbin/init", "0"]
  /// Where each stands that `settle` has something to say about.
  var places = SettingPlaces()

  static let keywords: [PluginKeyword<LogOptions>] = [
    .value("log_file", "FILE", "the log", letter: "f", standard: LogOptions().file) {
      (o: inout LogOptions, w: Word) throws(Diagnostic) in try o.setFile(w)
    },
    .value("log_group", "GROUP", "who may read it beside root") {
      (o: inout LogOptions, w: Word) throws(Diagnostic) in o.group = try w.group()
    },
    .choice("flush", "MODE", "none, incremental, incremental_async, data, sync", \.flush),
    .number("freq", "RECORDS", "how many between two synchronisations", \.frequency, 0...1_000_000)
      .noting(in: \.places),
    .value("max_log_file", "MIB", "how large the log may become", standard: "8") {
      (o: inout LogOptions, w: Word) throws(Diagnostic) in
      o.maximumSize = try w.mebibytes(in: 4096...1 << 40, for: "max_log_file")
    },
    action("max_log_file_action", "what then", LogAction.forSize) { $0.sizeAction = $1 },
    .number(
      "num_logs", "COUNT", "how many files are kept when they are rotated", \.fileCount, 0...999
    ).noting(in: \.places),
    .value("max_log_age", "TIME", "rotate a log that is so old: 3600, 12h, 1d, 2w") {
      (o: inout LogOptions, w: Word) throws(Diagnostic) in o.maximumAge = try Self.age(w)
    },
    .value("compress", "HOW", "no or gzip, for rotated files", standard: "no") {
      (o: inout LogOptions, w: Word) throws(Diagnostic) in
      o.compresses = try w.choice(Compression.Format.self, for: "compress") == .gzip
    }.noting(in: \.places),
    .number(
      "uncompressed", "COUNT", "rotated files that stay as they are", \.uncompressed, 0...999),
    .value("space_left", "MIB", "free space that is little, in MiB or %", standard: "75") {
      (o: inout LogOptions, w: Word) throws(Diagnostic) in
      o.spaceLeft = try SpaceLimit(w, for: "space_left")
    },
    action("space_left_action", "what then", LogAction.forSpace) { $0.spaceAction = $1 },
    .value(
      "admin_space_left", "MIB", "free space that is left to the administrator", standard: "50"
    ) { (o: inout LogOptions, w: Word) throws(Diagnostic) in
      o.adminSpaceLeft = try SpaceLimit(w, for: "admin_space_left")
    }.noting(in: \.places),
    action("admin_space_left_action", "what then", LogAction.forSpace) { $0.adminSpaceAction = $1 },
    action("disk_full_action", "what when there is none", LogAction.forFull) { $0.fullAction = $1 },
    action("disk_error_action", "what when it fails", LogAction.forError) { $0.errorAction = $1 },
    .value("action_mail_acct", "ADDRESS", "who gets the mail of the action email", standard: "root")
    {
      (o: inout LogOptions, w: Word) throws(Diagnostic) in
      guard !w.text.isEmpty, !w.text.hasPrefix("-"), !w.text.contains(where: \.isWhitespace) else {
        throw w.error("not an address")
      }
      o.mailAccount = w.text
    },
    command("single_exe", "what the action single executes") { $0.singleCommand = $1 },
    command("halt_exe", "what the action halt executes") { $0.haltCommand = $1 },
  ]

  /// `audispatch-log FILE` is `audispatch-log --log-file FILE`.
  mutating func take(_ operands: [Word]) throws(Diagnostic) {
    if operands.count > 1 { throw operands[1].error("more than one file") }
    try setFile(operands[0])
  }

  private mutating func setFile(_ word: Word) throws(Diagnostic) {
    file = try word.absolutePath(for: "log_file")
    guard file.utf8.count > 1 else { throw word.error("not a file") }
    places["log_file"] = word
  }

  private static func action(
    _ name: String, _ about: String, _ known: [String],
    _ set: @escaping @Sendable (inout LogOptions, LogAction) -> Void
  ) -> PluginKeyword<LogOptions> {
    PluginKeyword(name, "ACTION", about) {
      (o: inout LogOptions, setting: Setting) throws(Diagnostic) in
      set(&o, try LogAction(setting, among: known))
    }.noting(in: \.places)
  }

  private static func command(
    _ name: String, _ about: String, _ set: @escaping @Sendable (inout LogOptions, [String]) -> Void
  ) -> PluginKeyword<LogOptions> {
    PluginKeyword(name, "COMMAND", about) {
      (o: inout LogOptions, setting: Setting) throws(Diagnostic) in
      var words = setting.values.map(\.text)
      if words.count == 1 { words = words[0].split(separator: " ").map(String.init) }
      guard let first = words.first, first.hasPrefix("/") else {
        throw setting.values[0].error("\(name) begins with an absolute path")
      }
      set(&o, words)
    }
  }

  /// Seconds, or minutes, hours, days, weeks with their letter.
  private static func age(_ word: Word) throws(Diagnostic) -> Int {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800]
    let unit = word.text.last.flatMap { units[$0] }
    guard let count = Int(unit == nil ? word.text : String(word.text.dropLast())),
      (0...1_000_000_000).contains(count)
    else { throw word.error("max_log_age is a time: 3600, 90m, 12h, 1d, 2w") }
    return count * (unit ?? 1)
  }
}
