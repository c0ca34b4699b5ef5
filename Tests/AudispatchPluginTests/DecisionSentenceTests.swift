import AuditRecord
import Testing

@testable import AudispatchPlugin

/// What a security module decided, about whom, and what came of it.
@Suite("The sentence of a decision")
struct DecisionSentenceTests {
  private static let who = "uid 60000 as root"
  private static let cwd = "CWD: cwd=\"/home/u\""

  private static func vector(_ rights: String, _ fields: String, comm: String = "cat") -> String {
    "AVC: avc:  denied  { \(rights) } for  pid=11 comm=\"\(comm)\" \(fields)"
  }

  static let withCall: [([String], String)] = [
    (
      [
        call(257, "ffffff9c 7f", exit: -13, comm: "cat"),
        vector("read", "name=\"shadow\" dev=\"dm-0\" ino=2 tclass=file permissive=0"), cwd,
        path("\"/etc/shadow\""),
      ],
      "SELinux denied read of /etc/shadow to \(who) (cat) (tclass=file permissive=0);"
        + " failed to open /etc/shadow: EACCES (Permission denied)"
    ),
    (
      [
        call(257, "ffffff9c 7f", exit: -13, comm: "cat"),
        vector("read", "name=\"shadow\" dev=\"dm-0\" ino=3 tclass=file permissive=0"), cwd,
        path("\"/etc/shadow\""),
      ],
      // Another file of that name.
      "SELinux denied read of shadow to \(who) (cat) (tclass=file permissive=0);"
        + " failed to open /etc/shadow: EACCES (Permission denied)"
    ),
    (
      [
        call(59, comm: "x"), vector("execute", "name=\"x\" ino=9 permissive=1", comm: "sh"),
        "EXECVE: argc=2 a0=\"/opt/x\" a1=\"-v\"", cwd, path("\"/opt/x\"", inode: 9),
      ],
      "SELinux denied execute of /opt/x to \(who) (sh) (permissive=1); ran /opt/x -v"
    ),
    (
      [
        call(101, "10 37", exit: -13),
        "AVC: apparmor=\"DENIED\" operation=\"ptrace\" profile=\"p\" pid=11 comm=\"prog\""
          + " requested_mask=\"read\" denied_mask=\"read\" peer=\"q\"",
        "OBJ_PID: opid=55 ocomm=\"s\"",
      ],
      "AppArmor denied ptrace to \(who) (prog) (profile=p requested_mask=read denied_mask=read"
        + " peer=q); failed to trace pid 55 (s): EACCES (Permission denied)"
    ),
    (
      [
        call(87),
        "AVC: apparmor=\"AUDIT\" operation=\"unlink\" profile=\"p\" name=\"/f\" pid=11 comm=\"prog\"",
        cwd, path("\"/\"", "PARENT"), path("\"/f\"", "DELETE", item: 1),
      ],
      "AppArmor noted unlink of /f by \(who) (prog) (profile=p); deleted /f"
    ),
    (
      [
        "IPE_ACCESS: ipe_op=EXECUTE ipe_hook=BPRM_CHECK enforcing=1 pid=11 comm=\"sh\" path=\"/t\""
          + " rule=\"DEFAULT action=DENY\"", call(59, exit: -13), path("\"/t\""),
      ],
      "IPE denied EXECUTE of /t to \(who) (sh) (ipe_hook=BPRM_CHECK enforcing=1"
        + " rule=\"DEFAULT action=DENY\"); failed to run /t: EACCES (Permission denied)"
    ),
    (
      [
        "AVC: lsm=SMACK fn=smack_inode_permission action=denied subject=\"a\" object=\"b\""
          + " requested=r pid=11 comm=\"cat\" name=\"x\" dev=\"sda\" ino=2",
        call(257, "ffffff9c 7f", exit: -13, comm: "cat"), cwd, path("\"/etc/x\""),
      ],
      "SMACK denied r of /etc/x to \(who) (cat) (fn=smack_inode_permission subject=a object=b);"
        + " failed to open /etc/x: EACCES (Permission denied)"
    ),
    (
      [
        "INTEGRITY_RULE: file=\"/opt/x\" hash=\"sha256:00\" ppid=1 pid=11 auid=60000 uid=0",
        call(59), "EXECVE: argc=2 a0=\"/opt/x\" a1=\"-v\"", path("\"/opt/x\""),
      ],
      "\(who) met an integrity rule (file=/opt/x hash=sha256:00); ran /opt/x -v"
    ),
    (
      [call(59, exit: -13, comm: "sh")]
        + ["a", "b", "c", "d"].map { vector($0, "permissive=0", comm: "sh") } + [path("\"/t\"")],
      "SELinux denied a to \(who) (sh) (permissive=0); SELinux denied b to \(who) (sh)"
        + " (permissive=0); SELinux denied c to \(who) (sh) (permissive=0); failed to run /t:"
        + " EACCES (Permission denied); …[+1 more]"
    ),
    (
      [
        call(264, "3 7f 4 7f", exit: -13, comm: "mv"),
        vector("unlink", "name=\"b\" dev=\"dm-0\" ino=7 permissive=0", comm: "mv"), cwd,
        path("\"/srv/from\"", "PARENT", inode: 3), path("\"/srv/to\"", "PARENT", inode: 4, item: 1),
        path("\"a\"", "DELETE", inode: 6, item: 2), path("\"b\"", "DELETE", inode: 7, item: 3),
      ],
      // In which of the two folders it lies is not said.
      "SELinux denied unlink of b to \(who) (mv) (permissive=0);"
        + " failed to rename /srv/from/a: EACCES (Permission denied)"
    ),
  ]

