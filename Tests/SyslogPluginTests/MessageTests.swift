import AuditRecord
import Foundation
import Testing

@testable import AudispatchPlugin
@testable import audispatch_syslog

@Suite("A message of a record")
struct RecordMessageTests {
  static let plain = Denied.cwd
  static let headers: [([String], String)] = [
    (["--utc"], "<14>Nov 20 23:20:03 audisp-syslog: "),
    (["--utc", "LOG_WARNING", "LOG_LOCAL3"], "<156>Nov 20 23:20:03 audispd: "),
    (["--utc", "--tag", "mine"], "<14>Nov 20 23:20:03 mine: "),
    (
      ["--utc", "--format", "rfc3164", "--server", "udp://h"],
      "<14>Nov 20 23:20:03 web1 audisp-syslog: "
    ),
    (
      ["--format", "rfc5424"],
      "<14>1 2025-11-20T23:20:03.855Z web1 audisp-syslog 7 CWD "
        + "[audit@32473 node=\"web1\" type=\"CWD\" time=\"1763680803.855\" serial=\"724\"] "
    ),
    (
      ["--server", "tcp://h", "--structured-data=no"],
      "<14>1 2025-11-20T23:20:03.855Z web1 audisp-syslog 7 CWD - "
    ),
    (
      ["--server", "relp://h", "--enterprise-number", "9", "LOG_AUDIT"],
      "<110>1 2025-11-20T23:20:03.855Z web1 audispd 7 CWD "
        + "[audit@9 node=\"web1\" type=\"CWD\" time=\"1763680803.855\" serial=\"724\"] "
    ),
  ]

  private func message(_ arguments: [String], _ line: String) throws -> String {
    let batch = try batch([bytes(line)])
    var writer = writer(arguments)
    return text(writer.message(of: batch.records[0], in: batch.bytes))
  }

  private func writer(_ arguments: [String]) -> MessageWriter {
    let line = try? CommandLineSettings(arguments, SyslogOptions.keywords)
    var options = SyslogOptions()
    if let line {
      options = OptionSource<SyslogOptions>(line, usually: "/nowhere/x.conf", user: 0).load().0
    }
    return MessageWriter(options, host: "here", process: 7)
  }

  @Test(arguments: headers.indices)
  func `has its header in front of the record as it is`(_ index: Int) throws {
    let (arguments, header) = Self.headers[index]
    #expect(try message(arguments, Self.plain) == header + Self.plain)
  }

