import AuditRecord
import Testing

@testable import AudispatchPlugin

@Suite("The line of an event")
struct EventSummaryTests {
  static let corpus = assemble(Corpus.lines)

  @Test func `is one line of printable text for every event of the corpus`() {
    var summary = EventSummary(zone: .utc)
    for event in Self.corpus {
      let line = summary.line(for: event)
      #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f })
      #expect(line.utf8.count < 2000)
    }
  }

  /// Records, without `type=` and the stamp, and the sentence and trail behind the serial.
  static let others: [(String, String)] = [
    (
      "SERVICE_START: pid=1 uid=0 auid=4294967295 ses=4294967295 msg='unit=cron comm=\"systemd\""
        + " exe=\"/usr/lib/systemd/systemd\" hostname=? addr=? terminal=? res=success'",
      "root started service cron [exe=/usr/lib/systemd/systemd pid=1]"
    ),
    (
      "USER_LOGIN: pid=1 uid=0 auid=0 ses=1 msg='op=login acct=28756E6B6E6F776E207573657229"
        + " exe=\"/usr/sbin/sshd\" hostname=? addr=10.0.0.9 terminal=ssh res=failed'",
      "root failed to log in as \"(unknown user)\" (op=login)"
        + " [exe=/usr/sbin/sshd pid=1 tty=ssh addr=10.0.0.9]"
    ),
    (
      "DAEMON_START: op=start ver=3.0.9 format=enriched kernel=6.1.0 auid=4294967295 pid=100 uid=0"
        + " ses=4294967295 subj=unconfined res=success",
      "root started auditd (op=start ver=3.0.9 kernel=6.1.0) [pid=100]"
    ),
    (
      "DAEMON_ERR: op=queue-drop plugin=tail dropped=12 events=4 reason=queue_full res=failed",
      "audispatch dropped 12 records of 4 events for tail: queue_full"
    ),
    (
      "AVC: avc:  denied  { read open } for  pid=2184 comm=\"httpd\" name=\"file1\" dev=\"vda1\""
        + " ino=399185 scontext=u:r:httpd_t:s0 tcontext=u:r:samba_t:s0 tclass=file permissive=1",
      "SELinux denied read,open of file1 to httpd (tclass=file scontext=u:r:httpd_t:s0"
        + " tcontext=u:r:samba_t:s0 permissive=1) [comm=httpd pid=2184]"
    ),
    (
      "AVC: apparmor=\"DENIED\" operation=\"open\" profile=\"/usr/sbin/tcpdump\" name=2F7220"
        + " pid=10443 comm=\"tcpdump\" requested_mask=\"r\" denied_mask=\"r\" fsuid=0 ouid=0",
      "AppArmor denied open of \"/r \" to tcpdump (profile=/usr/sbin/tcpdump requested_mask=r"
        + " denied_mask=r) [comm=tcpdump pid=10443]"
    ),
    (
      "ANOM_ABEND: auid=0 uid=0 gid=0 ses=1 pid=100 comm=\"a b\" exe=\"/bin/x\" sig=11 res=1",
      "root crashed (sig=SIGSEGV comm=\"a b\") [exe=/bin/x pid=100]"
    ),
    (
      "LOGIN: pid=2300 uid=0 old-auid=4294967295 auid=0 tty=(none) old-ses=4294967295 ses=3 res=1",
      "root set the login ID to root (old-auid=unset old-ses=unset ses=3) [pid=2300]"
    ),
    (
      "SYSCALL: arch=c000003e syscall=2 success=no exit=-13 a0=1 a1=2 a2=3 a3=4 items=1 ppid=1"
        + " pid=2 auid=0 uid=33 euid=33 tty=pts1 comm=\"x\" exe=\"/bin/x\" key=6B310178",
      "root as www-data failed to open: EACCES (Permission denied)"
        + " [exe=/bin/x pid=2 tty=pts1 key=k1,x]"
    ),
    (
      "SYSCALL: arch=c000003e syscall=99999 success=yes exit=0 a0=1 a1=2 a2=3 a3=4 pid=2"
        + " auid=4294967295 uid=60999 euid=0 exe=1B5B324A",
      "uid 60999 as root called system call 99999 (a0=0x1) [exe=\"\\x1b[2J\" pid=2]"
    ),
    ("UNKNOWN[1999]: foo=bar baz=\"x y\"", "the kernel: UNKNOWN[1999] foo=bar baz=\"x y\""),
    ("FROB: foo=bar", "the kernel: FROB foo=bar"),
    (
      "PATH: item=0 name=2F1B5B6D nametype=NORMAL",
      "part of an event: PATH item=0 name=\"/\\x1b[m\" nametype=NORMAL"
    ),
    (
      "TTY: tty pid=1 uid=0 auid=0 ses=1 comm=\"bash\" data=6C730D",
      "root typed \"ls\\r\" [comm=bash pid=1]"
    ),
    ("EXECVE:", "part of an event: EXECVE"),
  ]

  @Test(arguments: [(44, "sent to descriptor 3"), (45, "received from descriptor 3")])
  func `names a socket whose address was not recorded`(_ number: Int, _ words: String) {
    let record =
      "type=SYSCALL msg=audit(1364481363.243:7): arch=c000003e syscall=\(number) success=yes exit=0"
      + " a0=3 a1=1 a2=2 a3=0 pid=2 auid=0 uid=0"
    var summary = EventSummary(zone: .utc)
    let line = summary.line(for: assemble([Array(record.utf8)])[0])
    #expect(line == "2013-03-28T14:36:03.243Z #7 root \(words) [pid=2]")
  }

  @Test(arguments: others)
  func `has words for`(_ record: String, _ expected: String) {
    let colon = record.firstIndex(of: ":") ?? record.endIndex
    let text = "type=\(record[..<colon]) msg=audit(1364481363.243:7)\(record[colon...])"
    var summary = EventSummary(zone: .utc)
    let line = summary.line(for: assemble([Array(text.utf8)])[0])
    #expect(line == "2013-03-28T14:36:03.243Z #7 " + expected)
  }

  @Test func `names the node and says that it continues an event`() {
    var summary = EventSummary(zone: .utc)
    let events = assemble(lines("web\u{1b}1/SYSCALL 1,web\u{1b}1/EOE 1,web\u{1b}1/CWD 1"))
    #expect(
      summary.line(for: events[1])
        == "1970-01-01T00:01:40.000Z \"web\\x1b1\" #1 part of an event: CWD x=1 (continued)")
  }

  static let times: [(UInt64, String)] = [
    (0, "1970-01-01T00:00:00.000Z"), (951_782_400_007, "2000-02-29T00:00:00.007Z"),
    (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
    (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    (253_402_300_800_000, "@253402300800000ms"), (.max, "@18446744073709551615ms"),
  ]

  @Test(arguments: times)
  func `begins with the time`(_ milliseconds: UInt64, _ expected: String) {
    var time = EventTime(.utc)
    #expect(time.text(milliseconds: milliseconds) == expected)
  }
}