  @Test(arguments: withCall)
  func `tells whom it met and what came of the call`(_ records: [String], _ expected: String) {
    #expect(sentence(records) == expected)
  }

  static let access = "UNKNOWN[1423]: domain=195ba459b blockers=fs.refer path=\"/usr/bin\""
  static let maker =
    "UNKNOWN[1424]: domain=195ba459b status=allocated mode=enforcing pid=300 uid=0"
    + " exe=\"/root/sandboxer\" comm=\"sandboxer\""
  static let landlock: [([String], String)] = [
    (
      [access, maker, call(265, "ffffff9c 7f ffffff9c 7f", exit: -18, comm: "ln")],
      "Landlock denied fs.refer of /usr/bin to \(who) (ln) (domain=195ba459b mode=enforcing, made by"
        + " root pid 300 /root/sandboxer); failed to make hard link: EXDEV (Invalid cross-device link)"
    ),
    ([access], "Landlock denied fs.refer of /usr/bin to somebody (domain=195ba459b)"),
    (
      [maker],
      "a Landlock domain denied something for the first time (domain=195ba459b mode=enforcing,"
        + " made by root pid 300 /root/sandboxer)"
    ),
    (
      ["UNKNOWN[1424]: domain=195ba459b status=deallocated denials=3"],
      "a Landlock domain ended (domain=195ba459b denials=3)"
    ),
  ]

  @Test(arguments: landlock)
  func `takes the maker of a Landlock domain for no actor`(
    _ records: [String], _ expected: String
  ) {
    #expect(sentence(records) == expected)
  }

  static let details: [(String, String)] = [
    (
      vector("name_bind", "src=8081 tclass=tcp_socket permissive=0"),
      "SELinux denied name_bind to cat (src=8081 tclass=tcp_socket permissive=0)"
    ),
    (
      vector("node_bind", "saddr=192.0.2.1 src=80 tclass=tcp_socket"),
      "SELinux denied node_bind to cat (saddr=192.0.2.1 src=80 tclass=tcp_socket)"
    ),
    (
      vector("recv", "saddr=192.0.2.1 src=80 daddr=192.0.2.2 dest=81 netif=lo tclass=packet"),
      "SELinux denied recv to cat (saddr=192.0.2.1 src=80 daddr=192.0.2.2 dest=81 netif=lo"
        + " tclass=packet)"
    ),
    (
      vector("module_request", "kmod=\"net-pf-10\" tclass=system"),
      "SELinux denied module_request to cat (kmod=net-pf-10 tclass=system)"
    ),
    (
      vector("ioctl", "path=\"/dev/x\" ioctlcmd=0x5401 tclass=chr_file"),
      "SELinux denied ioctl of /dev/x to cat (ioctlcmd=TCGETS tclass=chr_file)"
    ),
    (
      "SELINUX_ERR: op=security_compute_sid invalid_context=\"a:b\" scontext=a tcontext=b"
        + " tclass=process",
      "the kernel met an error of SELinux (op=security_compute_sid invalid_context=a:b scontext=a"
        + " tcontext=b tclass=process)"
    ),
    (
      "AVC: apparmor=\"DENIED\" operation=\"link\" profile=\"p\" name=\"/a\" pid=8 comm=\"ln\""
        + " requested_mask=\"l\" denied_mask=\"l\" target=\"/b\"",
      "AppArmor denied link of /a to ln (profile=p requested_mask=l denied_mask=l target=/b)"
    ),
    (
      "AVC: apparmor=\"DENIED\" operation=\"mount\" profile=\"p\" name=\"/a\" pid=8 comm=\"m\""
        + " fstype=\"tmpfs\" srcname=\"/s\" flags=\"rw, bind\"",
      "AppArmor denied mount of /a to m (profile=p srcname=/s fstype=tmpfs flags=\"rw, bind\")"
    ),
    (
      "USER_AVC: pid=700 uid=60103 auid=4294967295 ses=4294967295 msg='apparmor=\"DENIED\""
        + " operation=\"dbus_method_call\"  bus=\"system\" path=\"/org/login1\" interface=\"org.M\""
        + " member=\"Inhibit\" mask=\"send\" name=\"org.login1\" pid=4242 label=\"snap.x\""
        + " peer_pid=900 peer_label=\"unconfined\"  exe=\"/usr/bin/dbus-daemon\" sauid=60103"
        + " hostname=? addr=? terminal=?'",
      "AppArmor denied dbus_method_call of org.login1 to snap.x (mask=send bus=system"
        + " path=/org/login1 interface=org.M member=Inhibit peer_label=unconfined)"
    ),
  ]

  @Test(arguments: details)
  func `says to what`(_ record: String, _ expected: String) {
    #expect(sentence([record]) == expected)
  }
}
