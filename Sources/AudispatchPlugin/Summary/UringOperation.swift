/// The operations of io_uring by number (`include/uapi/linux/io_uring.h` of Linux 6.18); those that
/// do what a system call does have its name.
public enum UringOperation {
  public static let names = """
    nop readv writev fsync read_fixed write_fixed poll_add poll_remove sync_file_range sendmsg recvmsg
    timeout timeout_remove accept async_cancel link_timeout connect fallocate openat close
    files_update statx read write fadvise madvise send recv openat2 epoll_ctl splice provide_buffers
    remove_buffers tee shutdown renameat unlinkat mkdirat symlinkat linkat msg_ring fsetxattr setxattr
    fgetxattr getxattr socket uring_cmd send_zc sendmsg_zc read_multishot waitid futex_wait futex_wake
    futex_waitv fixed_fd_install ftruncate bind listen recv_zc epoll_wait readv_fixed writev_fixed pipe
    """.split(whereSeparator: \.isWhitespace).map(String.init)
}
