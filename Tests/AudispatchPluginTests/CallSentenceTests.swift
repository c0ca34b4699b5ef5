import AuditRecord
import Testing

@testable import AudispatchPlugin

/// What a call did where its arguments decide on the words.
@Suite("The sentence of a system call")
struct CallSentenceTests {
  private static let who = "uid 60000 as root "

  private func check(_ records: [String], _ expected: String) {
    #expect(sentence(records) == Self.who + expected)
  }

  static let mounts: [([String], String)] = [
    ([call(165, "7f 7f 7f 0"), path("\"/mnt\"")], "mounted /mnt"),
    ([call(165, "7f 7f 7f c0ed0000"), path("\"/mnt\"")], "mounted /mnt"),
    ([call(165, "0 7f 0 44000"), path("\"/\"")], "changed the propagation of /"),
    ([call(165, "0 7f 0 20"), path("\"/srv\"")], "changed the mount options of /srv"),
    // MS_REMOUNT | MS_BIND changes the options of one mount.
    ([call(165, "0 7f 0 1020"), path("\"/srv\"")], "changed the mount options of /srv"),
    (
      [call(165, "7f 7f 0 1000"), path("\"/b\""), path("\"/a\"", inode: 3, item: 1)],
      "made a bind mount of /a on /b"
    ),
    ([call(165, "7f 7f 0 5000"), path("\"/b\"")], "made a bind mount on /b"),
    (
      [call(165, "7f 7f 0 2000"), path("\"/b\""), path("\"/a\"", inode: 3, item: 1)],
      "moved mount /a to /b"
    ),
    (
      [call(165, "7f 7f 0 44000", exit: -1), path("\"/\"")],
      "failed to change the propagation of /: EPERM (Operation not permitted)"
    ),
    (
      [call(429, "4 7f ffffff9c 7f"), path("\"\"", inode: 256), path("\"/mnt\"", item: 1)],
      "mounted descriptor 4 on /mnt"
    ),
    (
      [call(429, "ffffff9c 7f ffffff9c 7f"), path("\"/a\""), path("\"/b\"", inode: 3, item: 1)],
      "moved mount /a to /b"
    ),
    ([call(428, "ffffff9c 7f 0"), path("\"/x\"")], "opened a reference to /x"),
    ([call(428, "ffffff9c 7f 1"), path("\"/x\"")], "copied the mount of /x"),
    ([call(432, "3 0 0")], "prepared a mount"),
    ([call(442, "ffffff9c 7f 0"), path("\"/x\"")], "changed the mount attributes of /x"),
    ([call(166, "7f 0"), path("\"/x\"")], "unmounted /x"),
    ([call(167, "7f 0"), path("\"/swap\"")], "started swapping to /swap"),
    ([call(168, "7f"), path("\"/swap\"")], "stopped swapping to /swap"),
  ]

  @Test(arguments: mounts)
  func `tells what became of a mount`(_ records: [String], _ expected: String) {
    check(records, expected)
  }

  static let commands: [(String, String)] = [
    ("0", "changed Ctrl-Alt-Del handling"), ("89abcdef", "changed Ctrl-Alt-Del handling"),
    ("1234567", "rebooted the system"), ("a1b2c3d4", "rebooted the system"),
    ("cdef0123", "halted the system"), ("4321fedc", "switched the system off"),
    ("d000fce2", "suspended the system"), ("45584543", "restarted into another kernel"),
    ("5", "called reboot (a2=0x5)"),
  ]

  @Test(arguments: commands)
  func `tells which command reboot was given`(_ command: String, _ expected: String) {
    check([call(169, "fee1dead 28121969 \(command) 0")], expected)
  }

  static let clocks: [(String, String)] = [
    (call(159), "read or adjusted the clock"), (call(305), "read or adjusted the clock"),
    (call(159, exit: -1), "failed to read or adjust the clock: EPERM (Operation not permitted)"),
    (call(164, "0 7f"), "set the time zone"), (call(164, "7f 0"), "set the time"),
    (call(227, "0 7f"), "set the time"),
  ]

  @Test(arguments: clocks)
  func `tells a clock that was set from one that may have been read`(
    _ record: String, _ expected: String
  ) {
    check([record], expected)
  }

  private static func process(_ pid: Int, _ name: String) -> String {
    "OBJ_PID: opid=\(pid) oauid=60000 ouid=60000 oses=3 ocomm=\"\(name)\""
  }

