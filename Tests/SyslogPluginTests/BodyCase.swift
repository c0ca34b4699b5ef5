import AuditRecord
import Foundation
import Testing

@testable import AudispatchPlugin
@testable import SyslogSending
@testable import audispatch_syslog

/// What the tests of bodies are made of.
enum BodyCase {
  /// What some records become, by body.
  static func message(_ arguments: [String], _ lines: [String]) throws -> String {
    let settings = try CommandLineSettings(["--utc"] + arguments, SyslogOptions.keywords)
    let options = OptionSource<SyslogOptions>(settings, usually: "/nowhere/x.conf", user: 0).load()
      .0
    var writer = MessageWriter(options, host: "here", process: 7)
    let messages = writer.messages(of: try event(lines.map(bytes)))
    return text(try #require(messages.first))
  }

  static let stamp = "msg=audit(1700000000.001:1):"
  static let call =
    "success=yes exit=0 a0=3 a1=7f items=0 ppid=1 pid=2 auid=1000 uid=0 gid=0 tty=pts0 ses=3 "
    + "comm=\"p\" exe=\"/p\" key=(null)"

}
