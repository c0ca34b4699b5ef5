import AuditRecord
import Testing

@testable import AudispatchPlugin

/// Who did it, and what, by records that are not a system call's.
@Suite("The sentence of a record")
struct RecordSentenceTests {
  private static func message(_ fields: String, uid: Int = 60000, auid: UInt32 = 60000) -> String {
    "pid=9 uid=\(uid) auid=\(auid) ses=3 msg='\(fields) exe=\"/x\" hostname=? addr=? terminal=?'"
  }

  static let groups: [(String, String)] = [
    (
      "GRP_AUTH: " + message("op=authentication new-group=wheel id=60000 res=failed"),
      "uid 60000 failed to authenticate for group wheel (op=authentication)"
    ),
    (
      "CHGRP_ID: " + message("op=changing new_group=\"wheel\" id=60000 res=success"),
      "uid 60000 changed group ID to wheel (op=changing)"
    ),
    (
      "CHGRP_ID: " + message("op=changing new-group=wheel id=60000 res=success"),
      "uid 60000 changed group ID to wheel (op=changing)"
    ),
    (
      "CHGRP_ID: " + message("op=changing new_gid=60077 id=60000 res=success"),
      "uid 60000 changed group ID to gid 60077 (op=changing)"
    ),
    (
      "CHGRP_ID: " + message("op=changing new-gid=60077 id=60000 res=success"),
      "uid 60000 changed group ID to gid 60077 (op=changing)"
    ),
    (
      "CHGRP_ID: " + message("op=changing id=60000 res=success"),
      "uid 60000 changed group ID (op=changing)"
    ),
    (
      "ADD_GROUP: " + message("op=add-group id=60077 res=success"),
      "uid 60000 added group gid 60077 (op=add-group)"
    ),
  ]

  @Test(arguments: groups)
  func `takes the user's number for no group`(_ record: String, _ expected: String) {
    #expect(sentence([record]) == expected)
  }

  static let ofAuditd: [(String, String)] = [
    (
      "DAEMON_ABORT: op=error-halt auid=4294967295 pid=700 res=failed",
      "auditd aborted (op=error-halt res=failed)"
    ),
    (
      "DAEMON_ABORT: op=set-pid auid=4294967295 uid=0 pid=700 res=failed",
      "auditd aborted (op=set-pid res=failed)"
    ),
    (
      "DAEMON_ACCEPT: op=accept addr=192.0.2.1 port=60 res=success",
      "auditd accepted a connection (op=accept addr=192.0.2.1 port=60)"
    ),
    (
      "DAEMON_CLOSE: op=close addr=192.0.2.1 port=60 res=success",
      "auditd closed a connection (op=close addr=192.0.2.1 port=60)"
    ),
    ("DAEMON_ERR: op=x reason=y res=failed", "auditd met an error (op=x reason=y res=failed)"),
    (
      "DAEMON_END: op=terminate auid=0 uid=0 pid=1 res=success",
      "root stopped auditd (op=terminate)"
    ),
    ("DAEMON_END: op=terminate auid=4294967295 pid=1 res=success", "auditd stopped (op=terminate)"),
  ]

  @Test(arguments: ofAuditd)
  func `says what auditd itself met`(_ record: String, _ expected: String) {
    #expect(sentence([record]) == expected)
  }

  static let unset = "auid=4294967295 ses=4294967295"
  static let actors: [(String, String)] = [
    (
      "CONFIG_CHANGE: \(unset) op=add_rule key=\"x\" list=4 res=1",
      "somebody (login unset) changed the audit configuration (op=add_rule key=x list=exit)"
    ),
    (
      "CONFIG_CHANGE: op=autoremove_rule key=\"x\" list=4 res=1",
      "the kernel changed the audit configuration (op=autoremove_rule key=x list=exit)"
    ),
    (
      "CONFIG_CHANGE: op=remove_rule dir=\"/etc/x\" key=\"k\" list=4 res=1",
      "the kernel changed the audit configuration (op=remove_rule key=k list=exit dir=/etc/x)"
    ),
    (
      "CONFIG_CHANGE: pid=5 uid=0 auid=60000 ses=3 op=tty_set old-enabled=0 new-enabled=1"
        + " old-log_passwd=0 new-log_passwd=1 res=1",
      "uid 60000 as root changed the audit configuration (op=tty_set old-enabled=0 new-enabled=1"
        + " old-log_passwd=0 new-log_passwd=1)"
    ),
    (
      "MAC_STATUS: enforcing=0 old_enforcing=1 \(unset) enabled=1 old-enabled=1 lsm=selinux res=1",
      "somebody (login unset) changed the enforcing state (enforcing=0 old_enforcing=1 enabled=1"
        + " old-enabled=1 lsm=selinux)"
    ),
    (
      "MAC_POLICY_LOAD: \(unset) lsm=selinux res=1",
      "somebody (login unset) loaded a security policy (lsm=selinux)"
    ),
    ("TIME_INJOFFSET: sec=-16 nsec=1", "somebody shifted the clock (sec=-16 nsec=1)"),
    ("BPF: prog-id=5 op=LOAD", "somebody changed BPF programs (op=LOAD prog-id=5)"),
    (
      "ANOM_ABEND: \(unset) uid=60033 gid=33 pid=9 comm=\"a\" exe=\"/a\" sig=11 res=1",
      "uid 60033 crashed (sig=SIGSEGV comm=a)"
    ),
    (
      "USER_LOGIN: "
        + message("op=login acct=\"alice\" res=failed", uid: 0, auid: .max),
      "somebody failed to log in as alice (op=login)"
    ),
    (
      "USER_AUTH: "
        + message("op=PAM:authentication acct=\"alice\" res=failed", uid: 0, auid: .max),
      "somebody failed to authenticate as alice (op=PAM:authentication)"
    ),
    (
      "USER_AUTH: " + message("op=PAM:authentication acct=\"root\" res=failed"),
      "uid 60000 failed to authenticate as root (op=PAM:authentication)"
    ),
    (
      "ANOM_LOGIN_FAILURES: " + message("pam_tally uid=60001 res=success", uid: 0, auid: .max),
      "somebody failed too many logins as uid 60001 (op=pam_tally res=success)"
    ),
  ]

