import CAudispatch
import Glibc

/// The room on a file system.
public enum FileSystem {
  /// Has so many bytes of an open file allocated, and leaves its size as it is. Where the file system
  /// has no such thing, or not the room, nothing changes. The corresponding call is `fallocate`.
  public static func allocate(_ number: Int32, bytes: Int) { _ = ad_preallocate(number, bytes) }

  /// Bytes that root may still take, and all bytes, of the file system with an open file. The
  /// corresponding call is `fstatvfs`.
  public static func room(_ number: Int32) -> (free: Int, total: Int)? {
    var facts = statvfs()
    guard unsafe fstatvfs(number, &facts) == 0 else { return nil }
    return room(facts)
  }

  /// The same, of the file system that a path is on. The corresponding call is `statvfs`.
  public static func room(of path: String) -> (free: Int, total: Int)? {
    var facts = statvfs()
    guard unsafe statvfs(path, &facts) == 0 else { return nil }
    return room(facts)
  }

  private static func room(_ facts: statvfs) -> (free: Int, total: Int) {
    let block = Int(facts.f_frsize)
    return (Int(facts.f_bavail) * block, Int(facts.f_blocks) * block)
  }
}
