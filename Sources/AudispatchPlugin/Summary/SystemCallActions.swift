extension Action {
  /// System calls by name; the others are `called NAME`.
  static let systemCalls = table(
    """
    execve execveat | ran | run | command |
    open openat openat2 | opened | open | path |
    creat | created | create | path |
    truncate ftruncate truncate64 ftruncate64 fallocate | changed the length of | change the length of | path |
    read readv pread64 preadv preadv2 | read | read | transfer |
    write writev pwrite64 pwritev pwritev2 | wrote to | write to | transfer |
    mkdir mkdirat | created directory | create directory | path |
    rmdir | removed directory | remove directory | path |
    unlink unlinkat | deleted | delete | path |
    rename renameat renameat2 | renamed | rename | rename |
    link linkat | made hard link | make hard link | link |
    symlink symlinkat | made symbolic link | make symbolic link | link |
    readlink readlinkat | read the link | read the link | path |
    mknod mknodat | made special file | make special file | path |
    chmod fchmod fchmodat fchmodat2 | changed the mode of | change the mode of | mode |
    chown fchown lchown fchownat chown32 fchown32 lchown32 | changed the owner of | change the owner of | owner |
    setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat | changed attributes of | change attributes of | path |
    utime utimes utimensat futimesat utimensat_time64 | changed the times of | change the times of | path |
    access faccessat faccessat2 | checked access to | check access to | path |
    stat lstat fstat stat64 lstat64 fstat64 newfstatat fstatat64 statx | looked at | look at | path |
    chdir fchdir | changed directory to | change directory to | path |
    chroot pivot_root | changed the root to | change the root to | path |
    mount move_mount | mounted | mount | path |
    fsmount | prepared a mount | prepare a mount | none |
    open_tree open_tree_attr | opened a reference to | open a reference to | path |
    mount_setattr | changed the mount attributes of | change the mount attributes of | path |
    umount umount2 | unmounted | unmount | path |
    swapon | started swapping to | start swapping to | path |
    swapoff | stopped swapping to | stop swapping to | path |
    connect | connected to | connect to | address |
    bind | bound a socket to | bind a socket to | address |
    listen | listened for connections | listen for connections | none |
    accept accept4 | accepted a connection from | accept a connection from | address |
    sendto sendmsg sendmmsg send send_zc sendmsg_zc | sent to | send to | transfer |
    recvfrom recvmsg recvmmsg recv recv_zc | received from | receive from | transfer |
    socket | opened a socket | open a socket | none |
    socketpair | opened a pair of sockets | open a pair of sockets | pair |
    pipe pipe2 | opened a pipe | open a pipe | pair |
    kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal | signalled | signal | process |
    ptrace | traced | trace | process |
    process_vm_readv | read the memory of | read the memory of | process |
    process_vm_writev | wrote into the memory of | write into the memory of | process |
    setuid setreuid setresuid setfsuid setuid32 setreuid32 setresuid32 setfsuid32 | changed its user IDs to | change its user IDs to | numbers |
    setgid setregid setresgid setfsgid setgid32 setregid32 setresgid32 setfsgid32 | changed its group IDs to | change its group IDs to | numbers |
    setgroups setgroups32 | changed its supplementary groups | change its supplementary groups | none |
    capset | changed its capabilities | change its capabilities | capabilities |
    mmap mmap2 | mapped | map | mapping |
    mprotect | changed the protection of memory | change the protection of memory | none |
    mq_open | opened message queue | open message queue | path |
    init_module finit_module | loaded kernel module | load kernel module | module |
    delete_module | unloaded kernel module | unload kernel module | module |
    settimeofday clock_settime clock_settime64 stime | set the time | set the time | none |
    adjtimex clock_adjtime clock_adjtime64 | read or adjusted the clock | read or adjust the clock | none |
    sethostname setdomainname | changed the name of the host | change the name of the host | none |
    clone clone3 fork vfork | started a process | start a process | none |
    exit exit_group | ended | end | none |
    setns unshare | changed its namespaces | change its namespaces | none |
    bpf | used BPF | use BPF | none |
    reboot | rebooted the system | reboot the system | none |
    """)
}
