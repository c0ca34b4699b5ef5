/// System calls that go-libaudit leaves to its catch-all: with these, every call of x86_64, i386
/// and aarch64 has a line of its own, but for those in `catchAllCalls`.
extension NormalizationTable {
  static let furtherCallLines = """
    openat2 open_by_handle_at | opened-file | file | file | info |
    truncate64 ftruncate64 | opened-file | file | file | change |
    close close_range | closed-file | file | file | info |
    readv pread pread64 preadv preadv2 readahead | read-file | file | file | info |
    getdents getdents64 readdir | listed-directory | file | file | access |
    writev pwrite pwrite64 pwritev pwritev2 | wrote-to-file | file | file | change |
    sendfile sendfile64 splice tee vmsplice copy_file_range | copied-data | file | file | change |
    fsync fdatasync sync syncfs sync_file_range msync | flushed-to-disk | file | file | info |
    lseek _llseek fadvise64 fadvise64_64 | positioned-in-file | file | file | info |
    dup dup2 dup3 fcntl fcntl64 | changed-descriptor | file | file | info |
    flock | locked-file | file | file | info |
    ioctl | controlled-device | file | file | info |
    setxattrat removexattrat file_setattr | changed-file-attributes-of | file | file | change |
    fchmodat2 | changed-file-permissions-of | file | file | change |
    chown32 fchown32 lchown32 | changed-file-ownership-of | file | file | change |
    umask | changed-file-creation-mask | process | process | change |
    utimensat_time64 | changed-timestamp-of | file | file | info |
    faccessat2 statx newfstat fstat64 fstatat64 lstat64 oldstat oldfstat oldlstat getxattrat listxattr llistxattr flistxattr listxattrat file_getattr name_to_handle_at lookup_dcookie | checked-metadata-of | file | file | info |
    statfs64 fstatfs64 ustat statmount listmount sysfs | checked-filesystem-metadata-of | filesystem | file | info |
    move_mount | mounted | filesystem:1 | file | creation |
    fsmount | mounted | filesystem | file | creation |
    fsopen fspick fsconfig open_tree open_tree_attr | prepared-mount-of | filesystem | file | info |
    mount_setattr | changed-mount-of | filesystem | file | change |
    pivot_root chroot | changed-root-to | file | process | change |
    chdir fchdir | changed-directory-to | file | process | change |
    getcwd | checked-directory | process | process | info |
    swapon swapoff | changed-swapping-to | file | host | change |
    quotactl quotactl_fd | changed-quota-of | filesystem | host | change |
    acct | changed-process-accounting-to | file | host | change |
    nfsservctl | changed-file-server | system | host | change |
    inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_init fanotify_mark | watched-file | file | file | info |
    uselib | loaded-library | file | library | start |
    fork vfork clone clone3 | started-process | process | process | start |
    exit | end | process | process | end | how=syscall
    wait4 waitid waitpid | waited-for-process | process | process | info |
    rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal | killed-pid | process | process | end |
    setuid32 setgid32 setreuid32 setregid32 setresuid32 setresgid32 setfsuid32 setfsgid32 setgroups setgroups32 | changed-identity-of | process | process | change | how=syscall
    capset | changed-capabilities-of | process | process | change |
    capget | checked-capabilities-of | process | process | info |
    setrlimit prlimit64 | changed-limits-of | process | process | change |
    setpriority nice ioprio_set sched_setaffinity | adjusted-scheduling-policy-of | process | process | change | how=syscall
    getpriority ioprio_get sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_rr_get_interval64 sched_yield | checked-scheduling-policy-of | process | process | info |
    getrlimit ugetrlimit getrusage times | checked-limits-of | process | process | info |
    setsid setpgid | changed-process-group-of | process | process | change |
    getpid getppid gettid getpgid getpgrp getsid getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid getresgid32 getgroups getgroups32 | checked-identity-of | process | process | info |
    ptrace | traced-process | process | process | access |
    process_vm_readv | read-memory-of | process | process | access |
    process_vm_writev | wrote-to-memory-of | process | process | change |
    process_madvise process_mrelease move_pages migrate_pages | changed-memory-of | process | process | change |
    pidfd_getfd | took-descriptor-of | process | process | access |
    pidfd_open kcmp listns | inspected-process | process | process | access |
    setns unshare | entered-namespace | process | process | change |
    seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self lsm_set_self_attr | restricted-process | process | process | change |
    lsm_get_self_attr lsm_list_modules | checked-restrictions-of | process | process | info |
    prctl arch_prctl personality modify_ldt set_thread_area vm86 vm86old map_shadow_stack uretprobe uprobe | changed-attributes-of | process | process | change |
    get_thread_area set_tid_address set_robust_list get_robust_list rseq membarrier getcpu | managed-thread | process | process | info |
    mremap munmap remap_file_pages | allocated-memory | memory | process | info |
    mprotect pkey_mprotect pkey_alloc pkey_free mseal | changed-memory-protection-of | memory | process | change |
    madvise mincore mlock mlock2 mlockall munlock munlockall cachestat | advised-memory | memory | process | info |
    mbind get_mempolicy set_mempolicy set_mempolicy_home_node | changed-memory-policy-of | memory | process | info |
    memfd_create memfd_secret | created-memory-file | file | file | creation |
    userfaultfd | handles-page-faults-of | process | process | access |
    bpf | used-bpf | bpf | driver | info |
    perf_event_open | monitored-performance-of | process | process | access |
    create_module | loaded-kernel-module | file | driver | start | primary=name
    query_module get_kernel_syms | checked-kernel-modules | system | driver | info |
    kexec_load kexec_file_load sys_kexec_load | loaded-kernel | system | driver | start |
    reboot | rebooted-system | system | host | end |
    add_key keyctl | changed-keyring | keyring | process | change |
    request_key | used-keyring | keyring | process | access |
    socket socketpair | created-socket | socket | network | info |
    socketcall setsockopt getsockopt getsockname getpeername | used-socket | socket | network | info |
    shutdown | shut-down-socket | socket | network | end |
    recvmmsg_time64 | received-from | socket | network | connection info |
    pipe pipe2 eventfd eventfd2 | created-pipe | pipe | process | info |
    io_uring_setup io_uring_enter io_uring_register | used-io-uring | io-uring | process | info |
    io_setup io_submit io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 | used-asynchronous-io | file | process | info |
    clock_settime64 clock_adjtime64 | changed-system-time | system | host | change |
    time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 | checked-system-time | system | host | info |
    alarm getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 | used-timer | timer | process | info |
    nanosleep clock_nanosleep clock_nanosleep_time64 pause | slept | process | process | info |
    uname olduname oldolduname sysinfo | checked-system | system | host | info |
    syslog | read-kernel-log | system | host | access |
    getrandom | read-random-bytes | system | process | info |
    iopl ioperm | accessed-io-ports | system | process | change |
    vhangup | hung-up-terminal | terminal | session | end |
    ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget | used-ipc | ipc | process | info |
    mq_open mq_unlink mq_getsetattr mq_notify mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 | used-message-queue | file | process | info |
    futex futex_time64 futex_waitv futex_wake futex_wait futex_requeue | synchronized-threads | process | process | info |
    epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 | waited-for-input | process | process | info |
    signal sigaction sigaltstack sigpending sigprocmask sigreturn sigsuspend sgetmask ssetmask signalfd signalfd4 rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 | handled-signal | process | process | info |
    """

  /// What the catch-all serves, and why no line would be right.
  static let catchAllCalls: [(names: String, reason: String)] = [
    (
      "afs_syscall break ftime getpmsg gtty idle lock mpx prof profil putpmsg security stty tuxcall "
        + "ulimit vserver",
      "reserved numbers that no kernel with audit implements"
    ),
    ("_sysctl bdflush epoll_ctl_old epoll_wait_old", "taken out of all kernels since 5.x"),
    ("restart_syscall", "the kernel's own way back into another call, which it does not name"),
  ]
}
