import Configuration
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import AudispatchPlugin
@testable import audispatch_log

@Suite("audispatch-log's configuration", .onThreads)
struct LogOptionsTests {
  /// What arguments make of the options, and what is said about them.
  static func load(_ arguments: [String]) throws -> (LogOptions, [String]) {
    let line = try CommandLineSettings(arguments, LogOptions.keywords)
    let (options, diagnostics) = OptionSource<LogOptions>(
      line, usually: "/nowhere/log.conf", user: 0
    ).load()
    return (options, diagnostics.map(\.description))
  }

  static let accepted: [([String], @Sendable (inout LogOptions) -> Void)] = [
    (["/tmp/a.log"], { $0.file = "/tmp/a.log" }),
    (["--log-file", "/tmp/a.log"], { $0.file = "/tmp/a.log" }),
    (["--flush", "DATA"], { $0.flush = .data }),
    (["--flush=incremental", "--freq=7"], { ($0.flush, $0.frequency) = (.incremental, 7) }),
    (["--max-log-file", "3"], { $0.maximumSize = 3 << 20 }),
    (["--max-log-file", "64K"], { $0.maximumSize = 64 << 10 }),
    (["--max-log-file-action", "keep_logs"], { $0.sizeAction = .keepLogs }),
    (["--num-logs", "9"], { $0.fileCount = 9 }),
    (["--max-log-age", "1d"], { $0.maximumAge = 86400 }),
    (["--max-log-age", "90"], { $0.maximumAge = 90 }),
    (["--compress", "gzip"], { $0.compresses = true }),
    (["--log-group", "0"], { $0.group = 0 }),
    (
      ["--space-left=20%", "--admin-space-left=10%"],
      {
        ($0.spaceLeft, $0.adminSpaceLeft) = (.percent(20), .percent(10))
      }
    ),
    (["--disk-full-action", "ROTATE"], { $0.fullAction = .rotate }),
    (["--disk-error-action", "exec /bin/true"], { $0.errorAction = .execute("/bin/true") }),
    (["--halt-exe", "/bin/echo stop"], { $0.haltCommand = ["/bin/echo", "stop"] }),
  ]

  @Test(arguments: accepted.indices)
  func `takes auditd's words`(_ index: Int) throws {
    let (arguments, change) = Self.accepted[index]
    var expected = LogOptions()
    change(&expected)
    let (options, messages) = try Self.load(arguments)
    #expect(options == expected)
    #expect(messages == [])
  }

  static let refused: [([String], String)] = [
    (["a.log"], "argument 1: error: log_file is an absolute path ('a.log')"),
    (["/a", "/b"], "argument 2: error: more than one file ('/b')"),
    (["/"], "argument 1: error: not a file ('/')"),
    (["/tmp"], "argument 1: error: /tmp is a directory, not a file ('/tmp')"),
    (
      ["--flush", "datas"],
      "argument 1: error: flush is one of none, incremental, incremental_async, data, sync "
        + "('datas'); did you mean 'data'?"
    ),
    (
      ["--freq", "0"],
      "argument 1: error: flush = incremental_async needs a freq of at least 1 ('0')"
    ),
    (
      ["--max-log-file", "0"],
      "argument 1: error: max_log_file is a number of MiB, or a size from 4K to 1T ('0'); "
        + "write it as 8 (MiB), 512K, 8M or 1G"
    ),
    (
      ["--max-log-file", "8MB"],
      "argument 1: error: max_log_file is a number of MiB, or a size from 4K to 1T ('8MB'); "
        + "did you mean '8M'?"
    ),
    (
      ["--space-left", "1G"],
      "argument 1: error: space_left is a number of MiB, or 1% to 99% of the file system ('1G'); "
        + "did you mean '1024'?"
    ),
    (
      ["--max-log-file-action", "halt"],
      "argument 1: error: max_log_file_action is one of ignore, syslog, suspend, rotate, keep_logs "
        + "('halt')"
    ),
    (
      ["--disk-error-action", "rotate"],
      "argument 1: error: disk_error_action is one of ignore, syslog, exec, suspend, single, halt "
        + "('rotate')"
    ),
    (
      ["--disk-full-action", "exec"],
      "argument 1: error: exec is followed by the absolute path of a program ('exec')"
    ),
    (
      ["--disk-full-action", "exec /bin/true now"],
      "argument 1: error: the program of exec gets no arguments ('exec /bin/true now')"
    ),
    (
      ["--disk-full-action", "exec /nowhere/p"],
      "argument 1: error: cannot examine /nowhere/p: No such file or directory ('exec /nowhere/p')"
    ),
    (
      ["--admin-space-left", "75"],
      "argument 1: error: admin_space_left must be less than space_left ('75')"
    ),
    (
      ["--max-log-age", "1y"],
      "argument 1: error: max_log_age is a time: 3600, 90m, 12h, 1d, 2w ('1y')"
    ),
    (
      ["--log-group", "no-such-group"],
      "argument 1: error: there is no such group in /etc/group ('no-such-group'); a group from "
        + "elsewhere is given as a number"
    ),
    (["--num-logs", "1000"], "argument 1: error: num_logs is a number from 0 to 999 ('1000')"),
    (
      ["--num-logs", "1"],
      "argument 1: warning: with num_logs = 1 nothing is rotated, and the log grows ('1')"
    ),
    (["--action-mail-acct", "-oQ/tmp"], "argument 1: error: not an address ('-oQ/tmp')"),
  ]

