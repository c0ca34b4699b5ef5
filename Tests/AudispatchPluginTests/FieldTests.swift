import AuditRecord
import Testing

@testable import AudispatchPlugin

@Suite("The fields of a record")
struct FieldTests {
  /// A body, and its fields as `section name=value`.
  static let bodies: [(String, [String])] = [
    ("a=1 b=\"x y\" c=", ["record a=1", "record b=x y", "record c="]),
    ("  a=1   b=2 ", ["record a=1", "record b=2"]),
    (
      "hostname=?, addr=?, res=success",
      ["record hostname=?", "record addr=?", "record res=success"]
    ),
    ("login pid=1 uid=0 old auid=5", ["record pid=1", "record uid=0", "record auid=5"]),
    ("=x a=1 b==2", ["record a=1", "record b==2"]),
    ("a=\"open b=2", ["record a=\"open", "record b=2"]),
    ("a='in quotes' b=2", ["record a=in quotes", "record b=2"]),
    ("avc:  denied  { read } for  pid=1", ["record pid=1"]),
    (
      "uid=0 msg='op=adding user acct=\"bob\" exe=\"/x\" res=success'\u{1d}UID=\"root\"",
      [
        "record uid=0", "message op=adding user", "message acct=bob", "message exe=/x",
        "message res=success", "enrichment UID=root",
      ]
    ),
    (
      "msg='text=it's fine exe=/x' z=1", ["message text=it's fine", "message exe=/x", "record z=1"]
    ),
    ("msg='text=open", ["message text=open"]),
    ("msg='", []),
    ("msg=''", []),
    ("msg='a=1'", ["message a=1"]),
    (
      "x=2 saddr=0200\u{1d}SADDR={ fam=inet lport=9 } X=1",
      [
        "record x=2", "record saddr=0200", "enrichment SADDR=fam=inet lport=9", "enrichment X=1",
      ]
    ),
    (
      "arch=c000003e key=(null)\u{1d}ARCH=x86_64",
      ["record arch=c000003e", "record key=(null)", "enrichment ARCH=x86_64"]
    ),
    ("a=\"x\u{1d}A=\"y\"", ["record a=\"x", "enrichment A=y"]),
    (
      "subj==/usr/sbin/ntpd (enforce) key=\"net\"",
      ["record subj==/usr/sbin/ntpd (enforce)", "record key=net"]
    ),
    (
      "msg='PAM: x acct=root : exe=\"/x\" (hostname=a, addr=?, terminal=ssh res=failed)'",
      [
        "message acct=root", "message exe=/x", "message hostname=a", "message addr=?",
        "message terminal=ssh", "message res=failed",
      ]
    ),
    ("msg='uid=48: exe=\"/bin/login\"'", ["message uid=48", "message exe=/bin/login"]),
    ("msg='addr=fe80:: x=(null)'", ["message addr=fe80::", "message x=(null)"]),
    (
      "msg='text=it is a=b \"quoted\" res=1 exe=\"/x\" res=success'",
      ["message text=it is a=b \"quoted\" res=1", "message exe=/x", "message res=success"]
    ),
    (
      "msg='text=\"a b\" exe=\"/x\"'", ["message text=a b", "message exe=/x"]
    ),
    ("", []), ("=", []), ("a", []), ("a=", ["record a="]), (" = = ", []),
  ]

  @Test(arguments: bodies)
  func `are walked from left to right`(_ body: String, _ expected: [String]) {
    let event = self.event("type=USER msg=audit(1.000:1): " + body)
    let fields = event.fields(of: event.records[0]).map { field in
      let name = String(decoding: event.bytes[field.name], as: UTF8.self)
      return "\(field.section) \(name)=\(String(decoding: event.bytes[field.value], as: UTF8.self))"
    }
    #expect(fields == expected)
  }

