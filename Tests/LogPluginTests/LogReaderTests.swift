import Foundation
import Linux
import PluginHarness
import TestSupport
import Testing

/// What the audit project's own tools make of the log.
@Suite(
  "ausearch, aureport and aulast", .onThreads,
  .enabled(
    if: ["/usr/sbin/ausearch", "/usr/sbin/aureport", "/usr/bin/aulast"]
      .allSatisfy(FileManager.default.isExecutableFile), "needs Debian's auditd"))
struct LogReaderTests {
  static let login = [
    "type=USER_AUTH msg=audit(1795224000.100:101): pid=900 uid=0 auid=4294967295 ses=4294967295 "
      + "msg='op=PAM:authentication acct=\"root\" exe=\"/usr/sbin/sshd\" hostname=192.0.2.7 "
      + "addr=192.0.2.7 terminal=ssh res=success'",
    "type=LOGIN msg=audit(1795224000.200:102): pid=900 uid=0 old-auid=4294967295 auid=0 "
      + "tty=(none) old-ses=4294967295 ses=3 res=1",
    "type=USER_START msg=audit(1795224000.300:103): pid=900 uid=0 auid=0 ses=3 "
      + "msg='op=PAM:session_open acct=\"root\" exe=\"/usr/sbin/sshd\" hostname=192.0.2.7 "
      + "addr=192.0.2.7 terminal=ssh res=success'",
    "type=USER_LOGIN msg=audit(1795224000.400:104): pid=900 uid=0 auid=0 ses=3 "
      + "msg='op=login id=0 exe=\"/usr/sbin/sshd\" hostname=192.0.2.7 addr=192.0.2.7 "
      + "terminal=/dev/pts/0 res=success'",
    "type=USER_END msg=audit(1795224600.500:105): pid=900 uid=0 auid=0 ses=3 "
      + "msg='op=PAM:session_close acct=\"root\" exe=\"/usr/sbin/sshd\" hostname=192.0.2.7 "
      + "addr=192.0.2.7 terminal=ssh res=success'",
    "type=USER_LOGOUT msg=audit(1795224600.600:106): pid=900 uid=0 auid=0 ses=3 "
      + "msg='op=login id=0 exe=\"/usr/sbin/sshd\" hostname=192.0.2.7 addr=192.0.2.7 "
      + "terminal=/dev/pts/0 res=success'",
  ]

  @Test(arguments: [["--raw"], ["--format", "csv"], ["-i"]])
  func `find in one file what they find in what auditd gave`(_ form: [String]) throws {
    let run = try LogPluginTests.run()
    try run.write(LogPluginTests.corpus)
    run.close()
    #expect(run.end() == .exit(0))
    let ours = try CommandRun(["/usr/sbin/ausearch", "-if", "\(run.folder)/log/audit.log"] + form)
    try run.put(String(decoding: LogPluginTests.corpus, as: UTF8.self), in: "given")
    let given = try CommandRun(["/usr/sbin/ausearch", "-if", "\(run.folder)/given"] + form)
    #expect(ours.end == .exit(0), "\(ours.error)")
    #expect(ours.output.utf8.count > 50_000)
    let expected = given.output.split(separator: "\n").filter { !$0.contains("type=EOE ") }
    #expect(ours.output.split(separator: "\n") == expected)
  }

  @Test func `report on rotated files as on one`() throws {
    let whole = try LogPluginTests.run()
    let parts = try LogPluginTests.run(
      "--max-log-file", "64K", "--max-log-file-action", "keep_logs")
    for run in [whole, parts] {
      try run.write(LogPluginTests.corpus)
      run.close()
      #expect(run.end() == .exit(0))
    }
    for report in [["--summary"], ["-x", "--summary"], ["-f"], ["-e", "--summary"]] {
      let one = try CommandRun(
        ["/usr/sbin/aureport", "-if", "\(whole.folder)/log/audit.log"] + report)
      let many = try CommandRun(["/usr/sbin/aureport", "-if", "\(parts.folder)/log"] + report)
      #expect(one.end == .exit(0), "\(one.error)")
      #expect(one.output.utf8.count > 200)
      #expect(many.output == one.output)
    }
  }

  @Test func `see who was logged in`() throws {
    let run = try LogPluginTests.run()
    try run.send(Self.login)
    run.close()
    #expect(run.end() == .exit(0))
    let last = try CommandRun("/usr/bin/aulast", "-f", "\(run.folder)/log/audit.log")
    let line = try #require(last.output.split(separator: "\n").first)
    #expect(line.hasPrefix("root     pts/0        192.0.2.7 ") && line.hasSuffix("(00:10)"))
  }
}
