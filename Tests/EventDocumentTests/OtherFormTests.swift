import AudispatchPlugin
import EventDocument
import Testing

@Suite("The form auditbeat6")
struct Auditbeat6FormTests {
  private static let lines = [
    "type=SYSCALL msg=audit(1521812345.678:90): arch=c000003e syscall=2 success=yes exit=3 a0=7f "
      + "a1=0 a2=1 a3=0 items=1 ppid=10 pid=11 auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 "
      + "sgid=0 fsgid=0 tty=pts0 ses=4 comm=\"vi\" exe=\"/usr/bin/vi\" key=\"passwd\"",
    "type=CWD msg=audit(1521812345.678:90): cwd=\"/root\"",
    "type=PATH msg=audit(1521812345.678:90): item=0 name=\"/etc/passwd\" inode=5 dev=08:01 "
      + "mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL",
    "type=PROCTITLE msg=audit(1521812345.678:90): proctitle=7669002F657463",
  ]

  static let values: [(String, String)] = [
    ("@timestamp", "2018-03-23T13:39:05.678Z"), ("beat.hostname", "here"),
    ("event", "{action=opened-file category=audit-rule module=auditd type=syscall}"),
    ("tags", "passwd"), ("user.auid", "1000"), ("user.fsgid", "0"),
    (
      "user.name_map",
      "{auid=ann egid=wheel euid=root fsgid=wheel fsuid=root gid=wheel sgid=wheel suid=root uid=root}"
    ),
    ("process", "{cwd=/root exe=/usr/bin/vi name=vi pid=11 ppid=10 title=vi /etc}"),
    (
      "file",
      "{device=00:00 gid=0 group=wheel inode=5 mode=0644 owner=root path=/etc/passwd uid=0}"
    ),
    ("auditd.sequence", "90"), ("auditd.result", "success"), ("auditd.session", "4"),
    (
      "auditd.summary",
      "{actor={primary=ann secondary=root} how=/usr/bin/vi object={primary=/etc/passwd type=file}}"
    ),
    ("auditd.data", "{a0=7f a1=0 a2=1 a3=0 arch=x86_64 exit=3 syscall=open tty=pts0}"),
    ("auditd.paths.0.nametype", "NORMAL"),
  ]

  @Test(arguments: values)
  func `has what Auditbeat 6 wrote`(_ path: String, _ expected: String) {
    var writer = DocumentWriter(.auditbeat6, ECSFormTests.options())
    #expect(writer.parsed(event(Self.lines))[path] == expected)
  }

  @Test func `says why it makes no event of records without a SYSCALL`() {
    var writer = DocumentWriter(.auditbeat6, ECSFormTests.options())
    let members = writer.parsed(event(Self.lines[1], Self.lines[2]))
    #expect(members["error.message"] == "missing syscall message in compound event")
    #expect(members["auditd.messages"] == "\(Self.lines[1]),\(Self.lines[2])")
  }
}

/// The expected values are what Debian's Laurel 0.5.1 writes for the same lines.
@Suite("The form laurel")
struct LaurelFormTests {
  private static let stamp = "msg=audit(1615113648.981:15220): "