  /// A body, and its words without a field as `=words`.
  static let worded: [(String, [String])] = [
    (
      "auditd normal halt, sending auid=0 subj= res=success",
      [
        "=auditd normal halt, sending", "auid=0", "subj=", "res=success",
      ]
    ),
    (
      "login pid=1 uid=0 old auid=5 new auid=6",
      [
        "=login", "pid=1", "uid=0", "=old", "auid=5", "=new", "auid=6",
      ]
    ),
    (
      "user pid=1 msg='PAM: authentication acct=\"root\" : exe=\"/x\"'",
      [
        "=user", "pid=1", "=PAM: authentication", "acct=root", "exe=/x",
      ]
    ),
    ("a=\"b\" (c d) e, : . f=1", ["a=b", "=(c d) e", "f=1"]),
    ("a=1 end", ["a=1", "=end"]), ("only", ["=only"]), ("", []), (" : ", []),
    ("uid=0 \u{1d}UID=\"root\"", ["uid=0", "UID=root"]),
  ]

  @Test(arguments: worded)
  func `are walked with the words between them`(_ body: String, _ expected: [String]) {
    let event = self.event("type=USER msg=audit(1.000:1): " + body)
    let record = event.records[0]
    var scanner = FieldScanner(body: record.body, end: record.line.upperBound, words: true)
    var found: [String] = []
    while let field = scanner.next(event.bytes.span) {
      let (name, value) = (event.bytes[field.name], event.bytes[field.value])
      found.append(
        "\(String(decoding: name, as: UTF8.self))=\(String(decoding: value, as: UTF8.self))")
    }
    #expect(found == expected)
  }

  static let values: [(String, String, String?)] = [
    ("comm=\"id\"", "comm", "id"),
    ("comm=6120620A", "comm", "a b\n"),
    ("comm=\"6162\"", "comm", "6162"),
    ("comm=616", "comm", "616"),
    ("comm=61xx", "comm", "61xx"),
    ("pid=1234", "pid", "1234"),
    ("ses=4142", "ses", "4142"),
    ("name=(null)", "name", nil),
    ("name=\"(null)\"", "name", "(null)"),
    ("tty=(none)", "tty", nil),
    ("key=(null)ARCH=x86_64", "key", nil), ("key=(null)x", "key", "(null)x"),
    ("addr=?", "addr", nil),
    ("key=(null)", "key", nil),
    ("x=1", "y", nil),
    ("uid=0\u{1d}UID=\"root\"", "UID", nil),
  ]

  @Test(arguments: values)
  func `are decoded where they are written in hex`(
    _ body: String, _ name: String, _ expected: String?
  ) {
    let event = self.event("type=SYSCALL msg=audit(1.000:1): " + body)
    let value = event.value(name, of: event.records[0]).map { String(decoding: $0, as: UTF8.self) }
    #expect(value == expected)
  }

  @Test func `of several EXECVE records give the arguments`() {
    let event = assemble([
      Array("type=EXECVE msg=audit(1.000:1): argc=3 a0=\"sh\" a1=2D63 a2_len=8 a2[0]=6162".utf8),
      Array("type=EXECVE msg=audit(1.000:1):  a2[1]=6364".utf8),
    ])[0]
    #expect(event.arguments()?.map { String(decoding: $0, as: UTF8.self) } == ["sh", "-c", "abcd"])
  }

  @Test func `of an EXECVE in the corpus give 401 arguments`() {
    let event = assemble(Corpus.lines).first { $0.stamp.serial == 968 }
    let expected = ["/bin/echo"] + (1...400).map { "\($0)" }
    #expect(event?.arguments()?.map { String(decoding: $0, as: UTF8.self) } == expected)
  }

  @Test func `with an absurd argument number take no memory`() {
    let event = self.event("type=EXECVE msg=audit(1.000:1): a99999999=\"x\" a0=\"y\"")
    #expect(event.arguments()?.count == 1)
  }

  static let addresses: [(String, String)] = [
    ("020000097F0000010000000000000000", "127.0.0.1 port 9"),
    ("0A000009000000000000000000000000000000000000000100000000", "::1 port 9"),
    ("0A0001BB0000000020010DB8000000000001000000000001", "2001:db8::1:0:0:1 port 443"),
    ("0A0000500000000000000000000000000000FFFF0A000001", "::ffff:10.0.0.1 port 80"),
    ("0A000050000000000001000200030004000500060007000800000000", "1:2:3:4:5:6:7:8 port 80"),
    ("01002F746D702F782079001122", "\"/tmp/x y\""),
    ("01000061627374726163742D6E616D65", "abstract socket @abstract-name"),
    ("0100", "an unnamed socket"),
    ("100000000000000000000000", "the kernel (netlink)"),
    ("1000000015000000", "netlink port 21"),
    ("1100AABB", "an address of family packet"), ("0000", "an address of family unspec"),
    ("2D00AABB", "an address of family mctp"), ("FF00AABB", "an address of family 255"),
  ]

