import AudispatchPlugin
import EventDocument
import Testing

/// What Auditbeat has wrong or not at all, and what is right.
@Suite("The form ecs")
struct ECSFormTests {
  static let stamp = "msg=audit(1490995752.400:5): "
  static let call =
    "type=SYSCALL \(stamp)arch=c000003e syscall=257 success=no exit=-13 a0=ffffff9c a1=7f items=2 "
    + "ppid=10 pid=11 auid=1000 uid=0 gid=0 euid=0 egid=0 suid=0 sgid=0 fsuid=0 fsgid=0 ses=3 "
    + "tty=pts0 comm=\"cat\" exe=\"/usr/bin/cat\" key=61016262\u{1d}AUID=\"ann\" UID=\"root\""
  static let folder = "type=CWD \(stamp)cwd=\"/home/ann\""

  static func path(_ rest: String) -> String { "type=PATH \(stamp)item=0 \(rest)" }

  static func options() -> DocumentOptions {
    var options = DocumentOptions()
    options.accounts = AccountLookup(
      user: { [0: "root", 1000: "ann", 1001: "bob"][$0] },
      group: { [0: "wheel", 100: "users"][$0] },
      userNumber: { ["ann": 1000, "bob": 1001][$0] })
    options.host = "here"
    return options
  }