  @Test func `names this host when the record names none`() throws {
    let line = "type=CWD \(Denied.stamp) cwd=\"/\""
    #expect(
      try message(["--server", "tcp://h", "--structured-data=no"], line)
        == "<14>1 2025-11-20T23:20:03.855Z here audisp-syslog 7 CWD - " + line)
  }

  @Test func `has the rule's key, and a space for auditd's separator`() throws {
    let message = try message(["--format", "rfc5424"], Denied.syscall)
    #expect(message.contains("serial=\"724\" key=\"logins\"] node=web1 type=SYSCALL"))
    #expect(message.hasSuffix(Denied.syscall.replacing("\u{1d}", with: " ")))
  }

  @Test func `keeps to its size whatever node and keys it has`() throws {
    let key = String(repeating: "6B", count: 2000) + String(repeating: "016C", count: 50)
    let node = String(repeating: "n", count: 300)
    let line = "node=\(node) type=SYSCALL \(Denied.stamp) arch=c000003e key=\(key)"
    for size in [480, 700, 8096] {
      let message = try message(
        [
          "--server", "tcp://h", "--max-size", "\(size)", "--tag",
          String(repeating: "t", count: 48),
        ],
        line)
      #expect(message.utf8.count <= size)
    }
  }

  @Test(arguments: ["rfc5424", "rfc3164"], [[], ["--messages", "events"], ["interpret"]])
  func `has its serial whatever node it has`(_ format: String, _ further: [String]) throws {
    for (node, size) in [64, 128, 250, 255].flatMap({ node in
      [480, 540, 600, 700, 2048].map { (node, $0) }
    }) {
      let start = "node=\(String(repeating: "n", count: node)) type=SYSCALL \(Denied.stamp)"
      let line = "\(start) arch=c000003e syscall=2 a0=\(String(repeating: "a", count: 4000))"
      var writer = writer(
        ["--server", "tcp://h", "--format", format, "--max-size", "\(size)"] + further
          + ["--tag", String(repeating: "t", count: 48)])
      for message in writer.messages(of: try event([bytes(line), bytes(line)])).map(text) {
        #expect(message.utf8.count <= size)
        #expect(message.contains("msg=audit(1763680803.855:724)"), "\(message)")
      }
    }
  }

  @Test(arguments: [
    ("key=6C6F67696E7301726F6F74", ["logins", "root"]), ("key=(null)", []),
    ("key=\"a]b\"", ["a]b"]),
    ("a0=1", []),
  ])
  func `finds the keys without the event`(_ field: String, _ keys: [String]) throws {
    let line = bytes("type=SYSCALL \(Denied.stamp) arch=c000003e \(field)")
    let batch = try batch([line])
    #expect(RecordKeys.keys(of: batch.records[0], in: batch.bytes).map(text) == keys)
  }

  @Test(arguments: 480...600)
  func `is cut to its size with a mark, and never inside a character`(_ size: Int) throws {
    let line = "type=CWD \(Denied.stamp) cwd=\"\(String(repeating: "äß€", count: 300))\""
    let message = try message(["--max-size", "\(size)", "--format", "rfc5424"], line)
    #expect(message.utf8.count <= size && message.utf8.count > size - 8)
    #expect(!message.contains("\u{fffd}"))
    let mark = try #require(message.firstMatch(of: #/…\[\+(\d+) bytes\]$/#))
    let kept = message.utf8.count - mark.0.utf8.count
    let header = try #require(message.range(of: "type=CWD msg")).lowerBound
    let headerCount = message.utf8.distance(from: message.startIndex, to: header)
    #expect(kept - headerCount + (Int(mark.1) ?? 0) == line.utf8.count)
  }
}

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

  static let repeated: [([String], [String])] = [
    (["uid", "uid", "uid"], ["uid", "uid_2", "uid_3"]),
    (["uid", "uid_2", "uid"], ["uid", "uid_2", "uid_3"]),
    (["uid", "uid", "uid_2", "uid"], ["uid", "uid_2", "uid_2_2", "uid_3"]),
  ]

  @Test(arguments: repeated)
  func `gives no name twice in JSON`(_ names: [String], _ expected: [String]) {
    let fields = names.map { EventContent.Field(name: bytes($0), value: [0x31]) }
    let content = EventContent(
      milliseconds: 0, serial: 1,
      records: [EventContent.Record(type: bytes("USER"), fields: fields)])
    let body = text(JSONBody.write(content, limit: 8096))
    let pairs = expected.map { "\"\($0)\":\"1\"" }.joined(separator: ",")
    #expect(body.contains("\"fields\":{\(pairs)}"), "\(body)")
  }

  @Test func `gives no name twice in JSON where names are cut`() {
    let names = ["a", "b"].map { String(repeating: "n", count: 3000) + $0 }
    let fields = names.map { EventContent.Field(name: bytes($0), value: [0x31]) }
    let content = EventContent(
      milliseconds: 0, serial: 1,
      records: [EventContent.Record(type: bytes("USER"), fields: fields)])
    let body = text(JSONBody.write(content, limit: 480))
    let cut = String(repeating: "n", count: 128) + "…[+2873 bytes]"
    #expect(body.contains("\"\(cut)\":\"1\",\"\(cut)_2\":\"1\""), "\(body)")
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

  @Test(arguments: Array(stride(from: 480, through: 2000, by: 37)))
  func `stays JSON and names its event when it is cut`(_ size: Int) throws {
    let long =
      "type=EXECVE \(Denied.stamp) argc=90 "
      + (0..<90).map { "a\($0)=\"\(String(repeating: "x", count: $0 * 3))\"" }.joined(
        separator: " ")
    let event = try event([bytes(Denied.syscall), bytes("node=web1 " + long)])
    let body = JSONBody.write(
      EventContent(event, event.records, event.ruleKeys(), nil), limit: size)
    #expect(body.count <= size)
    let json = try JSONSerialization.jsonObject(with: Data(body))
    #expect((json as? [String: Any])?["serial"] as? Int == 724)
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

@Suite("Times of messages")
struct MessageTimeTests {
  static let times: [(UInt64, String, String)] = [
    (0, "Jan  1 00:00:00", "1970-01-01T00:00:00.000Z"),
    (951_782_399_999, "Feb 28 23:59:59", "2000-02-28T23:59:59.999Z"),
    (951_782_400_001, "Feb 29 00:00:00", "2000-02-29T00:00:00.001Z"),
    (1_763_680_803_855, "Nov 20 23:20:03", "2025-11-20T23:20:03.855Z"),
    (253_402_300_799_999, "Dec 31 23:59:59", "9999-12-31T23:59:59.999Z"),
    (.max, "Dec 31 23:59:59", "9999-12-31T23:59:59.999Z"),
  ]

  @Test(arguments: times.indices)
  func `are written as both RFCs have them`(_ index: Int) {
    let (milliseconds, short, long) = Self.times[index]
    var time = MessageTime(.utc)
    var (first, second): ([UInt8], [UInt8]) = ([], [])
    time.appendShort(milliseconds / 1000, to: &first)
    time.appendLong(milliseconds, to: &second)
    #expect(text(first) == short)
    #expect(text(second) == long)
  }

  @Test func `are those of every day that Foundation knows`() {
    let format = ISO8601DateFormatter()
    format.formatOptions.insert(.withFractionalSeconds)
    var time = MessageTime(.utc)
    for day in stride(from: 0, to: 40_000, by: 7) {
      let milliseconds = UInt64(day) * 86_400_000 + UInt64(day) * 997
      var written: [UInt8] = []
      time.appendLong(milliseconds, to: &written)
      let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
      #expect(text(written) == format.string(from: date))
    }
  }
}
