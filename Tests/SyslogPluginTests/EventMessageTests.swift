import AuditRecord
import Foundation
import Testing

@testable import AudispatchPlugin
@testable import SyslogSending
@testable import audispatch_syslog

@Suite("A message of an event")
struct EventMessageTests {
  private func messages(_ arguments: [String]) throws -> [String] {
    let line = try CommandLineSettings(arguments, SyslogOptions.keywords)
    let options = OptionSource<SyslogOptions>(line, usually: "/nowhere/x.conf", user: 0).load().0
    var writer = MessageWriter(options, host: "here", process: 7)
    return writer.messages(of: try event(Denied.lines)).map(text)
  }

  static let header = "<14>Nov 20 23:20:03 audisp-syslog: "

  @Test func `has all records as they are`() throws {
    let expected = [Denied.syscall, Denied.execve, Denied.cwd].joined(separator: " ")
      .replacing("\u{1d}", with: " ")
    #expect(try messages(["--utc", "--messages", "events"]) == [Self.header + expected])
  }

  @Test func `has all fields as pairs, decoded`() throws {
    #expect(
      try messages(["--utc", "--messages", "events", "--body", "key_value"]) == [
        Self.header
          + "time=1763680803.855 serial=724 node=web1 key=logins type=SYSCALL arch=c000003e "
          + "syscall=59 success=no exit=-13 a0=1 pid=1985 auid=1000 uid=0 tty=pts1 ses=3 comm=mkdir "
          + "exe=/usr/bin/mkdir key=logins ARCH=x86_64 SYSCALL=execve AUID=alice UID=root "
          + #"type=EXECVE argc=2 a0=mkdir a1="a|b=\\\"\xff\n" type=CWD cwd=/home/alice"#
      ])
  }

  @Test(arguments: [["--body", "key_value"], ["--body", "key_value", "--interpret"]])
  func `has what SELinux decided in its place`(_ arguments: [String]) throws {
    let lines = [
      "type=AVC \(Denied.stamp) avc:  denied  { read write } for  pid=1 dev=\"sda1\"",
      "type=USER_AVC \(Denied.stamp) pid=1 ses=1 msg='avc:  granted  { send } for a=x'",
    ]
    for (line, expected) in zip(
      lines,
      [
        "type=AVC seresult=denied seperms=\"read,write\" pid=1 dev=sda1",
        "type=USER_AVC pid=1 ses=1 seresult=granted seperms=send a=x",
      ])
    {
      let settings = try CommandLineSettings(["--utc"] + arguments, SyslogOptions.keywords)
      let options = OptionSource<SyslogOptions>(settings, usually: "/nowhere/x.conf", user: 0)
        .load().0
      var writer = MessageWriter(options, host: "here", process: 7)
      let messages = writer.messages(of: try event([bytes(line)])).map(text)
      #expect(
        messages == [Self.header + "time=1763680803.855 serial=724 " + expected])
    }
  }

  @Test func `can be one for each record`() throws {
    let messages = try messages(["--utc", "--body", "key_value"])
    #expect(messages.count == 3)
    #expect(
      messages[2] == Self.header
        + "time=1763680803.855 serial=724 node=web1 key=logins type=CWD cwd=/home/alice")
  }

  @Test func `is interpreted with its milliseconds and its serial`() throws {
    let messages = try messages(["--utc", "interpret"])
    #expect(messages.count == 3)
    #expect(
      messages[0].hasPrefix(
        Self.header + "node=web1 type=SYSCALL msg=audit(1763680803.855:724): arch=x86_64 "
          + "syscall=execve success=no exit=\"EACCES(Permission denied)\""))
    #expect(messages[0].contains(" auid=alice uid=root "))
    #expect(messages[1].contains(#"a1="a|b=\\\""#))
  }

  @Test(arguments: ["json", "cee"])
  func `is JSON that a reader takes`(_ body: String) throws {
    let message = try #require(try messages(["--utc", "--body", body]).first)
    let start = Self.header + (body == "cee" ? "@cee: " : "")
    #expect(message.hasPrefix(start))
    let json = try JSONSerialization.jsonObject(with: Data(message.dropFirst(start.count).utf8))
    let object = try #require(json as? [String: Any])
    #expect(object["time"] as? String == "2025-11-20T23:20:03.855Z")
    #expect(object["serial"] as? Int == 724)
    #expect(object["node"] as? String == "web1")
    #expect(object["keys"] as? [String] == ["logins"])
    let records = try #require(object["records"] as? [[String: Any]])
    #expect(records.map { $0["type"] as? String } == ["SYSCALL", "EXECVE", "CWD"])
    let arguments = try #require(records[1]["fields"] as? [String: String])
    #expect(arguments == ["argc": "2", "a0": "mkdir", "a1": "a|b=\\\"\\xff\n"])
  }

  @Test(arguments: BodyForm.allCases.map(\.rawValue), ["yes", "no"])
  func `keeps to its size whatever its header holds`(_ body: String, _ data: String) throws {
    for (tag, host, node, key) in [(48, 255, 0, 50), (48, 1, 100, 50), (1, 1, 255, 250)] {
      func name(_ letter: String, _ count: Int) -> String {
        String(repeating: letter, count: count)
      }
      var writer = writer(
        "--server", "tcp://h", "--body", body, "--max-size", "480", "--tag", name("t", tag),
        "--host", name("h", host), "--structured-data=\(data)")
      // The longest names and the longest number that a record can have.
      let line =
        (node > 0 ? "node=\(name("n", node)) " : "") + "type=\(name("T", 40)) "
        + "msg=audit(1763680803.855:4294967295): arch=c000003e key=\"\(name("k", key))\""
      let messages = writer.messages(of: try event([bytes(line)]))
      #expect(messages.count == 1)
      for message in messages {
        #expect(message.count <= 480, "\(text(message))")
        guard body == "json" || body == "cee" else { continue }
        let start = try #require(message.firstIndex(of: UInt8(ascii: "{")))
        #expect(throws: Never.self) {
          try JSONSerialization.jsonObject(with: Data(message[start...]))
        }
      }
    }
  }

  @Test func `is CEF with its fields escaped`() throws {
    let message = try #require(try messages(["--utc", "--body", "cef"]).first)
    #expect(
      message.hasPrefix(
        Self.header + "CEF:0|audispatch|audispatch|0.1.0|SYSCALL|SYSCALL execve|5|"
          + "rt=1763680803855 externalId=724 dvchost=web1 cat=SYSCALL,EXECVE,CWD act=execve "
          + "outcome=failure reason=EACCES(Permission denied) suser=alice suid=1000 duser=root duid=0 "
          + "dpid=1985 dproc=/usr/bin/mkdir cs1Label=key cs1=logins cs2Label=command "
          + "cs2=mkdir a|b\\=\\\\\"\\\\xff\\n cs3Label=cwd cs3=/home/alice cs4Label=tty cs4=pts1 "
          + "cn1Label=session cn1=3 msg="))
  }

  @Test(arguments: ["cef", "leef"])
  func `has a header of valid characters in CEF and LEEF`(_ body: String) throws {
    var writer = writer("--utc", "--body", body)
    for count in 60...66 {
      let operation = String(repeating: "a", count: count) + "é€\u{1f600}é€"
      var line = bytes("type=USER_CMD \(Denied.stamp) pid=1 op=\(operation) res=success")
      let messages = writer.messages(of: try event([line]))
      #expect(!messages.isEmpty)
      #expect(messages.allSatisfy { String(validating: $0, as: UTF8.self) != nil })
      line.replaceSubrange(5..<7, with: [0xff, 0xc3])
      line += [0x20] + bytes("op=") + [0xff]
      let others = writer.messages(of: try event([line]))
      #expect(!others.isEmpty)
      #expect(others.allSatisfy { String(validating: $0, as: UTF8.self) != nil })
    }
  }

  @Test func `is LEEF with its time to the millisecond`() throws {
    let message = try #require(try messages(["--utc", "--body", "leef"]).first)
    let fields = message.dropFirst(Self.header.count).split(separator: "\t").map(String.init)
    #expect(
      Array(fields.prefix(6)) == [
        "LEEF:2.0|audispatch|audispatch|0.1.0|SYSCALL|x09|devTime=1763680803855", "sev=5",
        "cat=SYSCALL,EXECVE,CWD", "serial=724", "identHostName=web1", "action=execve",
      ])
    #expect(fields.contains("command=mkdir a|b=\\\"\\xff\\x0a"))
    #expect(!message.contains("\n"))
  }

  @Test func `is an entry of the journal`() throws {
    let entry = try #require(
      try messages(["--server", "journal", "--body", "key_value", "LOG_ALERT"]).last)
    let lines = entry.split(separator: "\n").map(String.init)
    #expect(
      lines == [
        "MESSAGE=time=1763680803.855 serial=724 node=web1 key=logins type=CWD cwd=/home/alice",
        "PRIORITY=1", "SYSLOG_FACILITY=1", "SYSLOG_IDENTIFIER=audisp-syslog",
        "AUDIT_TIME=1763680803.855", "AUDIT_SERIAL=724", "AUDIT_TYPE=CWD", "AUDIT_NODE=web1",
        "AUDIT_KEY=logins",
      ])
  }

  @Test func `gives the journal a value with a newline by its size`() {
    var entry: [UInt8] = []
    JournalEntry.append("A", bytes("one\ntwo"), to: &entry)
    #expect(entry == bytes("A\n") + [7, 0, 0, 0, 0, 0, 0, 0] + bytes("one\ntwo\n"))
  }
}