  static let values: [(String, [String], String, String)] = [
    ("the time has milliseconds", [call], "@timestamp", "2017-03-31T21:29:12.400Z"),
    ("an event has an id for ever", [call], "event.id", "here:1490995752.400:5"),
    (
      "with the node that its lines name", ["node=there " + call], "event.id",
      "there:1490995752.400:5"
    ),
    ("what happened is said", [call], "event.action", "opened-file"),
    ("and how it ended", [call], "event.outcome", "failure"),
    ("with the reason", [call], "auditd.data.exit", "EACCES"),
    ("categories are lists", [call], "event.category", "file"),
    ("the keys of the rule are tags", [call], "tags", "a,bb"),
    (
      "what SELinux decided about has commas between",
      ["type=AVC \(stamp)avc:  denied  { read open } for  pid=1"], "auditd.data.seperms",
      "read,open"
    ),
    ("who logged in", [call], "user.audit", "{id=1000 name=ann}"),
    ("as whom", [call], "user.id", "0"),
    ("names that the line brings", [call], "user.name", "root"),
    ("names that the host knows", [call], "user.group", "{id=0 name=wheel}"),
    ("what is the same is not repeated", [call], "user.effective", ""),
    ("everybody is related", [call], "related.user", "ann,root"),
    ("a process's number is one", [call], "process.pid", "11"),
    ("so is its parent's", [call], "process.parent.pid", "10"),
    (
      "a relative path is behind the working folder",
      [call, folder, path("name=\"x/y\" inode=7 dev=fd:01 mode=0100644 nametype=NORMAL")],
      "file.path", "/home/ann/x/y"
    ),
    (
      "unless it begins at an open folder",
      [
        call.replacing("a0=ffffff9c", with: "a0=5"), folder,
        path("name=\"x\" mode=0100644 nametype=NORMAL"),
      ], "file.path", "x"
    ),
    (
      "a file is on its device",
      [call, folder, path("name=\"/x\" dev=fd:01 rdev=08:00 mode=0100644")],
      "file.device", "fd:01"
    ),
    (
      "a folder is a directory", [call, folder, path("name=\"/x\" mode=041777 nametype=NORMAL")],
      "auditd.summary.object.type", "directory"
    ),
    (
      "a socket is a socket", [call, folder, path("name=\"/x\" mode=0140755 nametype=NORMAL")],
      "auditd.summary.object.type", "socket"
    ),
    (
      "RHEL 7 calls a parent by objtype",
      [
        call, folder, path("name=\"/p/\" mode=040755 objtype=PARENT"),
        path("name=\"/p/x\" mode=0100644 objtype=CREATE"),
      ], "file.path", "/p/x"
    ),
    (
      "an owner has a name",
      [call, folder, path("name=\"/x\" mode=0100644 ouid=1001 ogid=100 nametype=NORMAL")],
      "file.owner", "bob"
    ),
    (
      "or that of the line",
      [
        call, folder,
        path("name=\"/x\" mode=0100644 ouid=7 ogid=100 nametype=NORMAL\u{1d}OUID=\"eve\""),
      ],
      "file.owner", "eve"
    ),
    (
      "a lost separator makes no tag",
      [
        call.replacing("key=61016262\u{1d}AUID=\"ann\" UID=\"root\"", with: "key=(null)ARCH=x86_64")
      ],
      "tags", ""
    ),
    (
      "arguments in parts are put together",
      [
        call,
        "type=EXECVE \(stamp)argc=2 a0=\"sh\" a1_len=6 a1[0]=6162 a1[1]=6364",
        "type=EXECVE \(stamp)a1[2]=\"ef\"",
      ], "process.args", "sh,abcdef"
    ),
    (
      "records of one type are all kept",
      [
        "type=TIME_ADJNTPVAL \(stamp)op=freq old=1 new=2",
        "type=TIME_ADJNTPVAL \(stamp)op=tick old=1 new=3", call,
      ], "auditd.data.old", "1,1"
    ),
    (
      "a record and its call are categorised once each",
      ["type=ANOM_PROMISCUOUS \(stamp)dev=eth0 prom=256", call], "event.type", "change,info"
    ),
    (
      "a name in hexadecimal is decoded", [call.replacing("\"cat\"", with: "6120C3A4")],
      "process.name", "a ä"
    ),
    (
      "bytes that are no text can be turned back",
      [call.replacing("\"cat\"", with: "5C7866660AFF")], "process.name", "\\x5cxff\n\\xff"
    ),
    (
      "a call that ECS has no words for is named",
      [call.replacing("syscall=257", with: "syscall=9999")], "event.action", "called-9999"
    ),
    (
      "an address is where it went",
      [
        call.replacing("syscall=257", with: "syscall=42"),
        "type=SOCKADDR \(stamp)saddr=02000050A9FEA9FE0000000000000000",
      ], "destination", "{ip=169.254.169.254 port=80}"
    ),
    (
      "and its fields have an object",
      [
        call.replacing("syscall=257", with: "syscall=42"),
        "type=SOCKADDR \(stamp)saddr=02000050A9FEA9FE0000000000000000",
      ], "auditd.data.socket", "{addr=169.254.169.254 family=ipv4 port=80}"
    ),
    (
      "a login without a call is told whole",
      [
        "type=USER_LOGIN \(stamp)pid=9 uid=0 auid=1000 ses=3 msg='op=login id=1001 exe=\"/usr/sbin/sshd\" "
          + "hostname=h addr=10.0.0.1 terminal=ssh res=success'"
      ], "user", "{audit={id=1000 name=ann} effective={id=1001 name=bob} id=1000 name=ann}"
    ),
    (
      "what io_uring was asked to do is a call",
      [
        "type=URINGOP \(stamp)uring_op=18 pid=4 uid=0 auid=1000 ses=1 success=yes", folder,
        path("name=\"/x\" mode=0100644 nametype=CREATE"),
      ], "event.action", "opened-file"
    ),
    (
      "and has its file",
      [
        "type=URINGOP \(stamp)uring_op=36 pid=4 uid=0 auid=1000 ses=1 success=yes", folder,
        path("name=\"/x\" mode=0100644 nametype=DELETE"),
      ], "file.path", "/x"
    ),
    (
      "but io_uring does not tell from which folder a path starts",
      [
        "type=URINGOP \(stamp)uring_op=18 pid=4 uid=0 auid=1000 ses=1 success=yes", folder,
        path("name=\"x\" mode=0100644 nametype=CREATE"),
      ], "file.path", "x"
    ),
    (
      "a connection by io_uring has its other end",
      [
        "type=URINGOP \(stamp)uring_op=16 pid=4 uid=0 auid=1000 ses=1 success=yes",
        "type=SOCKADDR \(stamp)saddr=02000050A9FEA9FE0000000000000000",
      ], "destination", "{ip=169.254.169.254 port=80}"
    ),
    (
      "an operation of io_uring that is no call is named as such",
      ["type=URINGOP \(stamp)uring_op=46 pid=4 uid=0 auid=1000 ses=1 success=yes"],
      "event.action", "used-io-uring"
    ),
    (
      "i386's socketcall is what it did",
      [
        call.replacing("arch=c000003e syscall=257", with: "arch=40000003 syscall=102").replacing(
          "a0=ffffff9c", with: "a0=3"),
        "type=SOCKADDR \(stamp)saddr=02000050A9FEA9FE0000000000000000",
      ], "destination", "{ip=169.254.169.254 port=80}"
    ),
    (
      "and its action",
      [
        call.replacing("arch=c000003e syscall=257", with: "arch=40000003 syscall=102").replacing(
          "a0=ffffff9c", with: "a0=3")
      ], "event.action", "connected-to"
    ),
    (
      "a mount below a descriptor is not in the working directory",
      [
        call.replacing("syscall=257", with: "syscall=428").replacing("a0=ffffff9c", with: "a0=3"),
        folder, path("name=\"x\" mode=040755 nametype=NORMAL"),
      ], "file.path", "x"
    ),
    (
      "a new name is in the folder of the second descriptor",
      [
        call.replacing("syscall=257", with: "syscall=264").replacing(
          "a1=7f", with: "a1=7f a2=ffffff9c"
        )
        .replacing("a0=ffffff9c", with: "a0=3"),
        folder, path("name=\"/d\" mode=040755 nametype=PARENT"),
        path("name=\"e\" mode=040755 nametype=PARENT"),
        path("name=\"new\" mode=0100644 nametype=CREATE"),
      ], "file.path", "/home/ann/new"
    ),
    (
      "a type has the kernel's newest names", ["type=UNKNOWN[1427] \(stamp)pid=1"],
      "event.action", "decided-access-by-bpf"
    ),
    (
      "a value of two words stays whole",
      ["type=USER_MGMT \(stamp)pid=9 uid=0 msg='op=adding user acct=\"bob\" res=success'"],
      "auditd.data.op", "adding user"
    ),
    (
      "a field with a dot is no object", ["type=USER \(stamp)pid=1 a.b=1"], "auditd.data.a_b", "1"
    ),
  ]