  @Test(arguments: refused.indices)
  func `says what is wrong`(_ index: Int) throws {
    let (arguments, message) = Self.refused[index]
    #expect(try Self.load(arguments).1 == [message])
  }

  @Test func `is checked whole with --check`() throws {
    let run = try PluginRun("audispatch-log", ["--config", "DIR/log.conf", "--check"])
    _ = run.end()
    try run.put(
      """
      log_file = /tmp/audit.log
      flush = sometimes
      num_logs = many
      max_log_size = 8
      disk_full_action = exec /bin/true
      """, in: "log.conf")
    let check = try CommandRun(
      "\(PluginRun.products)/audispatch-log", "--config", "\(run.folder)/log.conf", "--check")
    #expect(check.end == .exit(2))
    #expect(
      check.output.replacing(run.folder, with: "DIR") == """
        DIR/log.conf:2:9: error: flush is one of none, incremental, incremental_async, data, sync \
        ('sometimes')
        DIR/log.conf:3:12: error: num_logs is a number from 0 to 999 ('many')
        DIR/log.conf:4:1: error: unknown keyword ('max_log_size'); did you mean 'max_log_file'?
        3 errors, 0 warnings

        """)
  }

  static let halfRight: [([String], [String])] = [
    (
      ["--freq=0", "--num-logs=1", "--space-left=60", "--admin-space-left=60", "--compress=maybe"],
      [
        "argument 5: error: compress is one of no, gzip ('maybe')",
        "argument 1: error: flush = incremental_async needs a freq of at least 1 ('0')",
        "argument 4: error: admin_space_left must be less than space_left ('60')",
        "argument 2: warning: with num_logs = 1 nothing is rotated, and the log grows ('1')",
      ]
    ),
    // What it would not fit together with is not known.
    (
      ["--admin-space-left=80", "--space-left=much", "--freq=0", "--flush=data"],
      ["argument 2: error: space_left is a number of MiB, or 1% to 99% of the file system ('much')"]
    ),
    (
      ["--freq=0", "--flush=sometimes"],
      [
        "argument 2: error: flush is one of none, incremental, incremental_async, data, sync "
          + "('sometimes')"
      ]
    ),
  ]

  @Test(arguments: halfRight.indices)
  func `says too what does not fit together`(_ index: Int) throws {
    let (arguments, messages) = Self.halfRight[index]
    #expect(try Self.load(arguments).1 == messages)
  }

  /// The example with its comments, and with every comment that is a setting as one.
  @Test(arguments: [false, true])
  func `has an example that says nothing but the defaults`(_ isUncommented: Bool) throws {
    let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
    let bytes = try Transfer.contents(
      of: "\(root)/Documentation/examples/log.conf", limit: 1 << 20)
    var text = String(decoding: bytes, as: UTF8.self)
    if isUncommented {
      text = text.split(separator: "\n").map { line in
        line.hasPrefix("#") && !line.hasPrefix("# ") ? String(line.dropFirst()) : String(line)
      }.joined(separator: "\n")
    }
    let settings = ConfigurationText(Array(text.utf8), file: "log.conf").settings
    #expect(settings.count == (isUncommented ? LogOptions.keywords.count : 0))
    let (options, messages) = try Self.load(
      settings.map {
        "--\($0.keyword.text.replacing("_", with: "-"))="
          + $0.values.map(\.text).joined(separator: " ")
      })
    #expect(options == LogOptions())
    #expect(messages == [])
  }
}