  /// Lines, a path in the document, and what Laurel has there.
  static let values: [(String, [String], String, String)] = [
    ("an event has an id", ["type=CWD \(stamp)cwd=\"/\""], "ID", "1615113648.981:15220"),
    ("and a node if the line has one", ["node=n1 type=CWD \(stamp)cwd=\"/\""], "NODE", "n1"),
    (
      "numbers show their base",
      ["type=PATH \(stamp)item=0 inode=1 mode=0100755 cap_fp=00a8 cap_frootid=0 rdev=00:00"],
      "PATH.0", "{cap_fp=0xa8 cap_frootid=0 inode=1 item=0 mode=0o100755 rdev=00:00}"
    ),
    (
      "a call's arguments are a list",
      ["type=SYSCALL \(stamp)arch=c000003e syscall=59 a0=63b2 a1=0 exit=-115 tty=(none)"],
      "SYSCALL", "{ARGV=0x63b2,0x0 arch=0xc000003e exit=-115 syscall=59 tty=(none)}"
    ),
    ("no key is null", ["type=SYSCALL \(stamp)key=(null)"], "SYSCALL.key", "<null>"),
    (
      "what auditd added is told apart, also where the separator is lost",
      ["type=SYSCALL \(stamp)uid=0 key=(null)ARCH=x86_64 UID=\"root\""], "SYSCALL",
      "{ARCH=x86_64 ARGV= UID=root key=<null> uid=0}"
    ),
    (
      "arguments are a list, parts put together, and bytes percent-encoded",
      [
        "type=EXECVE \(stamp)argc=3 a0=\"x\" a1_len=8 a1[0]=6162 a1[1]=\"cd\"",
        "type=EXECVE \(stamp)a2=FF20256200",
      ], "EXECVE", "{ARGV=x,abcd,%ff %25b%00 argc=3}"
    ),
    (
      "a command line is split", ["type=PROCTITLE \(stamp)proctitle=2F62696E2F7368002D6300"],
      "PROCTITLE.ARGV", "/bin/sh,-c"
    ),
    (
      "a second NUL belongs to the word behind", ["type=PROCTITLE \(stamp)proctitle=61000062"],
      "PROCTITLE.ARGV", "a,%00b"
    ),
    (
      "one that is null stays", ["type=PROCTITLE \(stamp)proctitle=(null)"], "PROCTITLE",
      "{proctitle=<null>}"
    ),
    (
      "an address is its bytes", ["type=SOCKADDR \(stamp)saddr=01002F72756E2F7800"],
      "SOCKADDR.0.saddr", "%01%00/run/x%00"
    ),
    (
      "and its meaning keeps its braces",
      ["type=SOCKADDR \(stamp)saddr=0200\u{1d}SADDR={ saddr_fam=inet lport=80 }"],
      "SOCKADDR.0.SADDR", "{saddr_fam=inet lport=80}"
    ),
    (
      "a program's message is one text",
      ["type=USER_AUTH \(stamp)pid=1 msg='op=a acct=\"b c\" res=success'\u{1d}UID=\"root\""],
      "USER_AUTH", "{UID=root msg=op=a acct=\"b c\" res=success pid=1}"
    ),
    (
      "records that may come more than once are lists",
      ["type=OBJ_PID \(stamp)opid=1 oauid=-1", "type=OBJ_PID \(stamp)opid=2"], "OBJ_PID",
      "{oauid=-1 opid=1},{opid=2}"
    ),
    (
      "what SELinux decided is a list",
      ["type=AVC \(stamp)avc:  denied  { read write } for  pid=1 permissive=0"], "AVC.0",
      "{denied=read,write permissive=0 pid=1}"
    ),
    (
      "whatever is pairs of digits is taken for hexadecimal",
      ["type=BPF \(stamp)prog-id=54 op=LOAD"],
      "BPF.0", "{op=LOAD prog-id=T}"
    ),
    (
      "a number that is too large is text",
      ["type=PATH \(stamp)inode=18446744073709551615"], "PATH.0.inode", "18446744073709551615"
    ),
    (
      "a type given by number has its name", ["type=UNKNOWN[1327] \(stamp)pid=1"], "PROCTITLE.pid",
      "1"
    ),
    ("a word that says nothing is null", ["type=BPF \(stamp)x=? y==z"], "BPF.0", "{x=<null> y==z}"),
  ]

  @Test(arguments: values)
  func `has what Laurel writes`(
    _ name: String, _ lines: [String], _ path: String, _ expected: String
  ) {
    var writer = DocumentWriter(.laurel)
    #expect(writer.parsed(event(lines))[path] == expected, "\(name)")
  }

  @Test(arguments: [
    (1105, true), (1006, false), (1309, true), (1302, false), (1406, true), (2100, true),
  ])
  func `has lists where Laurel has`(_ type: Int, _ isSingle: Bool) {
    let names = [
      1105: "USER_START", 1006: "LOGIN", 1309: "EXECVE", 1302: "PATH", 1406: "MAC_UNLBL_ALLOW",
      2100: "ANOM_LOGIN_FAILURES",
    ]
    var writer = DocumentWriter(.laurel)
    let text = String(
      decoding: writer.document(event("type=\(names[type]!) \(Self.stamp)pid=1")),
      as: UTF8.self)
    #expect(text.contains("\":{") == isSingle)
    #expect(text.contains("\":[{") == !isSingle)
  }
}
