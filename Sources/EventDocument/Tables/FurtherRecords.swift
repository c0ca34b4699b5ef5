/// Types of record that go-libaudit does not know, has without a category, or spells as no record
/// is called. A line here takes the place of its line.
extension NormalizationTable {
  static let furtherRecordLines = """
    AVC | violated-selinux-policy | | intrusion_detection | denied | primary=tcontext secondary=tclass who=scontext has=seresult
    AVC | allowed-by-selinux-policy | | intrusion_detection | allowed | primary=tcontext secondary=tclass who=scontext has=seresult:granted
    AVC | recorded-apparmor-policy | policy | intrusion_detection | info | primary=operation secondary=name has=apparmor
    AVC | violated-apparmor-policy | policy | intrusion_detection | denied | primary=operation secondary=requested_mask,denied_mask,capname has=apparmor:DENIED
    AVC | allowed-by-apparmor-policy | policy | intrusion_detection | allowed | primary=operation secondary=requested_mask,denied_mask,capname has=apparmor:ALLOWED
    AVC | killed-by-apparmor-policy | policy | process intrusion_detection | end denied | primary=operation secondary=name has=apparmor:KILLED
    AVC | changed-apparmor-policy | policy | configuration | change | primary=operation secondary=name has=apparmor:STATUS
    AVC | caused-apparmor-error | policy | intrusion_detection | info | primary=operation secondary=name has=apparmor:ERROR
    AVC_PATH | violated-selinux-policy | file | intrusion_detection | info | primary=path
    APPARMOR | recorded-apparmor-policy | policy | intrusion_detection | info | primary=operation secondary=name
    APPARMOR_AUDIT | recorded-apparmor-policy | policy | intrusion_detection | info | primary=operation secondary=name
    APPARMOR_ALLOWED | allowed-by-apparmor-policy | policy | intrusion_detection | allowed | primary=operation secondary=name
    APPARMOR_DENIED | violated-apparmor-policy | policy | intrusion_detection | denied | primary=operation secondary=name
    APPARMOR_HINT | recorded-apparmor-policy | policy | intrusion_detection | info | primary=operation secondary=name
    APPARMOR_STATUS | changed-apparmor-policy | policy | configuration | change | primary=operation secondary=name
    APPARMOR_ERROR | caused-apparmor-error | policy | intrusion_detection | info | primary=operation secondary=name
    APPARMOR_KILL | killed-by-apparmor-policy | policy | process intrusion_detection | end denied | primary=operation secondary=name
    SECCOMP | violated-seccomp-policy | process | process intrusion_detection | info denied | primary=syscall secondary=sig
    SELINUX_ERR | caused-mac-policy-error | system | intrusion_detection | info | primary=op
    USER_SELINUX_ERR | access-error | system | intrusion_detection | info | primary=op
    USER_AVC | access-permission | policy | intrusion_detection | info | primary=tcontext secondary=tclass who=scontext
    MAC_CHECK | mac-permission | policy | intrusion_detection | info | primary=tcontext secondary=tclass
    DAC_CHECK | access-result | policy | intrusion_detection | info |
    FS_RELABEL | relabeled-filesystem | mac-config | configuration | change |
    LABEL_LEVEL_CHANGE | modified-level-of | printer | configuration | change | primary=printer
    LABEL_OVERRIDE | overrode-label-of | mac-config | configuration | change |
    DEV_ALLOC | allocated-device | device | configuration | change | primary=device
    DEV_DEALLOC | deallocated-device | device | configuration | change | primary=device
    USER_LABELED_EXPORT | exported-with-label | file | file | access | primary=file
    USER_UNLABELED_EXPORT | exported-without-label | file | file | access | primary=file
    USER_MAC_STATUS | changed-mac-enforcement | mac-config | configuration | change | primary=enforcing
    USER_ROLE_CHANGE | changed-role-to | user-session | session | info | primary=selected-context secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal
    USER_DEVICE | changed-device-access | device | configuration | change | primary=device secondary=op
    USER | sent-message | | host | info | primary=addr
    TTY USER_TTY | typed | keystrokes | session | info | primary=data how=comm,exe
    CRYPTO_LOGIN | crypto-officer-logged-in | | authentication | start |
    CRYPTO_LOGOUT | crypto-officer-logged-out | | authentication | end |
    CRYPTO_TEST_USER | tested-cryptography | | process | info | primary=op
    CRYPTO_PARAM_CHANGE_USER | changed-crypto-parameter | | configuration | change | primary=op
    CRYPTO_FAILURE_USER | failed-cryptography | | process | info | primary=op
    CRYPTO_REPLAY_USER | detected-replay | | intrusion_detection | info | kind=alert primary=op
    CRYPTO_IKE_SA | negotiated-ike-association | | network | connection info | primary=raddr secondary=rport
    CRYPTO_IPSEC_SA | negotiated-ipsec-association | | network | connection info | primary=raddr secondary=rport
    MAC_UNLBL_ALLOW | allowed-unlabeled-traffic | mac-config | configuration | change | primary=unlbl_accept
    MAC_UNLBL_STCADD MAC_UNLBL_STCDEL | changed-static-network-label | mac-config | configuration | change | primary=netif secondary=src,dst
    MAC_CIPSOV4_ADD MAC_CIPSOV4_DEL MAC_CALIPSO_ADD MAC_CALIPSO_DEL | changed-network-label-domain | mac-config | configuration | change | primary=cipso_doi,calipso_doi
    MAC_MAP_ADD MAC_MAP_DEL | changed-network-label-mapping | mac-config | configuration | change | primary=nlbl_domain
    MAC_IPSEC_ADDSA MAC_IPSEC_DELSA MAC_IPSEC_ADDSPD MAC_IPSEC_DELSPD MAC_IPSEC_EVENT | changed-ipsec-policy | network | configuration | change | primary=op secondary=dst
    MAC_TASK_CONTEXTS MAC_OBJ_CONTEXTS | recorded-contexts | | process | info |
    IPE_ACCESS | checked-integrity-policy | policy | intrusion_detection | info | primary=path secondary=ipe_op
    IPE_CONFIG_CHANGE | changed-integrity-enforcement | policy | configuration | change | primary=enforcing
    IPE_POLICY_LOAD | loaded-integrity-policy | policy | configuration | change | primary=policy_name
    LANDLOCK_ACCESS | violated-landlock-policy | policy | intrusion_detection | denied | primary=blockers secondary=path
    BPF_LSM_ACCESS | decided-access-by-bpf | policy | intrusion_detection | info |
    LANDLOCK_DOMAIN | created-landlock-domain | policy | process | info | primary=status
    DAEMON_CLOSE | remote-audit-disconnected | service | network | connection end |
    ANOM_PROMISCUOUS | changed-promiscuous-mode-on-device | network-device | configuration intrusion_detection | change info | kind=alert primary=dev
    ANOM_CREAT | created-file-in-sticky-directory | file | file intrusion_detection | creation denied | kind=alert primary=op
    ANOM_LOGIN_ACCT | attempted-log-in-to-watched-account | user-session | authentication intrusion_detection | start denied | kind=alert primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal
    ANOM_LOGIN_ROOT | attempted-log-in-as-root | user-session | authentication intrusion_detection | start denied | kind=alert primary=terminal secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal
    ANOM_ORIGIN_FAILURES | failed-log-in-too-many-times-from | user-session | authentication intrusion_detection | start denied | kind=alert primary=addr,daddr secondary=hostname who=auid as=acct,id,uid how=exe,terminal
    ANOM_SESSION | behaved-unusually-in-session | user-session | session intrusion_detection | info | kind=alert primary=ses secondary=addr,hostname who=auid as=acct,id,uid how=exe,terminal
    ANOM_MK_EXEC | made-an-executable | file | file intrusion_detection | change info | kind=alert
    RESP_ANOMALY | did-not-react-to-anomaly | | intrusion_detection | info | kind=alert primary=op
    RESP_ALERT | sent-alert | | intrusion_detection | info | kind=alert primary=op
    RESP_KILL_PROC | killed-process | process | process intrusion_detection | end info | kind=alert primary=pid
    RESP_TERM_ACCESS | terminated-session | user-session | session intrusion_detection | end info | kind=alert primary=ses
    RESP_ACCT_REMOTE | locked-account-for-remote-access | account | iam intrusion_detection | user change info | kind=alert primary=acct
    RESP_ACCT_LOCK_TIMED RESP_ACCT_LOCK | locked-account | account | iam intrusion_detection | user change info | kind=alert primary=acct
    RESP_ACCT_UNLOCK_TIMED | unlocked-account | account | iam intrusion_detection | user change info | kind=alert primary=acct
    RESP_TERM_LOCK | locked-terminal | terminal | session intrusion_detection | info | kind=alert primary=terminal
    RESP_SEBOOL | set-selinux-boolean | mac-config | configuration intrusion_detection | change info | kind=alert primary=bool
    RESP_EXEC | ran-response | process | process intrusion_detection | start info | kind=alert primary=cmd
    RESP_SINGLE | changed-to-single-user-mode | system | host intrusion_detection | change info | kind=alert
    RESP_HALT | halted-system | system | host intrusion_detection | end info | kind=alert
    RESP_ORIGIN_BLOCK RESP_ORIGIN_BLOCK_TIMED | blocked-address | address | network intrusion_detection | denied | kind=alert primary=addr,daddr
    RESP_ORIGIN_UNBLOCK_TIMED | unblocked-address | address | network intrusion_detection | allowed | kind=alert primary=addr,daddr
    INTEGRITY_DATA | verified-data-of | file | file intrusion_detection | info | primary=name secondary=cause
    INTEGRITY_METADATA | verified-metadata-of | file | file intrusion_detection | info | primary=name secondary=cause
    INTEGRITY_STATUS | changed-integrity-status | system | configuration | change | primary=op secondary=cause
    INTEGRITY_HASH | checked-integrity-hash-of | file | file intrusion_detection | info | primary=name secondary=cause
    INTEGRITY_PCR | invalidated-measurement-of | file | file intrusion_detection | info | primary=name secondary=cause
    INTEGRITY_RULE INTEGRITY_POLICY_RULE | loaded-integrity-rule | policy | configuration | change | primary=action secondary=func
    INTEGRITY_EVM_XATTR | changed-integrity-attributes | policy | configuration | change | primary=xattr
    INTEGRITY_USERSPACE | verified-by-program | file | file intrusion_detection | info | primary=name secondary=cause
    FANOTIFY | decided-access-by-fanotify | file | file | access | primary=resp
    BPF | changed-bpf-program | bpf | driver | change | primary=prog-id secondary=op
    EVENT_LISTENER | listened-to-audit-events | system | host | access | primary=op secondary=nl-mcgrp
    URINGOP | used-io-uring | io-uring | process | info | primary=uring_op
    DM_CTRL | changed-block-device | block-device | configuration | change | primary=op secondary=dev
    DM_EVENT | met-block-device-event | block-device | host | info | primary=op secondary=dev
    CONTAINER_OP | changed-audit-container | container | process | change | primary=op
    CONTAINER_ID | recorded-audit-container | container | process | info | primary=contid
    NETFILTER_PKT | passed-packet | packet | network | connection info | primary=daddr secondary=dport
    KERNEL_OTHER | recorded-third-party-event | | host | info |
    REPLACE | replaced-audit-daemon | service | configuration | change |
    PATH CWD EXECVE SOCKADDR SOCKETCALL PROCTITLE | recorded-part-of-event | | process | info |
    IPC IPC_SET_PERM MQ_OPEN MQ_SENDRECV MQ_NOTIFY MQ_GETSETATTR FD_PAIR OBJ_PID MMAP OPENAT2 CAPSET BPRM_FCAPS FS_WATCH FS_INODE EOE | recorded-part-of-event | | process | info |
    """
}