  static let signals: [([String], String)] = [
    (
      [call(62, "ffffffff 9"), process(55, "sleep"), process(56, "vim"), process(57, "sshd")],
      "signalled pid 55 (sleep), pid 56 (vim), pid 57 (sshd) with SIGKILL"
    ),
    (
      [call(62, "ffffffff 9")] + (1...6).map { process($0, "p") },
      "signalled pid 1 (p), pid 2 (p), pid 3 (p), pid 4 (p) and 2 more with SIGKILL"
    ),
    ([call(62, "ffffffff f", exit: -3)], "failed to signal every process with SIGTERM: ESRCH"),
    ([call(62, "fffffffe f", exit: -3)], "failed to signal process group 2 with SIGTERM: ESRCH"),
    ([call(62, "0 f", exit: -3)], "failed to signal its process group with SIGTERM: ESRCH"),
    ([call(62, "37 26"), process(55, "s")], "signalled pid 55 (s) with signal 38"),
    ([call(62, "37 63", exit: -22)], "failed to signal pid 55 with signal 99: EINVAL"),
    ([call(424, "3 9", exit: -9)], "failed to signal descriptor 3 with SIGKILL: EBADF"),
    ([call(234, "37 38 9"), process(56, "vim")], "signalled pid 56 (vim) with SIGKILL"),
    ([call(200, "37 a"), process(55, "s")], "signalled pid 55 (s) with SIGUSR1"),
    ([call(129, "37 c 7f"), process(55, "s")], "signalled pid 55 (s) with SIGUSR2"),
    ([call(297, "37 38 c 7f"), process(56, "s")], "signalled pid 56 (s) with SIGUSR2"),
  ]

  @Test(arguments: signals)
  func `tells all who were signalled, and with what`(_ records: [String], _ expected: String) {
    // The words behind an error are the host's.
    #expect(sentence(records).hasPrefix(Self.who + expected))
    if !expected.contains("failed") { check(records, expected) }
  }

  static let traces: [(String, String)] = [
    (call(101, "0 0"), "asked its parent to trace it"), (call(101, "10 37"), "traced pid 55"),
    (call(101, "4206 37"), "traced pid 55"), (call(101, "11 37"), "stopped tracing pid 55"),
    (call(101, "1 37"), "read the memory of pid 55"),
    (call(101, "5 37"), "wrote into the memory of pid 55"), (call(101, "8 37"), "killed pid 55"),
  ]

  @Test(arguments: traces)
  func `tells what ptrace was asked for`(_ record: String, _ expected: String) {
    check([record], expected)
  }

  static let files: [([String], String)] = [
    ([call(85), path("\"/f\"", "CREATE")], "created /f"),
    ([call(85), path("\"/f\"")], "opened /f"),
    ([call(133, "7f 81a4"), path("\"/f\"", "CREATE")], "created /f"),
    ([call(133, "7f 1b6"), path("\"/f\"", "CREATE")], "created /f"),
    ([call(133, "7f 11a4"), path("\"/f\"", "CREATE")], "made named pipe /f"),
    ([call(259, "ffffff9c 7f 21a4"), path("\"/f\"", "CREATE")], "made device /f"),
    ([call(259, "ffffff9c 7f c1a4"), path("\"/f\"", "CREATE")], "made socket /f"),
    ([call(56, "10f00")], "started a thread"), ([call(56, "1200011")], "started a process"),
  ]

  @Test(arguments: files)
  func `tells what was made`(_ records: [String], _ expected: String) { check(records, expected) }

  static let owners: [(String, String)] = [
    // i386 and ARM: 16 bits in the old calls, 32 in the new ones.
    (call(182, "7f ffff 64", arch: "40000003"), "changed the owner of /f to gid 100"),
    (call(212, "7f ffff 64", arch: "40000003"), "changed the owner of /f to uid 65535 gid 100"),
    (call(212, "7f ffffffff 64", arch: "40000003"), "changed the owner of /f to gid 100"),
    (call(182, "7f ffff 64", arch: "40000028"), "changed the owner of /f to gid 100"),
    (call(92, "7f ffff ffffffff"), "changed the owner of /f to uid 65535"),
  ]

  @Test(arguments: owners)
  func `leaves out an owner that stays`(_ record: String, _ expected: String) {
    check([record, path("\"/f\"")], expected)
  }

