/// The normalizations that go-libaudit has (Apache-2.0, `aucoalesce/normalizations.yaml`; see
/// NOTICE), in our own form. They are kept as they are, also where they are wrong: `furtherCalls`
/// and `furtherRecords` are the place for what is to be better.
extension NormalizationTable {
  static let libauditCallLines = """
    creat | opened-file | file | file | creation |
    fallocate truncate ftruncate | opened-file | file | file | change |
    open openat readlink readlinkat | opened-file | file | file | info |
    read | read-file | file | file | info |
    write | wrote-to-file | file | file | change |
    setxattr fsetxattr lsetxattr removexattr fremovexattr lremovexattr | changed-file-attributes-of | file | file | change |
    chmod fchmod fchmodat | changed-file-permissions-of | file | file | change |
    chown fchown fchownat lchown | changed-file-ownership-of | file | file | change |
    finit_module init_module | loaded-kernel-module | file | driver | start | primary=name
    delete_module | unloaded-kernel-module | file | driver | end |
    mkdir mkdirat | created-directory | file:1 | file | creation |
    mount | mounted | filesystem:1 | file | creation |
    rename renameat renameat2 | renamed | file:2 | file | change |
    access faccessat fstatat newfstatat stat stat64 fstat lstat getxattr lgetxattr fgetxattr | checked-metadata-of | file | file | info |
    statfs fstatfs | checked-filesystem-metadata-of | filesystem | file | info |
    link linkat | linked | file | file | creation |
    symlink symlinkat | symlinked | file | file | creation |
    umount umount2 | unmounted | filesystem | file | deletion |
    rmdir unlink unlinkat | deleted | file | file | deletion |
    utime utimes futimesat futimens utimensat | changed-timestamp-of | file | file | info |
    execve execveat | executed | file | process | start |
    listen | listen-for-connections | socket | network | start |
    accept accept4 | accepted-connection-from | socket | network | connection start |
    bind | bound-socket | socket | network | start |
    connect | connected-to | socket | network | connection start |
    recv recvfrom recvmsg recvmmsg | received-from | socket | network | connection info |
    send sendto sendmsg sendmmsg | sent-to | socket | network | connection info |
    kill tkill tgkill | killed-pid | process | process | end |
    setuid seteuid setfsuid setreuid setgid setegid setfsgid setregid setresuid setresgid | changed-identity-of | process | process | change | how=syscall
    settimeofday clock_settime stime adjtimex clock_adjtime | changed-system-time | system | host | change |
    mknod mknodat | make-device | file | file | creation |
    sethostname setdomainname | changed-system-name | system | host | change |
    mmap mmap2 brk | allocated-memory | memory | process | info |
    sched_setparam sched_setscheduler sched_setattr | adjusted-scheduling-policy-of | process | process | change | how=syscall
    exit_group | end | process | process | end | how=syscall
    """

