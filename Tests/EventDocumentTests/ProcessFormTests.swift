import AudispatchPlugin
import AuditRecord
import EventDocument
import Linux
import ProcessContext
import Testing

/// A /proc without processes but those above: what the forms say of them is tried here.
final class FewProcesses: ProcessSource {
  let started: UInt64 = 1_490_000_000_000
  let run = Array("0123abcd".utf8)
  func pids() -> Set<Int32>? { [1, 6, 7] }
  func status(of pid: Int32) -> ProcessStatus? {
    let parents: [Int32: Int32] = [1: 0, 6: 1, 7: 6]
    return parents[pid].map {
      ProcessStatus(parent: $0, session: min(pid, 6), started: 16, name: Array("p\(pid)".utf8))
    }
  }
  func executable(of pid: Int32) -> [UInt8]? { Array("/bin/p\(pid)".utf8) }
  func arguments(of pid: Int32) -> [UInt8]? { Array("p\(pid)\0-x\0".utf8) }
  func controlGroups(of pid: Int32) -> [UInt8]? {
    Array("0::/system.slice/docker-\(String(repeating: "ab", count: 32)).scope\n".utf8)
  }
  func environment(of pid: Int32) -> [UInt8]? { Array("HOME=/r\0LD_PRELOAD=\0LD_PRELOAD=2\0".utf8) }
  func groups(of pid: Int32) -> [UInt32]? { [4] }
  func file(_ path: [UInt8], seenBy pid: Int32) -> FileIdentity? {
    FileIdentity(device: 0xfe00, inode: 1)
  }
  func hash(of pid: Int32, limit: Int) -> [UInt8]? { [UInt8](repeating: 0xcd, count: 32) }
  func executes(_ executable: [UInt8], _ pid: Int32) -> Bool { true }
}

@Suite("Processes in documents")
struct ProcessFormTests {
  private static let stamp = "msg=audit(1615113648.981:15220): "
  private static let id = String(repeating: "ab", count: 32)

  private static let exec = [
    "type=SYSCALL \(stamp)arch=c000003e syscall=59 success=yes exit=0 a0=1 items=3 ppid=6 pid=7 auid=0 "
      + "uid=0 ses=4 comm=\"m.sh\" exe=\"/bin/bash\" key=\"k\"",
    "type=EXECVE \(stamp)argc=2 a0=\"/bin/bash\" a1=\"./m.sh\"",
    "type=CWD \(stamp)cwd=\"/root\"",
    "type=PATH \(stamp)item=0 name=\"./m.sh\" inode=9 dev=fe:00 nametype=NORMAL",
    "type=PATH \(stamp)item=1 name=\"/bin/bash\" inode=1 dev=fe:00 nametype=NORMAL",
    "type=PATH \(stamp)item=2 name=\"/lib64/ld\" inode=2 dev=fe:00 nametype=NORMAL",
  ]

  private static func document(
    _ form: DocumentForm, _ lines: [[String]], _ change: (inout DocumentOptions) -> Void = { _ in }
  ) -> Members {
    var settings = ContextSettings()
    settings.environment = ["HOME", "LD_PRELOAD"].map { Array($0.utf8) }
    settings.hashLimit = 1
    settings.showsUserGroups = true
    settings.labels.label(key: Array("k".utf8))
    var tracker = ProcessTracker(settings, source: FewProcesses())
    var options = DocumentOptions()
    options.accounts = .none
    change(&options)
    var writer = DocumentWriter(form, options)
    var members = Members([])
    for event in lines.map({ event($0) }) {
      let context = tracker.note(event, now: event.stamp.milliseconds)
      members = Members(writer.document(event, context))
    }
    return members
  }

  /// Where Laurel 0.5.1 has it, in its words.
  @Test(arguments: [
    ("SYSCALL.SCRIPT", "/root/m.sh"), ("SYSCALL.PPID", "{comm=p6 exe=/bin/p6 ppid=1}"),
    ("SYSCALL.PID", "{EVENT_ID=1615113648.981:15220}"), ("SYSCALL.LABELS", "k"),
    ("EXECVE.ENV", "{HOME=/r LD_PRELOAD=}"), ("CONTAINER_INFO.ID", id),
    ("PARENT_INFO", "{comm=p6 exe=/bin/p6 ppid=1}"),
  ])
  func `stand in laurel where Laurel has them`(_ path: String, _ expected: String) {
    let members = Self.document(.laurel, [Self.exec]) { $0.laurel.hasParentInfo = true }
    #expect(members[path] == expected)
  }

