import Testing

@testable import AuditRecord

@Suite("The frame of a record")
struct RecordHeaderTests {
  /// What ausearch of auditd 3.0.9 takes for a record: the line, and what stands behind its stamp.
  static let records: [(String, type: String, body: String)] = [
    ("type=CWD msg=audit(1.0:1): cwd=\"/\"", "CWD", "cwd=\"/\""),
    ("type=CWD msg=audit(1.0:1):  cwd=\"/\"", "CWD", " cwd=\"/\""),
    ("type=CWD msg=audit(1.0:1):cwd=\"/\"", "CWD", "cwd=\"/\""),
    ("type=CWD msg=audit(1.0:1) : cwd=\"/\"", "CWD", "cwd=\"/\""),
    ("type=EOE msg=audit(1.0:1): ", "EOE", ""),
    ("type=EOE msg=audit(1.0:1):", "EOE", ""),
    ("type=EOE msg=audit(1.0:1)", "EOE", ""),
    (
      "type=DAEMON_CONFIG msg=audit(1.0:1) config changed, auid=0", "DAEMON_CONFIG",
      "config changed, auid=0"
    ),
    (" type=CWD msg=audit(1.0:1): x=1", "CWD", "x=1"),
    ("type=CWD  msg=audit(1.0:1): x=1", "CWD", "x=1"),
    ("node=a  type=CWD msg=audit(1.0:1): x=1", "CWD", "x=1"),
    ("node= type=CWD msg=audit(1.0:1): x=1", "CWD", "x=1"),
    ("type=1307 audit(1.0:1): x=1", "1307", "x=1"),
    ("type=1307 msg=audit(1.0:4294967296): x=1", "1307", "x=1"),
  ]

  @Test(arguments: records)
  func `is found where ausearch finds it`(_ line: String, _ type: String, _ body: String) {
    let bytes = Array(line.utf8)
    let header = RecordHeader(bytes.span)
    #expect(header.map { String(decoding: bytes[$0.typeName], as: UTF8.self) } == type)
    #expect(header.map { String(decoding: bytes[$0.body...], as: UTF8.self) } == body)
  }

  @Test(arguments: [
    "----", "time->Tue Nov 14 22:13:20 2023", "host=web1 type=CWD msg=audit(1.0:1): x=1",
    "type=CWD msg=audit(11/14/23 22:13:20.011:11) : cwd=/", "type= msg=audit(1.0:1): x=1",
    "type=CWD msg=audit(1.0:1", "type=CWD", "", " ", "node=", "node=a",
    "xtype=CWD msg=audit(1.0:1): ",
  ])
  func `is not found in what is no record`(_ line: String) {
    #expect(RecordHeader(Array(line.utf8).span) == nil)
  }

  /// Today's lines are read in a way of their own: one changed byte at each place shows that the
  /// general way, which a blank in front leads to, says the same.
  @Test func `is the same with a blank in front`() {
    let line = Array("type=SYSCALL msg=audit(1615113648.981:15220): arch=c000003e a=1 b=2".utf8)
    for place in line.indices {
      for byte: UInt8 in [0x20, 0x3a, 0x3d, 0x28, 0x29, 0x2e, 0x30, 0x41, 0x00, 0xff] {
        for count in [line.count, 50, 48] {
          var changed = Array(line.prefix(count))
          guard place < count else { continue }
          changed[place] = byte
          let other = [0x20] + changed
          let one = RecordHeader(changed.span)
          let two = RecordHeader(other.span)
          #expect(one?.stamp == two?.stamp)
          #expect(one.map { $0.body + 1 } == two?.body)
          #expect(one.map { changed[$0.typeName] } == two.map { other[$0.typeName] })
          #expect(one.map { changed[$0.stampPlace] } == two.map { other[$0.stampPlace] })
        }
      }
    }
  }

  @Test func `names no node where none is named`() {
    #expect(RecordHeader(Array("node= type=CWD msg=audit(1.0:1): x".utf8).span)?.node == nil)
    #expect(RecordHeader(Array("node=a type=CWD msg=audit(1.0:1): x".utf8).span)?.node == 5..<6)
  }

  static let record = "type=CWD msg=audit(1.0:1): cwd=\"/\""

  @Test(arguments: [
    "Nov 27 14:00:00 host1 audispd[123]: ", "Nov  7 14:00:00 host1 audisp-syslog: ",
    "<13>Nov 27 14:00:00 host1 audispd[123]: ", "2026-11-27T14:00:00.123456+01:00 host1 audispd: ",
    "<134>1 2026-11-27T14:00:00.1Z host1 audisp-syslog 123 - - ",
    "<134>1 2026-11-27T14:00:00.1Z host1 audisp-syslog 123 ID [a@1 b=\"c \\\"]\"][d] ",
    "<134>1 2026-11-27T14:00:00.1Z host1 audisp-syslog - - - \u{feff}",
    "Nov 27 14:00:00 host1 kernel: [   12.345678] audit: ", "[   12.345678] audit: ",
    "Nov 27 14:00:00 host1 kernel: audit: ", "host1 audispd: ",
  ])
  func `is found behind what a system log puts before it`(_ prefix: String) {
    for record in [Self.record, "node=n \(Self.record)", "type=1307 audit(1.0:1): x=1"] {
      #expect(LogPrefix.end(Array((prefix + record).utf8).span) == prefix.utf8.count)
    }
  }

  @Test(arguments: [
    "Nov 27 14:00:00 host1 sshd[1]: Invalid user ", "host=web1 ", "x ", ": ",
    "Nov 27 14:00:00 host1 logger: x: ", "<13>", "<134>1 2026-11-27T14:00:00.1Z host1 a - ",
    "one two three four five six seven eight nine: ", "<134>1 t h a p m [a b=\"",
  ])
  func `is not found in the text of a message`(_ prefix: String) {
    #expect(LogPrefix.end(Array((prefix + Self.record).utf8).span) == nil)
  }
}

@Suite("The types of records")
struct RecordTypeTests {
  @Test func `have the kernel's names where libaudit is older`() {
    #expect(RecordType(rawValue: 1338).knownName == "DM_CTRL")
    #expect(RecordType(rawValue: 1425).knownName == "MAC_TASK_CONTEXTS")
    #expect(RecordType(rawValue: 1808).knownName == "INTEGRITY_USERSPACE")
    #expect(RecordType(rawValue: 1999).knownName == "UNKNOWN[1999]")
  }

  @Test func `are known by name and by number`() {
    for (number, name) in RecordTypeTable.names {
      #expect(RecordType(name: name)?.rawValue == number)
    }
    #expect(RecordType(name: "UNKNOWN[1327]") == .proctitle)
    #expect(RecordType(name: "1327") == .proctitle)
    #expect(RecordType(name: "FROB") == nil)
  }

  @Test func `are named as libaudit names them`() {
    for number in UInt32(1000)..<3000 {
      let type = RecordType(rawValue: number)
      guard !type.name.hasPrefix("UNKNOWN[") else { continue }
      #expect(type.knownName == type.name)
      #expect(RecordType(name: type.name) == type)
    }
  }
}
