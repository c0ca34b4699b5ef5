extension Action {
  /// Records of what auditd met or did of itself: their accounts are its own.
  static let ofAuditd: Set<String> = [
    "DAEMON_ABORT", "DAEMON_ACCEPT", "DAEMON_CLOSE", "DAEMON_ERR",
  ]

  /// Records of what somebody did in a system call, without an account of their own: who it was
  /// stands in the SYSCALL beside them.
  static let besideCall: Set<String> = [
    "BPF", "BPF_LSM_ACCESS", "FANOTIFY", "INTEGRITY_POLICY_RULE", "IPE_ACCESS", "KERN_MODULE",
    "LANDLOCK_ACCESS", "NETFILTER_CFG", "TIME_ADJNTPVAL", "TIME_INJOFFSET",
  ]

  /// Records of what was decided or found out while a call ran: what came of the call is told
  /// behind them.
  static let insideCall: Set<String> = [
    "AVC", "SELINUX_ERR", "APPARMOR", "APPARMOR_AUDIT", "APPARMOR_ALLOWED", "APPARMOR_DENIED",
    "APPARMOR_HINT", "APPARMOR_STATUS", "APPARMOR_ERROR", "APPARMOR_KILL", "BPF_LSM_ACCESS",
    "INTEGRITY_DATA", "INTEGRITY_METADATA", "INTEGRITY_HASH", "INTEGRITY_PCR", "INTEGRITY_RULE",
    "IPE_ACCESS", "LANDLOCK_ACCESS",
  ]

  /// Records that say what happened, by type: every type of libaudit's table and of the kernel's
  /// that is not only a part (`EventParts`). Without an infinitive it is a report, whose result is
  /// the one of what is reported.
  static let records = table(kernelRecords).merging(table(programRecords)) { first, _ in first }

  private static let kernelRecords = """
    LOGIN | set the login ID to | set the login ID to | none |
    CONFIG_CHANGE | changed the audit configuration | change the audit configuration | none | op key list path dir audit_enabled audit_failure audit_backlog_limit audit_backlog_wait_time audit_rate_limit audit_pid lost new old actions old-actions old-enabled new-enabled old-log_passwd new-log_passwd
    FEATURE_CHANGE | changed an audit feature | change an audit feature | none | feature new old new_lock old_lock
    EVENT_LISTENER | changed who listens to audit events | change who listens to audit events | none | op nl-mcgrp
    TTY | typed | type | fields | data
    KERN_MODULE | handled kernel module | handle kernel module | module |
    NETFILTER_CFG | changed the packet filter | change the packet filter | none | op table family entries
    NETFILTER_PKT | noted a packet | note a packet | none | action hook mark inif outif saddr daddr proto sport dport
    ANOM_PROMISCUOUS | changed promiscuous mode of | change promiscuous mode of | fields | dev old_prom prom
    ANOM_ABEND | crashed | crash | none | sig reason comm
    ANOM_LINK | followed a suspicious link | follow a suspicious link | path | op
    ANOM_CREAT | created a suspicious file | create a suspicious file | path | op
    SECCOMP | was caught by seccomp in system call | | fields | syscall sig code
    BPF | changed BPF programs | change BPF programs | none | op prog-id
    BPF_LSM_ACCESS | met a decision of BPF | | none | decision
    FANOTIFY | met a decision of fanotify | | none | resp fan_type fan_info subj_trust obj_trust
    TIME_INJOFFSET | shifted the clock | shift the clock | none | sec nsec
    TIME_ADJNTPVAL | adjusted the clock | adjust the clock | none | op old new
    DM_CTRL | changed a device mapper target | change a device mapper target | none | op module dev error_msg
    DM_EVENT | met a device mapper event | | none | op module dev sector error_msg
    AVC | met an access decision | | none | op
    SELINUX_ERR | met an error of SELinux | | none | op seresult invalid_context scontext tcontext tclass oldcontext newcontext taskcontext
    MAC_POLICY_LOAD | loaded a security policy | load a security policy | none | lsm policy_name
    MAC_STATUS | changed the enforcing state | change the enforcing state | none | enforcing old_enforcing enabled old-enabled lsm
    MAC_CONFIG_CHANGE | changed a security setting | change a security setting | none | bool val old_val lsm
    MAC_UNLBL_ALLOW | changed what unlabeled traffic may do | change what unlabeled traffic may do | none | unlbl_accept old
    MAC_UNLBL_STCADD | added a static network label | add a static network label | none | netif src src_prefixlen sec_obj
    MAC_UNLBL_STCDEL | removed a static network label | remove a static network label | none | netif src src_prefixlen sec_obj
    MAC_CIPSOV4_ADD | added a CIPSO definition | add a CIPSO definition | none | cipso_doi cipso_type
    MAC_CIPSOV4_DEL | removed a CIPSO definition | remove a CIPSO definition | none | cipso_doi
    MAC_CALIPSO_ADD | added a CALIPSO definition | add a CALIPSO definition | none | calipso_doi calipso_type
    MAC_CALIPSO_DEL | removed a CALIPSO definition | remove a CALIPSO definition | none | calipso_doi
    MAC_MAP_ADD | added a network label mapping | add a network label mapping | none | nlbl_domain nlbl_protocol cipso_doi calipso_doi
    MAC_MAP_DEL | removed a network label mapping | remove a network label mapping | none | nlbl_domain
    MAC_IPSEC_ADDSA | added an IPsec association | add an IPsec association | none | src dst spi
    MAC_IPSEC_DELSA | removed an IPsec association | remove an IPsec association | none | src dst spi
    MAC_IPSEC_ADDSPD | added an IPsec policy | add an IPsec policy | none | src dst
    MAC_IPSEC_DELSPD | removed an IPsec policy | remove an IPsec policy | none | src dst
    MAC_IPSEC_EVENT | changed or met something of IPsec | | none | op src dst spi seqno
    IPE_ACCESS | met a decision of IPE | | none | ipe_op ipe_hook
    IPE_CONFIG_CHANGE | changed the active IPE policy | change the active IPE policy | none | old_active_pol_name new_active_pol_name
    IPE_POLICY_LOAD | loaded an IPE policy | load an IPE policy | none | policy_name policy_version
    LANDLOCK_ACCESS | met a decision of Landlock | | none | domain blockers
    LANDLOCK_DOMAIN | met a change of a Landlock domain | | none | domain status mode denials
    APPARMOR APPARMOR_AUDIT APPARMOR_ALLOWED APPARMOR_DENIED APPARMOR_HINT APPARMOR_STATUS APPARMOR_ERROR APPARMOR_KILL | met a decision of AppArmor | | none | operation
    INTEGRITY_DATA INTEGRITY_METADATA | passed the integrity check of | pass the integrity check of | fields | name op cause comm
    INTEGRITY_HASH | passed a check of hashes of | pass a check of hashes of | fields | name op cause comm
    INTEGRITY_STATUS | changed the integrity state | change the integrity state | none | op cause integrity comm name
    INTEGRITY_PCR | measured | measure | fields | name op cause comm
    INTEGRITY_RULE | met an integrity rule | | none | file hash name op action
    INTEGRITY_POLICY_RULE | loaded an integrity rule / an integrity rule was loaded | load an integrity rule | none | action func mask fsmagic fsuuid uid euid gid egid fowner fgroup
    INTEGRITY_EVM_XATTR | changed what EVM protects | change what EVM protects | none | xattr
    INTEGRITY_USERSPACE | checked the integrity of | check the integrity of | fields | name op cause comm
    KERNEL | started the audit of the kernel | | none | initialized state audit_enabled
    """

  private static let programRecords = """
    USER TEST TRUSTED_APP | sent the message | send the message | message |
    USER_AUTH | authenticated as | authenticate as | account | op
    USER_ACCT | passed the account check as | pass the account check as | account | op
    USER_MGMT | changed user | change user | account | op grp
    CRED_ACQ | acquired credentials of | acquire credentials of | account | op
    CRED_REFR | refreshed credentials of | refresh credentials of | account | op
    CRED_DISP | gave up credentials of | give up credentials of | account | op
    USER_START | opened a session of | open a session of | account | op
    USER_END | closed a session of | close a session of | account | op
    USER_LOGIN | logged in as | log in as | account | op
    USER_LOGOUT | logged out as | log out as | account | op
    USER_CHAUTHTOK | changed the account data of | change the account data of | account | op
    USER_CMD | ran | run | fields | cmd cwd
    USER_ERR | met an account error for | | account | op
    USER_TTY | typed | type | fields | data
    USER_AVC | sent an access decision | | message |
    USER_SELINUX_ERR | met an error of SELinux | | message |
    USER_DEVICE | changed device access | change device access | none | op device target rule target-rule
    USYS_CONFIG | changed the system's configuration | change the system's configuration | none | op
    ADD_USER | added user | add user | account | op grp
    DEL_USER | deleted user | delete user | account | op grp
    ADD_GROUP | added group | add group | group | op
    DEL_GROUP | deleted group | delete group | group | op
    GRP_MGMT | changed group | change group | group | op acct new_group
    GRP_CHAUTHTOK | changed the password of group | change the password of group | group | op acct
    GRP_AUTH | authenticated for group | authenticate for group | group | op acct
    CHGRP_ID | changed group ID to | change group ID to | group | op acct
    CHUSER_ID | changed user ID to | change user ID to | account | op
    ACCT_LOCK | locked account | lock account | account | op
    ACCT_UNLOCK | unlocked account | unlock account | account | op
    DAC_CHECK | passed a check of permissions | pass a check of permissions | none | op path
    MAC_CHECK | passed a check of security policy | pass a check of security policy | none | op
    SERVICE_START | started service | start service | fields | unit
    SERVICE_STOP | stopped service | - | fields | unit
    SYSTEM_BOOT | booted the system | boot the system | none | op
    SYSTEM_SHUTDOWN | shut the system down | shut the system down | none | op
    SYSTEM_RUNLEVEL | changed the runlevel | change the runlevel | none | old-level new-level
    SOFTWARE_UPDATE | updated software | update software | fields | sw op sw_type root_dir
    DAEMON_START | started auditd | start auditd | none | op ver kernel
    DAEMON_END | stopped auditd | stop auditd | none | op
    DAEMON_ABORT | aborted | - | none | op
    DAEMON_CONFIG DAEMON_RECONFIG | reconfigured auditd | reconfigure auditd | none | op state
    DAEMON_ROTATE | rotated the audit log | rotate the audit log | none | op
    DAEMON_RESUME | resumed audit logging | resume audit logging | none | op
    DAEMON_ACCEPT | accepted a connection | accept a connection | none | op addr port
    DAEMON_CLOSE | closed a connection | close a connection | none | op addr port
    DAEMON_ERR | met an error | | none | op reason
    ANOM_LOGIN_FAILURES | failed too many logins as | | account | op
    ANOM_LOGIN_TIME | logged in at a forbidden time as | | account | op
    ANOM_LOGIN_SESSIONS | opened too many sessions as | | account | op
    ANOM_LOGIN_ACCT | logged in with a watched account as | | account | op
    ANOM_LOGIN_LOCATION | logged in from a forbidden place as | | account | op
    ANOM_LOGIN_SERVICE | logged in with a service account as | | account | op
    ANOM_LOGIN_ROOT | logged in as root | | account | op
    ANOM_ORIGIN_FAILURES | failed too many logins from one address | | none | op addr
    ANOM_SESSION | had a suspicious session | | account | op
    ANOM_MAX_DAC | was refused permission too often | | none | op
    ANOM_MAX_MAC | was refused by security policy too often | | none | op
    ANOM_AMTU_FAIL | met a failed self-test of the machine | | none | op
    ANOM_RBAC_FAIL | met a failed self-test of roles | | none | op
    ANOM_RBAC_INTEGRITY_FAIL | met a failed integrity check | | none | op added removed changed
    ANOM_CRYPTO_FAIL | met a failed self-test of cryptography | | none | op
    ANOM_ACCESS_FS | used a watched file | | none | op path name
    ANOM_EXEC | ran a watched program | | none | op path name
    ANOM_MK_EXEC | made a file executable | | none | op path name
    ANOM_ADD_ACCT | added an account | | account | op
    ANOM_DEL_ACCT | deleted an account | | account | op
    ANOM_MOD_ACCT | changed an account | | account | op
    ANOM_ROOT_TRANS | became root | | account | op
    RESP_ANOMALY | ignored an anomaly | ignore an anomaly | none | op
    RESP_ALERT | sent an alert | send an alert | none | op
    RESP_KILL_PROC | killed a process | kill a process | none | op
    RESP_TERM_ACCESS | ended a session | end a session | account | op
    RESP_ACCT_REMOTE | locked for remote access account | lock for remote access account | account | op
    RESP_ACCT_LOCK | locked account | lock account | account | op
    RESP_ACCT_LOCK_TIMED | locked for a time account | lock for a time account | account | op
    RESP_ACCT_UNLOCK_TIMED | unlocked after a time account | unlock after a time account | account | op
    RESP_TERM_LOCK | locked a terminal | lock a terminal | none | op
    RESP_SEBOOL | set a boolean of SELinux | set a boolean of SELinux | none | op
    RESP_EXEC | ran a program in response | run a program in response | none | op
    RESP_SINGLE | went to single-user mode | go to single-user mode | none | op
    RESP_HALT | halted the system | halt the system | none | op
    RESP_ORIGIN_BLOCK | blocked an address | block an address | none | op addr
    RESP_ORIGIN_BLOCK_TIMED | blocked an address for a time | block an address for a time | none | op addr
    RESP_ORIGIN_UNBLOCK_TIMED | unblocked an address after a time | unblock an address after a time | none | op addr
    USER_ROLE_CHANGE | changed role to | change role to | fields | new-context selected-context
    ROLE_ASSIGN | assigned a role to | assign a role to | account | op new-role new-seuser old-role
    ROLE_REMOVE | removed a role from | remove a role from | account | op old-role old-seuser new-role
    ROLE_MODIFY | changed a role of | change a role of | account | op new-role old-role
    LABEL_OVERRIDE | overrode a security label | override a security label | none | op
    LABEL_LEVEL_CHANGE | changed the level of a label | change the level of a label | none | op printer
    USER_LABELED_EXPORT | exported with a label | export with a label | none | op printer job title
    USER_UNLABELED_EXPORT | exported without a label | export without a label | none | op printer job title
    DEV_ALLOC | allocated a device | allocate a device | none | op device
    DEV_DEALLOC | gave up a device | give up a device | none | op device
    FS_RELABEL | relabeled a file system | relabel a file system | none | op
    USER_MAC_POLICY_LOAD | loaded a security policy | load a security policy | none | op lsm seqno
    USER_MAC_CONFIG_CHANGE | changed security policy | change security policy | none | op resrc name lport proto tglob ftype netif laddr tcontext
    USER_MAC_STATUS | changed the enforcing state | change the enforcing state | none | op lsm enforcing
    CRYPTO_TEST_USER | tested cryptography | test cryptography | none | op
    CRYPTO_PARAM_CHANGE_USER | changed parameters of cryptography | change parameters of cryptography | none | op
    CRYPTO_LOGIN | logged in as crypto officer | log in as crypto officer | none | op
    CRYPTO_LOGOUT | logged out as crypto officer | log out as crypto officer | none | op
    CRYPTO_KEY_USER | used a key | use a key | none | op kind fp
    CRYPTO_FAILURE_USER | met a failure of cryptography | | none | op reason
    CRYPTO_REPLAY_USER | met a replay attack | | none | op
    CRYPTO_SESSION | agreed on a session key | agree on a session key | none | op cipher mac pfs
    CRYPTO_IKE_SA | agreed on a key exchange | agree on a key exchange | none | op
    CRYPTO_IPSEC_SA | agreed on an IPsec association | agree on an IPsec association | none | op
    VIRT_CONTROL | controlled virtual machine | control virtual machine | fields | vm op reason virt
    VIRT_RESOURCE | changed resources of virtual machine | change resources of virtual machine | fields | vm resrc reason bus device class acl old-disk new-disk old-net new-net old-mem new-mem old-vcpu new-vcpu old-chardev new-chardev old-fs new-fs old-rng new-rng cgroup path
    VIRT_MACHINE_ID | labeled virtual machine | label virtual machine | fields | vm vm-ctx img-ctx model
    VIRT_INTEGRITY_CHECK | checked the integrity of virtual machine | check the integrity of virtual machine | fields | vm op
    VIRT_CREATE | created virtual machine | create virtual machine | fields | vm op
    VIRT_DESTROY | destroyed virtual machine | destroy virtual machine | fields | vm op
    VIRT_MIGRATE_IN | took over virtual machine | take over virtual machine | fields | vm op
    VIRT_MIGRATE_OUT | gave away virtual machine | give away virtual machine | fields | vm op
    """
}