  static let numbers: [(String, String)] = [
    (call(117, "ffffffff 3e8 ffffffff"), "changed its user IDs to unchanged 1000 unchanged"),
    (call(164, "ffff 3e8 0", arch: "40000003"), "changed its user IDs to unchanged 1000 0"),
    (call(105, "3e8"), "changed its user IDs to 1000"),
    // Asks for the ID; it leaves nothing as it is, as there is one alone.
    (call(122, "ffffffff"), "changed its user IDs to -1"),
  ]

  @Test(arguments: numbers)
  func `says of an ID that it stays`(_ record: String, _ expected: String) {
    check([record], expected)
  }

  static let sockets: [([String], String)] = [
    (
      [call(42), "SOCKADDR: saddr=01007075626C69632F7069636B757000", "CWD: cwd=\"/var/spool\""],
      "connected to /var/spool/public/pickup"
    ),
    (
      [call(49), "SOCKADDR: saddr=010072756E2F736F636B00", "CWD: cwd=\"/home/u\""],
      "bound a socket to /home/u/run/sock"
    ),
    ([call(42), "SOCKADDR: saddr=01002F7200", "CWD: cwd=\"/home/u\""], "connected to /r"),
    ([call(42), "SOCKADDR: saddr=01007200"], "connected to r"),
    (
      [call(49), "SOCKADDR: saddr=01000061006200"],
      "bound a socket to abstract socket \"@a\\x00b\""
    ),
    ([call(49), "SOCKADDR: saddr=0100006100"], "bound a socket to abstract socket @a"),
    (
      [call(52, "3"), "SOCKADDR: saddr=0200D431C00002070000000000000000"],
      "called getpeername (a0=0x3) 192.0.2.7 port 54321"
    ),
    (
      [
        call(102, "3 7f", arch: "40000003"), "SOCKETCALL: nargs=3 a0=5 a1=bf a2=10",
        "SOCKADDR: saddr=0200D431C00002070000000000000000",
      ], "connected to 192.0.2.7 port 54321"
    ),
    (
      [call(102, "9 7f", arch: "40000003"), "SOCKETCALL: nargs=4 a0=5 a1=bf a2=10 a3=0"],
      "sent to descriptor 5"
    ),
    (
      [call(102, "d 7f", arch: "40000003"), "SOCKETCALL: nargs=2 a0=5 a1=1"],
      "called shutdown (a0=0x5)"
    ),
  ]

  @Test(arguments: sockets)
  func `tells the address`(_ records: [String], _ expected: String) {

    check(records, expected)
  }

  static let others: [([String], String)] = [
    ([call(163, "7f"), path("\"/var/log/pacct\"")], "called acct (a0=0x7f) /var/log/pacct"),
    (
      [call(254, "3"), "CWD: cwd=\"/home/u\"", path("\"docs\"")],
      "called inotify_add_watch (a0=0x3) /home/u/docs"
    ),
    (
      [call(241), path("\"/\"", "PARENT"), path("\"q1\"", "DELETE", item: 1)],
      "called mq_unlink (a0=0x0) /q1"
    ),
    ([call(157, "59616d61")], "called prctl (a0=0x59616d61)"),
    ([call(39)], "called getpid (a0=0x0)"),
  ]

  @Test(arguments: others)
  func `without words of its own tells what its records name`(
    _ records: [String], _ expected: String
  ) {
    check(records, expected)
  }

  static let errors: [(Int, String)] = [
    (-512, "ERESTARTSYS"), (-513, "ERESTARTNOINTR"), (-514, "ERESTARTNOHAND"),
    (-516, "ERESTART_RESTARTBLOCK"), (-999, "error 999"),
    (-115, "EINPROGRESS (Operation now in progress)"),
  ]

  @Test(arguments: errors)
  func `names the kernel's own errors`(_ exit: Int, _ name: String) {
    check([call(42, exit: exit)], "failed to connect: \(name)")
  }

  @Test func `says that it had no result`() {
    check(
      [call(59, exit: nil), "EXECVE: argc=1 a0=\"/bin/x\"", path("\"/bin/x\"")],
      "tried to run /bin/x (no result)")
    check([call(231, exit: nil)], "ended")
  }

  @Test func `gives its error to the record that tells what it did`() {
    check(
      [call(54, exit: -1), "NETFILTER_CFG: table=t family=2 entries=1 op=replace"],
      "failed to change the packet filter (op=replace table=t family=ipv4 entries=1): EPERM"
        + " (Operation not permitted)")
  }
}