  @Test func `stand in laurel with the parent's exec, and for objects`() {
    let kill = [
      "type=SYSCALL \(Self.stamp.replacing("15220", with: "15221"))arch=c000003e syscall=62 success=yes "
        + "exit=0 ppid=7 pid=8 comm=\"kill\" exe=\"/bin/kill\"",
      "type=OBJ_PID \(Self.stamp.replacing("15220", with: "15221"))opid=7 oauid=0 ocomm=\"m.sh\"",
    ]
    let members = Self.document(.laurel, [Self.exec, kill])
    #expect(
      members["SYSCALL.PPID"]
        == "{EVENT_ID=1615113648.981:15220 comm=m.sh exe=/bin/bash ppid=6}")
    #expect(
      members["OBJ_PID.0.OPID"] == "{ID=1615113648.981:15220 exe=/bin/bash ppid=6}")
    #expect(members["PARENT_INFO"] == "" && members["SYSCALL.SCRIPT"] == "")
  }

  @Test(arguments: [
    ("process.entity_id", "0123abcd-7-10"), ("process.parent.entity_id", "0123abcd-6-10"),
    ("process.parent.name", "p6"), ("process.parent.args", "p6,-x"),
    ("process.session_leader.entity_id", "0123abcd-6-10"), ("process.session_leader.pid", "6"),
    ("process.entry_leader.pid", "6"), ("process.args", "/bin/bash,./m.sh"),
    ("process.hash.sha256", String(repeating: "cd", count: 32)),
    ("process.env_vars", "HOME=/r,LD_PRELOAD=,LD_PRELOAD=2"),
    ("process.supplemental_groups", "{id=4}"), ("container.id", id),
    ("systemd.unit", "docker-\(id).scope"), ("auditd.context.script", "/root/m.sh"),
    ("auditd.context.labels", "k"), ("auditd.context.ancestors.1.pid", "1"),
  ])
  func `stand in ecs where Kibana reads them`(_ path: String, _ expected: String) {
    #expect(Self.document(.ecs, [Self.exec])[path] == expected)
  }

  @Test func `have a mark where their arguments are cut`() {
    let stamp = Self.stamp.replacing("15220", with: "15221")
    let long = String(repeating: "x", count: 600)
    var exec = Self.exec
    exec[1] = exec[1].replacing("./m.sh", with: long)
    let call = [
      "type=SYSCALL \(stamp)arch=c000003e syscall=257 success=yes exit=3 ppid=6 pid=7 uid=0 "
        + "comm=\"m.sh\" exe=\"/bin/bash\" key=(null)"
    ]
    // Of "/bin/bash", a NUL and the other.
    let kept = String(repeating: "x", count: 512 - 10)
    #expect(Self.document(.ecs, [exec, call])["process.args.1"] == kept + "…[+98 bytes]")
  }

  @Test func `stand in ecs with who came in`() {
    let login =
      "type=USER_LOGIN \(Self.stamp.replacing("15220", with: "15219"))pid=5 uid=0 auid=0 ses=4 msg='op=login "
      + "acct=\"ann\" exe=\"/usr/sbin/sshd\" hostname=10.0.0.7 addr=10.0.0.7 terminal=ssh res=success'"
    let members = Self.document(.ecs, [[login], Self.exec])
    #expect(
      members["auditd.context.login"]
        == "{account=ann address=10.0.0.7 began=2021-03-07T10:40:48.981Z program=/usr/sbin/sshd "
        + "terminal=ssh}")
  }

  @Test func `are missing, and that is said`() {
    var lines = Self.exec
    lines[0] = lines[0].replacing("pid=7 ", with: "pid=70 ").replacing("ppid=6", with: "ppid=60")
    let members = Self.document(.ecs, [lines])
    #expect(
      members["auditd.context.missing"]
        == "process.env_vars,process.hash,process.supplemental_groups,process.parent")
    #expect(members["process.executable"] == "/bin/bash")
  }
}

/// What Laurel's own settings change; the expected values are Laurel 0.5.1's.
@Suite("Laurel's settings")
struct LaurelSettingsTests {
  private static let stamp = "msg=audit(1615113648.981:15220): "

