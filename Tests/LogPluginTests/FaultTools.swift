import Foundation
import Glibc
import Linux
import PluginHarness
import Testing

/// Whether every case is tried, which takes minutes: `AUDISPATCH_FULL=1`.
enum Extent {
  static let isFull = ProcessInfo.processInfo.environment["AUDISPATCH_FULL"] != nil
}

/// What makes single calls fail, or take long.
enum Strace {
  static let isHere =
    FileManager.default.isExecutableFile(atPath: "/usr/bin/strace") && geteuid() == 0
}

/// A small file system of its own in a folder; gone with its owner.
final class SmallDisk {
  let folder: String

  /// Whether this host lets a test mount one.
  static let isHere: Bool = {
    guard geteuid() == 0, let folder = try? PluginRun.makeFolder() else { return false }
    defer { PluginRun.remove(folder) }
    guard let disk = try? SmallDisk(folder, size: "64k") else { return false }
    return disk.isMounted
  }()
  static let why: Comment = "needs root and the right to mount"

  private(set) var isMounted: Bool

  init(_ parent: String, size: String) throws {
    folder = "\(parent)/log"
    unsafe mkdir(folder, 0o700)
    let mount = try CommandRun(
      "/bin/mount", "-t", "tmpfs", "-o", "size=\(size),mode=0700", "none", folder)
    isMounted = mount.end == .exit(0)
  }

  deinit { if isMounted { _ = try? CommandRun("/bin/umount", "-l", folder) } }

  /// Takes so many bytes of it.
  func fill(_ bytes: Int) throws {
    let file = try Descriptor.open("\(folder)/filling", O_WRONLY | O_CREAT)
    try Transfer.writeAll(file.number, [UInt8](repeating: 0, count: bytes))
  }

  func empty() { unsafe unlink("\(folder)/filling") }
}
