extension Action {
  /// Records that name what happened, by type: user space's messages and the kernel's own.
  static let records = table(
    """
    USER_AUTH | authenticated as | authenticate as | account | op
    USER_ACCT | passed the account check as | pass the account check as | account | op
    USER_MGMT | changed user | change user | account | op
    CRED_ACQ | acquired credentials of | acquire credentials of | account | op
    CRED_REFR | refreshed credentials of | refresh credentials of | account | op
    CRED_DISP | gave up credentials of | give up credentials of | account | op
    USER_START | opened a session of | open a session of | account | op
    USER_END | closed a session of | close a session of | account | op
    USER_LOGIN | logged in as | log in as | account | op
    USER_LOGOUT | logged out as | log out as | account | op
    USER_CHAUTHTOK | changed the account data of | change the account data of | account | op
    USER_CMD | ran | run | fields | cmd cwd
    USER_ERR | met an account error for | meet an account error for | account | op
    USER_TTY TTY | typed | type | fields | data
    USER | sent the message | send the message | fields | text
    USER_AVC | had an access decided | have an access decided | none | op
    USER_DEVICE | changed device access | change device access | none | op device
    USER_MAC_POLICY_LOAD | loaded a security policy | load a security policy | none | op
    USER_ROLE_CHANGE | changed role to | change role to | fields | new-context selected-context
    USYS_CONFIG | changed the system's configuration | change the system's configuration | none | op
    ADD_USER | added user | add user | account | op
    DEL_USER | deleted user | delete user | account | op
    ADD_GROUP | added group | add group | account | op
    DEL_GROUP | deleted group | delete group | account | op
    GRP_MGMT | changed group | change group | account | op
    GRP_CHAUTHTOK | changed the password of group | change the password of group | account | op
    GRP_AUTH | authenticated for group | authenticate for group | account | op
    ACCT_LOCK | locked account | lock account | account | op
    ACCT_UNLOCK | unlocked account | unlock account | account | op
    CHGRP_ID | changed group ID to | change group ID to | account | op
    CHUSER_ID | changed user ID to | change user ID to | account | op
    SERVICE_START | started service | start service | fields | unit
    SERVICE_STOP | stopped service | stop service | fields | unit
    SYSTEM_BOOT | booted the system | boot the system | none | op
    SYSTEM_SHUTDOWN | shut the system down | shut the system down | none | op
    SYSTEM_RUNLEVEL | changed the runlevel | change the runlevel | none | old-level new-level
    SOFTWARE_UPDATE | updated software | update software | fields | sw op
    CRYPTO_KEY_USER | used a key | use a key | none | op kind fp
    CRYPTO_SESSION | agreed on a session key | agree on a session key | none | op cipher mac pfs
    DAEMON_START | started auditd | start auditd | none | op ver kernel
    DAEMON_END | stopped auditd | stop auditd | none | op
    DAEMON_ABORT | aborted auditd | abort auditd | none | op
    DAEMON_CONFIG | reconfigured auditd | reconfigure auditd | none | op state
    DAEMON_ROTATE | rotated the audit log | rotate the audit log | none | op
    DAEMON_RESUME | resumed audit logging | resume audit logging | none | op
    DAEMON_ACCEPT | accepted a connection to auditd | accept a connection to auditd | none | op
    DAEMON_CLOSE | closed a connection to auditd | close a connection to auditd | none | op
    DAEMON_ERR | met an error in auditd | meet an error in auditd | none | op
    CONFIG_CHANGE | changed the audit configuration | change the audit configuration | none | op key list path audit_enabled audit_failure audit_backlog_limit audit_pid old
    FEATURE_CHANGE | changed an audit feature | change an audit feature | none | feature new old
    LOGIN | set the login ID | set the login ID | none | old-auid auid old-ses ses
    KERN_MODULE | handled kernel module | handle kernel module | fields | name
    NETFILTER_CFG | changed the packet filter | change the packet filter | none | op table family entries
    ANOM_PROMISCUOUS | changed promiscuous mode of | change promiscuous mode of | fields | dev old_prom prom
    ANOM_ABEND | crashed | crash | none | sig reason comm
    ANOM_LINK | followed a suspicious link | follow a suspicious link | none | op
    ANOM_LOGIN_FAILURES | failed to log in too often as | fail to log in too often as | account | op
    SECCOMP | was caught by seccomp in system call | be caught by seccomp in system call | fields | syscall sig code
    BPF | changed a BPF program | change a BPF program | none | op prog-id
    FANOTIFY | had an access decided by fanotify | have an access decided by fanotify | none | resp
    TIME_INJOFFSET | shifted the clock | shift the clock | none | sec nsec
    TIME_ADJNTPVAL | adjusted the clock | adjust the clock | none | op old new
    MAC_STATUS | changed the enforcing state | change the enforcing state | none | enforcing old_enforcing
    MAC_POLICY_LOAD | loaded a security policy | load a security policy | none |
    MAC_CONFIG_CHANGE | changed a security setting | change a security setting | none | bool val old_val
    INTEGRITY_DATA INTEGRITY_METADATA INTEGRITY_STATUS INTEGRITY_HASH INTEGRITY_PCR INTEGRITY_RULE | met an integrity check | meet an integrity check | none | op cause comm name hash
    EVENT_LISTENER | listened to audit events | listen to audit events | none | op nl-mcgrp
    """)

  /// Records that tell more about a SYSCALL, and are nothing by themselves.
  static let companions: Set<String> = [
    "SYSCALL", "PATH", "IPC", "SOCKETCALL", "SOCKADDR", "CWD", "EXECVE", "IPC_SET_PERM", "MQ_OPEN",
    "MQ_SENDRECV", "MQ_NOTIFY", "MQ_GETSETATTR", "KERNEL_OTHER", "FD_PAIR", "OBJ_PID", "EOE",
    "BPRM_FCAPS", "CAPSET", "MMAP", "PROCTITLE", "OPENAT2", "CONTID",
  ]
}
