import AudispatchPlugin
import EventDocument
import Testing

/// What go-libaudit makes of events, with the values that its reading gives by its own rules.
@Suite("The form go-libaudit")
struct LibauditFormTests {
  static let call =
    "type=SYSCALL msg=audit(1490995752.400:5): arch=c000003e syscall=2 success=no exit=-13 a0=7f "
    + "items=2 ppid=10 pid=11 auid=4294967295 uid=1000 gid=100 ses=4294967295 tty=pts0 "
    + "comm=\"cat\" exe=\"/usr/bin/cat\" subj=u:r:t:s0:c1:c2 key=61016262"

  /// An event, a path in its document, and what stands there.
  static let values: [(String, [String], String, String)] = [
    ("the time has no zeros at its end", [call], "@timestamp", "2017-03-31T21:29:12.4Z"),
    ("the serial is a number", [call], "sequence", "5"),
    ("a session that is none is unset", [call], "session", "unset"),
    ("an error is named", [call], "data.exit", "EACCES"),
    ("so are machine and call", [call], "data.syscall", "open"),
    ("a rule's keys are tags", [call], "tags", "a,bb"),
    ("a category of SELinux keeps its colons", [call], "user.selinux.category", "c1:c2"),
    ("the process's ids are in one map", [call], "user.ids", "{auid=unset gid=100 uid=1000}"),
    ("nothing tells how it ended", ["type=USER msg=audit(1.000:1): pid=1"], "result", "unknown"),
    (
      "a single record keeps its count of items", [call], "data.items", "2"
    ),
    (
      "an event does not", [call, "type=CWD msg=audit(1490995752.400:5): cwd=2F61"], "data.items",
      ""
    ),
    (
      "a folder in hexadecimal is decoded",
      [call, "type=CWD msg=audit(1490995752.400:5): cwd=2F61"], "process.cwd", "/a"
    ),
    (
      "a tag is made of what auditd added where the separator is lost",
      [call.replacing("key=61016262", with: "key=(null)ARCH=x86_64 UID=\"a\"")], "tags", "x86_64"
    ),
    (
      "a name in hexadecimal stays", [call.replacing("\"cat\"", with: "6361")], "process.name",
      "6361"
    ),
    (
      "a second record of a type says nothing new",
      [
        "type=TIME_ADJNTPVAL msg=audit(1.000:1): op=a",
        call.replacing("1490995752.400:5", with: "1.000:1"),
        "type=TIME_ADJNTPVAL msg=audit(1.000:1): op=b",
      ], "warnings", "duplicate key (op) from TIME_ADJNTPVAL message"
    ),
    (
      "an argument in parts costs all of them",
      [call, "type=EXECVE msg=audit(1490995752.400:5): argc=2 a0=\"x\" a1_len=4 a1[0]=61"],
      "warnings", "failed to parse EXECVE message: failed to find arg a1"
    ),
    (
      "a program without a name costs all fields",
      [call.replacing("exe=\"/usr/bin/cat\"", with: "exe=(null)")], "warnings",
      "exe key not found,no normalization found for event"
    ),
    (
      "without a SYSCALL it makes nothing",
      ["type=CWD msg=audit(1.000:1): cwd=\"/\"", "type=PATH msg=audit(1.000:1): item=0"],
      "warnings", "missing syscall message in compound event"
    ),
    (
      "a folder counts as a file",
      [
        call,
        "type=PATH msg=audit(1490995752.400:5): item=0 name=\"/a\" mode=041777 nametype=NORMAL",
      ],
      "summary.object", "{primary=/a type=file}"
    ),
    (
      "permissions have four digits",
      [
        call,
        "type=PATH msg=audit(1490995752.400:5): item=0 name=\"/a\" mode=041777 nametype=NORMAL",
      ],
      "file.mode", "1777"
    ),
    (
      "an account with a number has an id",
      [
        "type=ADD_USER msg=audit(1.000:1): pid=1 uid=0 auid=7 ses=1 msg='op=add-user id=1003 res=success'"
      ],
      "ecs.user", "{changes={} effective={id=0} id=7 target={id=1003}}"
    ),
    (
      "an account that is only named has a name",
      [
        "type=ADD_USER msg=audit(1.000:1): pid=1 uid=0 auid=7 ses=1 msg='op=x acct=\"bob\" res=failed'"
      ],
      "ecs.user.target", "{name=bob}"
    ),
    (
      "a login's old and new user are actor and object",
      ["type=LOGIN msg=audit(1.000:1): pid=1 uid=0 old-auid=4294967295 auid=5 ses=2 res=1"],
      "summary.actor", "{primary=unset secondary=0}"
    ),
    (
      "the record and its call are both said",
      ["type=ANOM_PROMISCUOUS msg=audit(1490995752.400:5): dev=eth0 prom=0", call], "ecs.event",
      "{category=intrusion_detection,file kind=alert outcome=failure type=info,change,info}"
    ),
    (
      "SELinux's words are fields",
      [
        "type=AVC msg=audit(1.000:1): avc:  denied  { read write } for  pid=1 scontext=a tcontext=b tclass=c"
      ],
      "data", "{scontext=a seperms=read,write seresult=denied tclass=c tcontext=b}"
    ),
    (
      "bytes that are no text are lost",
      [
        "type=USER_LOGIN msg=audit(1.000:1): pid=1 uid=0 auid=5 ses=1 msg='acct=61FF62 exe=\"/x\" res=failed'"
      ],
      "data.acct", "a\u{fffd}b"
    ),
  ]