  @Test(arguments: addresses)
  func `holds a socket address`(_ hex: String, _ expected: String) {
    #expect(Hex.decode(Array(hex.utf8)).flatMap(SocketAddress.init)?.text == expected)
  }

  @Test(arguments: ["", "02", "0200", "0200000900", "0A0000090000"])
  func `holds a socket address that is too short`(_ hex: String) {
    let address = Hex.decode(Array(hex.utf8)).flatMap(SocketAddress.init)
    #expect(address == nil)
  }

  static let decisions: [(String, String, String?)] = [
    ("AVC", "avc:  denied  { read write } for  pid=1", "denied read,write"),
    ("AVC", " avc: granted {execmem} for pid=1", "granted execmem"),
    ("AVC", "avc:  denied  { } for  pid=1", "denied "),
    ("USER_AVC", "pid=1 uid=0 msg='avc:  denied  { send } for msgtype=x'", "denied send"),
    ("AVC", "pid=1 msg='avc:  denied  { send } for msgtype=x'", nil),
    ("USER_AVC", "pid=1 msg='avc:  received setenforce notice (enforcing=1)'", nil),
    ("USER_AVC", "pid=1 msg='", nil),
    ("AVC", "apparmor=\"DENIED\" operation=\"open\"", nil),
    ("AVC", "avc:  denied  { read", nil), ("AVC", "avc:", nil), ("AVC", "", nil),
    ("SYSCALL", "avc:  denied  { read } for  pid=1", nil),
  ]

  @Test(arguments: decisions)
  func `follow what SELinux decided`(_ type: String, _ body: String, _ expected: String?) {
    let event = self.event("type=\(type) msg=audit(1.000:1): " + body)
    let decided = event.accessVector(of: event.records[0]).map { vector in
      let permissions = String(decoding: event.permissions(of: vector), as: UTF8.self)
      return String(decoding: event.bytes[vector.result], as: UTF8.self) + " " + permissions
    }
    #expect(decided == expected)
  }

  private func event(_ line: String) -> AuditEvent { assemble([Array(line.utf8)])[0] }
}

@Suite("Text of unknown origin")
struct SafeTextTests {
  static let words: [([UInt8], String)] = [
    (Array("/etc/passwd".utf8), "/etc/passwd"),
    ([], "\"\""),
    (Array("a b".utf8), "\"a b\""),
    (Array("q\"b\\".utf8), "\"q\\\"b\\\\\""),
    (Array("\u{1b}[2J".utf8), "\"\\x1b[2J\""),
    (Array("a\nb\tc\rd".utf8), "\"a\\nb\\tc\\rd\""),
    (Array("na\u{ef}ve".utf8), "na\u{ef}ve"),
    ([0x61, 0xff, 0x62], "\"a\\xffb\""),
    ([0xc3], "\"\\xc3\""),
    ([0xe2, 0x82], "\"\\xe2\\x82\""),
    ([0xc0, 0x80], "\"\\xc0\\x80\""),
    ([0xed, 0xa0, 0x80], "\"\\xed\\xa0\\x80\""),
    (Array("a\u{202e}b".utf8), "\"a\\u{202e}b\""),
    (Array("a\u{85}b".utf8), "\"a\\u{85}b\""),
    (Array("a\u{2028}b\u{200b}".utf8), "\"a\\u{2028}b\\u{200b}\""),
    (Array("日本".utf8), "日本"),
    ([0x7f], "\"\\x7f\""),
  ]

  @Test(arguments: words)
  func `is fit for a terminal`(_ bytes: [UInt8], _ expected: String) {
    #expect(SafeText.word(bytes) == expected)
  }

  @Test func `says how much of it was cut`() {
    #expect(SafeText.cut(Array("aaaé".utf8), at: 4) == "aaa…[+2 bytes]")
  }
}