  @Test(arguments: values)
  func `says`(_ name: String, _ lines: [String], _ path: String, _ expected: String) {
    var writer = DocumentWriter(.ecs, Self.options())
    #expect(writer.parsed(event(lines))[path] == expected, "\(name)")
  }

  @Test(arguments: [1 << 20, 60000, 9000, 4096])
  func `stays within its size, and keeps who, the key and the serial`(_ size: Int) {
    let argument = String(repeating: "x", count: 5000)
    var lines = [Self.call, Self.folder]
    for index in 0..<20 {
      lines.append("type=EXECVE \(Self.stamp)argc=20 a\(index)=\"\(argument)\"")
    }
    for index in 0..<40 { lines.append(Self.path("name=\"/\(index)\(argument)\" mode=0100644")) }
    var options = Self.options()
    options.maximumSize = size
    options.keepsOriginal = true
    var writer = DocumentWriter(.ecs, options)
    let document = writer.document(event(lines))
    #expect(document.count <= size)
    let members = Members(document)
    #expect(members["user.audit.name"] == "ann")
    #expect(members["tags"] == "a,bb")
    #expect(members["auditd.sequence"] == "5")
    #expect(members["event.id"] == "here:1490995752.400:5")
    #expect((members["auditd.truncated"] == "1") == (size < 1 << 20))
    #expect(writer.cut == (size < 1 << 20 ? 1 : 0))
  }

  @Test func `the lines can be kept`() {
    var options = Self.options()
    options.keepsOriginal = true
    var writer = DocumentWriter(.ecs, options)
    #expect(writer.parsed(event(Self.folder))["event.original"] == Self.folder)
  }
}