  static let libauditRecordLines = """
    KERN_MODULE | loaded-kernel-module | file | driver | start | primary=name
    TIME_ADJNTPVAL TIME_INJOFFSET | changed-system-time | system | host | change |
    ACCT_LOCK | locked-account |  | iam | user info |
    ACCT_UNLOCK | unlocked-account |  | iam | user info |
    ADD_GROUP | added-group-account-to | account | iam | group creation | primary=id,acct map=subject.primary>user,subject.secondary>user.effective,object.primary>group
    ADD_USER | added-user-account | account | iam | user creation | primary=id,acct map=subject.primary>user,subject.secondary>user.effective,object.primary>user.target
    DEL_GROUP | deleted-group-account-from | account | iam | group deletion | primary=id,acct map=subject.primary>user,subject.secondary>user.effective,object.primary>group
    DEL_USER | deleted-user-account | account | iam | user deletion | primary=id,acct map=subject.primary>user,subject.secondary>user.effective,object.primary>user.target
    GRP_MGMT | modified-group-account | account | iam | group change | primary=id,acct map=subject.primary>user,subject.secondary>group,uid.uid>user.effective
    ROLE_ASSIGN | assigned-user-role-to | account | iam | user change | primary=id,acct
    ROLE_MODIFY | modified-role |  | iam | change |
    ROLE_REMOVE | removed-user-role-from | account | iam | user change | primary=id,acct
    USER_MGMT | modified-user-account | user-session | iam | user change | primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal map=subject.primary>user,subject.secondary>user.target,uid.uid>user.effective
    USER_CHAUTHTOK | changed-password | user-session | iam | user change | primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal map=subject.primary>user,uid.uid>user.effective,subject.secondary>user.target
    GRP_CHAUTHTOK | changed-group-password | user-session | iam | group change | primary=acct secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal map=subject.primary>user,uid.uid>user.effective,subject.secondary>group
    CRED_ACQ | acquired-credentials | user-session | authentication | info | primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal map=subject.primary>user,subject.secondary>user.effective
    CRED_DISP | disposed-credentials | user-session | authentication | info | primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal map=subject.primary>user,subject.secondary>user.effective
    CRED_REFR | refreshed-credentials | user-session | authentication | info | primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal map=subject.primary>user,subject.secondary>user.effective
    GRP_AUTH | authenticated-to-group |  | authentication | info | map=subject.primary>user,subject.secondary>user.effective
    LOGIN | changed-login-id-to | user-session | authentication | start | primary=new-auid,new_auid,auid who=old_auid,old-auid as=uid map=subject.primary>user,object.primary>user.effective
    USER_ACCT | was-authorized | user-session | authentication | info | primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal map=subject.primary>user,subject.secondary>user.effective
    USER_AUTH | authenticated | user-session | authentication | info | primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal map=subject.primary>user,subject.secondary>user.effective
    USER_END | ended-session | user-session | session | end | primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal map=subject.primary>user,subject.secondary>user.effective
    USER_ERR | error | user-session | authentication | info | primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal source=addr map=subject.primary>user,subject.secondary>user.effective
    USER_LOGIN | logged-in | user-session | authentication | start | primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal source=addr map=subject.primary>user,subject.secondary>user.effective
    USER_LOGOUT | logged-out | user-session | authentication | end | primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal map=subject.primary>user,subject.secondary>user.effective
    USER_ROLE_CHANGE | changed-role-to | user-session |  |  | primary=selected-context secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal
    USER_START | started-session | user-session | session | start | primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal source=addr map=subject.primary>user,subject.secondary>user.effective
    VIRT_CONTROL | issued-vm-control | virtual-machine | host | info | primary=op secondary=vm
    VIRT_CREATE | created-vm-image |  | host | info |
    VIRT_DESTROY | deleted-vm-image |  | host | info |
    VIRT_INTEGRITY_CHECK | checked-integrity-of |  | host | info |
    VIRT_MACHINE_ID | assigned-vm-id | virtual-machine | host | info | primary=vm
    VIRT_MIGRATE_IN | migrated-vm-from |  | host | info |
    VIRT_MIGRATE_OUT | migrated-vm-to |  | host | info |
    VIRT_RESOURCE | assigned-vm-resource | virtual-machine | host | info | primary=resrc secondary=vm
    CHGRP_ID | changed-group |  | process | change |
    CHUSER_ID | changed-user-id |  | process | change |
    TEST | sent-test |  | process | info |
    TRUSTED_APP | unknown |  | process | info |
    USER_CMD | ran-command | process | process | start | primary=cmd
    SYSTEM_BOOT | booted-system | system | host | start |
    SYSTEM_RUNLEVEL | changed-to-runlevel | system | host | change | primary=new-level
    SYSTEM_SHUTDOWN | shutdown-system | system | host | end |
    SERVICE_START | started-service | service | process | start | primary=unit
    SERVICE_STOP | stopped-service | service | process | end | primary=unit
    CONFIG_CHANGE | changed-audit-configuration | audit-config | process configuration | change | primary=op,key,audit_enabled,audit_pid,audit_backlog_limit,audit_failure
    DAEMON_ABORT | aborted-auditd-startup | service | process | end |
    DAEMON_ACCEPT | remote-audit-connected | service | network | connection start |
    DAEMON_CLOSE | remote-audit-disconnected | service | network | connection start |
    DAEMON_CONFIG | changed-auditd-configuration | service | process configuration | change |
    DAEMON_END | shutdown-audit | service | process | end |
    DAEMON_ERR | audit-error | service | process | info |
    DAEMON_RECONFIG | reconfigured-auditd | service | process configuration | info |
    DAEMON_RESUME | resumed-audit-logging | service | process | change |
    DAEMON_ROTATE | rotated-audit-logs | service | process | change |
    DAEMON_START | started-audit | service | process | start |
    KERNEL | initialized-audit-subsystem |  | process | info |
    USYS_CONFIG | changed-configuration | system | configuration | change | primary=op
    NETFILTER_CFG | loaded-firewall-rule-to | firewall | configuration | change | primary=table
    FEATURE_CHANGE | changed-audit-feature | system | configuration | change | primary=feature
    TTY USER_TTY | typed | keystrokes |  |  | primary=data how=comm,exe
    AVC | violated-selinux-policy |  |  |  | primary=tcontext secondary=tclass who=scontext has=seresult
    AVC | violated-apparmor-policy | policy |  |  | primary=operation secondary=requested_mask,denied_mask,capname has=apparmor
    FS_RELABEL | relabeled-filesystem | mac-config |  |  |
    LABEL_LEVEL_CHANGE | modified-level-of | printer |  |  | primary=printer
    LABEL_OVERRIDE | overrode-label-of | mac-config |  |  |
    MAC_CHECK | mac-permission |  |  |  |
    MAC_CONFIG_CHANGE | changed-selinux-boolean | mac-config | configuration | change | primary=bool
    MAC_POLICY_LOAD | loaded-selinux-policy | mac-config | configuration | access |
    MAC_STATUS | changed-selinux-enforcement | mac-config | configuration | change | primary=enforcing
    USER_AVC | access-permission |  |  |  |
    USER_MAC_CONFIG_CHANGE | changed-mac-configuration | mac-config | configuration | change |
    USER_MAC_POLICY_LOAD | loaded-mac-policy | mac-config | configuration | access |
    USER_SELINUX_ERR | access-error |  |  |  |
    SECCOMP | violated-seccomp-policy | process |  |  | primary=syscall
    SELINUX_ERR | caused-mac-policy-error | system |  |  |
    CRYPTO_KEY_USER | negotiated-crypto-key | user-session | process | info | primary=fp secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal source=addr
    CRYPTO_LOGIN | crypto-officer-logged-in |  |  |  |
    CRYPTO_LOGOUT | crypto-officer-logged-out |  | process | info |
    CRYPTO_SESSION | started-crypto-session | user-session | process | info | primary=addr secondary=rport who=auid as=acct,id,uid how=exe,terminal source=addr
    DAC_CHECK | access-result |  |  |  |
    ANOM_ABEND | crashed-program | process | process intrusion_detection | end info | kind=alert primary=comm,exe secondary=pid how=sig
    ANOM_EXEC | attempted-execution-of-forbidden-program | process | process intrusion_detection | start info | kind=alert primary=cmd how=terminal
    ANOM_LINK | used-suspicious-link |  | file intrusion_detection | access info | kind=alert
    ANOM_LOGIN_FAILURES | failed-log-in-too-many-times-to | user-session | authentication intrusion_detection | start denied | kind=alert primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal
    ANOM_LOGIN_LOCATION | attempted-log-in-from-unusual-place-to | user-session | authentication intrusion_detection | start denied | kind=alert primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal
    ANOM_LOGIN_SESSIONS | opened-too-many-sessions-to | user-session | authentication intrusion_detection | start denied | kind=alert primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal
    ANOM_LOGIN_TIME | attempted-log-in-during-unusual-hour-to | user-session | authentication intrusion_detection | start denied | kind=alert primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal
    ANOM_PROMISCUOUS | changed-promiscuous-mode-on-device | network-device | intrusion_detection | info change | kind=alert primary=dev
    ANOM_RBAC_INTEGRITY_FAIL | tested-file-system-integrity-of | filesystem | intrusion_detection | info | kind=alert primary=hostname
    AUDIT_ANOM_LOGIN_ACCT | attempted-log-in-to-watched-account |  | authentication intrusion_detection | start denied | kind=alert
    ANOM_MAX_DAC | max-discretionary-access-control-failures-reached |  | intrusion_detection | info | kind=alert
    ANOM_MAX_MAC | max-mandatory-access-control-failures-reached |  | intrusion_detection | info | kind=alert
    ANOM_AMTU_FAIL | abstract-machine-test-utility-failure |  | intrusion_detection | info | kind=alert
    ANOM_RBAC_FAIL | rbac-self-test-failure |  | intrusion_detection | info | kind=alert
    ANOM_CRYPTO_FAIL | crypto-system-test-failure |  | intrusion_detection | info | kind=alert
    ANOM_MK_EXE | made-an-executable |  | file intrusion_detection | change info | kind=alert
    ANOM_ACCESS_FS | accessed-watched-file-or-directory |  | file intrusion_detection | access info | kind=alert
    ANOM_ADD_ACCT | added-user-account |  | iam intrusion_detection | user creation info | kind=alert
    ANOM_DEL_ACCT | deleted-user-account |  | iam intrusion_detection | user deletion info | kind=alert
    ANOM_MOD_ACCT | modified-user-account |  | iam intrusion_detection | user change info | kind=alert
    ANOM_ROOT_TRANS | user-became-root |  | authentication intrusion_detection | start info | kind=alert
    ANOM_LOGIN_SERVICE | service-account-attempted-login |  | authentication intrusion_detection | start denied | kind=alert
    USER | sent-message |  |  |  | primary=addr
    SOFTWARE_UPDATE | package-updated |  | package | info |
    """
}