  @Test(arguments: values)
  func `gives what its rules make`(
    _ name: String, _ lines: [String], _ path: String, _ expected: String
  ) {
    var writer = DocumentWriter(.libaudit)
    #expect(writer.parsed(event(lines))[path] == expected, "\(name)")
  }

  /// A SOCKADDR's address, and its fields.
  static let addresses: [(String, String)] = [
    ("02000050A9FEA9FE0000000000000000", "{addr=169.254.169.254 family=ipv4 port=80}"),
    ("01002F72756E2F7800AA", "{family=unix path=/run/x}"),
    (
      "0A0000160000000120010DB8000000000000000000000001",
      "{addr=2001:db8::1 family=ipv6 flow=1 port=22}"
    ),
    (
      "0A0000160000000000000000000000000000FFFF0A000001",
      "{addr=10.0.0.1 family=ipv6 port=22}"
    ),
    ("100000000000000000000000", "{family=netlink saddr=100000000000000000000000}"),
    ("28000000", "{family=40 saddr=28000000}"),
    ("0100", "{family=unix path=}"),
  ]

  @Test(arguments: addresses)
  func `reads four families of addresses`(_ digits: String, _ expected: String) {
    let event = event("type=SOCKADDR msg=audit(1.000:1): saddr=" + digits)
    var writer = RecordDocumentWriter()
    #expect(Members(writer.document(event.records[0], in: event.bytes))["data"] == expected)
  }

  @Test(arguments: [
    ("01004\u{1d}SADDR={", "encoding/hex: odd length hex string"),
    ("0100412\u{1d}", "encoding/hex: invalid byte: U+001D"),
    ("0100ab", "encoding/hex: invalid byte: U+0061 'a'"),
  ])
  func `says what is wrong with a path as Go does`(_ digits: String, _ expected: String) {
    let event = event("type=SOCKADDR msg=audit(1.000:1): saddr=" + digits)
    var writer = RecordDocumentWriter()
    let members = Members(writer.document(event.records[0], in: event.bytes))
    #expect(members["error"] == "failed to parse saddr: " + expected)
  }

  @Test func `names a type that a line has by number`() {
    let event = event("type=UNKNOWN[1327] msg=audit(1.000:1): proctitle=6100 ")
    var writer = RecordDocumentWriter()
    let members = Members(writer.document(event.records[0], in: event.bytes))
    #expect(members["record_type"] == "proctitle")
    #expect(members["raw_msg"] == "audit(1.000:1): proctitle=6100")
  }

  @Test(arguments: ["1", "0200", "0A00", "0A0000160000", "01004", "zz00"])
  func `an address that is cut off is an error and no crash`(_ digits: String) {
    let event = event("type=SOCKADDR msg=audit(1.000:1): saddr=" + digits)
    var writer = RecordDocumentWriter()
    let members = Members(writer.document(event.records[0], in: event.bytes))
    #expect(members["error"].hasPrefix("failed to parse saddr: "))
    #expect(members["data"] == "<null>")
  }
}
