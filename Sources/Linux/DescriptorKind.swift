import CAudispatch
import Glibc

/// Facts about a descriptor that somebody else opened.
public enum DescriptorKind {
  public static func isSocket(_ fd: Int32) -> Bool { isKind(fd, .socket) }
  public static func isPipe(_ fd: Int32) -> Bool { isKind(fd, .fifo) }
  public static func isRegularFile(_ fd: Int32) -> Bool { isKind(fd, .regular) }
  public static func isFolder(_ fd: Int32) -> Bool { isKind(fd, .directory) }

  private static func isKind(_ fd: Int32, _ kind: FileKind) -> Bool {
    (try? Files.status(of: fd))?.kind == kind
  }

  /// Whether it is closed, or `/dev/null`.
  public static func isNowhere(_ fd: Int32) -> Bool {
    var facts = stat()
    var null = stat()
    guard unsafe fstat(fd, &facts) == 0 else { return true }
    return unsafe stat("/dev/null", &null) == 0 && facts.st_mode & S_IFMT == S_IFCHR
      && facts.st_rdev == null.st_rdev
  }

  /// Whether a read would not block: input, or its end.
  public static func isReadable(_ fd: Int32) -> Bool { ad_has_input(fd) == 1 }

  /// Opens `/dev/null` for 0, 1 and 2 where they are closed, so that none of them becomes something
  /// else.
  public static func openStandard() {
    while true {
      let fd = unsafe open("/dev/null", O_RDWR)
      guard (0...2).contains(fd) else {
        if fd > 2 { close(fd) }
        return
      }
    }
  }

  /// Has bytes that come with MSG_OOB be read in their place. The option is `SO_OOBINLINE`.
  public static func takeUrgentInPlace(_ fd: Int32) { _ = ad_urgent_inline(fd) }

  /// Sets or clears `O_NONBLOCK`. The flag belongs to the open file: everybody who shares it sees the
  /// change.
  public static func setNonblocking(_ fd: Int32, _ on: Bool) {
    let flags = fcntl(fd, F_GETFL)
    guard flags >= 0 else { return }
    let wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK
    if wanted != flags { _ = fcntl(fd, F_SETFL, wanted) }
  }

  /// Closes every descriptor from this number on. The corresponding call is `close_range`.
  public static func closeAll(from first: UInt32) { _ = ad_close_from(first) }
}

extension Descriptor {
  public borrowing func setNonblocking(_ on: Bool) { DescriptorKind.setNonblocking(number, on) }
}