  private static func document(
    _ line: String, _ change: (inout LaurelSettings) -> Void
  ) -> Members {
    var options = DocumentOptions()
    options.accounts = AccountLookup(
      user: { $0 == 0 ? "root" : nil }, group: { $0 == 0 ? "wheel" : nil }, userNumber: { _ in nil }
    )
    change(&options.laurel)
    var writer = DocumentWriter(.laurel, options)
    return writer.parsed(event(line))
  }

  @Test(arguments: [
    ("02000050A9FEA9FE0000000000000000", "{addr=169.254.169.254 port=80 saddr_fam=inet}"),
    (
      "0A000050000000010000000000000000000000000000000105000000",
      "{addr=::1 flowinfo=1 port=80 saddr_fam=inet6 scope_id=5}"
    ),
    ("100000000000010000000200", "{groups=0x20000 pid=65536 saddr_fam=netlink}"),
    ("28000000FFFFFFFF0200000000000000", "{cid=2 port=4294967295 saddr_fam=vsock}"),
    ("01002F61" + String(repeating: "00", count: 106), "{path=/a saddr_fam=local}"),
    ("010000616200" + String(repeating: "00", count: 104), "{path=ab saddr_fam=local}"),
  ])
  func `take addresses apart`(_ digits: String, _ expected: String) {
    let members = Self.document("type=SOCKADDR \(Self.stamp)saddr=\(digits)") {
      $0.translatesCalls = true
    }
    #expect(members["SOCKADDR.0.SADDR"] == expected)
    #expect(members["SOCKADDR.0.saddr"] == "")
  }

  @Test(arguments: ["01002F72756E2F7800", "020000507F000001", "0A00", "", "2600000061", "zz"])
  func `leave short and other addresses as they are`(_ digits: String) {
    let members = Self.document("type=SOCKADDR \(Self.stamp)saddr=\(digits) x=1") {
      $0.translatesCalls = true
    }
    #expect(members["SOCKADDR.0.SADDR"] == "")
    #expect(members["SOCKADDR.0.x"] == "1")
  }

  @Test func `name calls and architectures`() {
    let members = Self.document("type=SYSCALL \(Self.stamp)arch=40000003 syscall=11 a0=1") {
      $0.translatesCalls = true
    }
    #expect(members["SYSCALL"] == "{ARCH=i386 ARGV=0x1 SYSCALL=execve arch=0x40000003 syscall=11}")
    let added = Self.document(
      "type=SYSCALL \(Self.stamp)arch=c000003e syscall=59\u{1d}ARCH=x86_64 SYSCALL=execve"
    ) { $0.translatesCalls = true }
    #expect(
      added["SYSCALL"] == "{ARCH=x86_64 ARGV= SYSCALL=execve arch=0xc000003e syscall=59}")
  }

  @Test func `name users and groups`() {
    let members = Self.document(
      "type=USER_LOGIN \(Self.stamp)uid=0 gid=0 auid=4294967295 suid=12 old-auid=0 oauid=-1 euid=0\u{1d}EUID=\"x\""
    ) { $0.translatesUsers = true }
    #expect(
      members["USER_LOGIN"]
        == "{AUID=unset EUID=x GID=wheel OAUID=unknown(-1) OLD-AUID=root SUID=unknown(12) UID=root "
        + "auid=4294967295 euid=0 gid=0 oauid=-1 old-auid=0 suid=12 uid=0}")
  }

  @Test func `show arguments as one text, and leave out the middle`() {
    let words = (0..<7).map { "a\($0)=\"x\($0)yz\"" }.joined(separator: " ")
    let members = Self.document("type=EXECVE \(Self.stamp)argc=7 \(words)") {
      $0.hasArgumentText = true
      $0.argumentLimit = 20
    }
    #expect(
      members["EXECVE.ARGV"] == "x0yz,x1yz,{skipped_args=3 skipped_bytes=14},x5yz,x6yz")
    #expect(
      members["EXECVE.ARGV_STR"] == "x0yz x1yz <<< Skipped: args=3, bytes=14 >>> x5yz x6yz")
  }

  @Test func `never lose an argument without a mark`() {
    let long = String(repeating: "z", count: 40)
    let members = Self.document("type=EXECVE \(Self.stamp)argc=2 a0=\"\(long)\" a1=\"\(long)\"") {
      $0.argumentLimit = 20
    }
    #expect(members["EXECVE.ARGV"] == "{skipped_args=2 skipped_bytes=81}")
  }
}