  @Test(arguments: actors)
  func `says who it was no better than it knows`(_ record: String, _ expected: String) {
    #expect(sentence([record]) == expected)
  }

  static let integrity: [([String], String)] = [
    (
      ["INTEGRITY_POLICY_RULE: action=dont_appraise func=FILE_CHECK uid=60000 res=1"],
      "an integrity rule was loaded (action=dont_appraise func=FILE_CHECK uid=60000)"
    ),
    (
      ["INTEGRITY_POLICY_RULE: action=measure func=FILE_CHECK mask=MAY_READ res=1"],
      "an integrity rule was loaded (action=measure func=FILE_CHECK mask=MAY_READ)"
    ),
    (
      ["INTEGRITY_POLICY_RULE: action=measure func=BPRM_CHECK res=1", call(1, "3")],
      "uid 60000 as root loaded an integrity rule (action=measure func=BPRM_CHECK)"
    ),
    (
      [
        "INTEGRITY_PCR: pid=78 uid=0 auid=60000 ses=3 op=invalid_pcr cause=ToMToU comm=\"vim\""
          + " name=\"/var/x\" dev=\"dm-0\" ino=12 res=1 errno=0"
      ],
      "uid 60000 as root invalidated the measurement of /var/x op=invalid_pcr cause=ToMToU"
        + " comm=vim"
    ),
  ]

  @Test(arguments: integrity)
  func `tells what was measured and by which rules`(_ records: [String], _ expected: String) {
    #expect(sentence(records) == expected)
  }

  static let programs: [(String, String)] = [
    (
      "SERVICE_STOP: " + message("unit=nginx res=failed"),
      "uid 60000 stopped service nginx (res=failed)"
    ),
    ("SERVICE_STOP: " + message("unit=nginx res=success"), "uid 60000 stopped service nginx"),
    (
      "SERVICE_START: " + message("unit=nginx res=failed"),
      "uid 60000 failed to start service nginx"
    ),
    (
      "DEL_USER: " + message("op=deleting user from group acct=\"bob\" res=success"),
      "uid 60000 removed from a group user bob (op=\"deleting user from group\")"
    ),
    (
      "ADD_USER: " + message("op=adding user to group acct=\"bob\" res=success"),
      "uid 60000 added to a group user bob (op=\"adding user to group\")"
    ),
    (
      "DEL_USER: " + message("op=deleting home directory acct=\"bob\" res=failed"),
      "uid 60000 failed to delete the home directory of user bob (op=\"deleting home directory\")"
    ),
    (
      "DEL_USER: " + message("op=deleting user entries acct=\"bob\" res=success"),
      "uid 60000 deleted user bob (op=\"deleting user entries\")"
    ),
    (
      "USER_MAC_CONFIG_CHANGE: " + message("resrc=port op=add lport=8080 proto=6 res=success"),
      "uid 60000 changed security policy (op=add resrc=port lport=8080 proto=6)"
    ),
    (
      "VIRT_RESOURCE: "
        + message("virt=kvm resrc=dev reason=start vm=\"v\" bus=usb device=\"a\" res=success"),
      "uid 60000 changed resources of virtual machine v resrc=dev reason=start bus=usb device=a"
    ),
    (
      "MAC_IPSEC_ADDSA: auid=60000 ses=3 op=SAD-add src=192.0.2.1 dst=192.0.2.2 spi=7(0x7) res=1",
      "uid 60000 added an IPsec association (src=192.0.2.1 dst=192.0.2.2 spi=7(0x7))"
    ),
  ]

  @Test(arguments: programs)
  func `leaves nothing out that decides`(_ record: String, _ expected: String) {
    #expect(sentence([record]) == expected)
  }
}
