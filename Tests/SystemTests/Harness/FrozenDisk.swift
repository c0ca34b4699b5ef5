import Foundation
import Glibc
import Testing

/// A file system of its own, in a file, whose writers wait while it is frozen; see `frozen.py`. Unmounted
/// when its owner lets go.
final class FrozenDisk: Sendable {
  static let isPossible =
    Host.has("/usr/bin/python3") && Host.has("/usr/sbin/mkfs.ext4")
    && FileManager.default.fileExists(atPath: "/dev/loop-control")

  let folder: String
  private let scratch: Scratch

  /// Mounts it over a folder, which is made.
  init(_ name: String, _ scratch: Scratch) async throws {
    self.scratch = scratch
    folder = try scratch.folder(name)
    let mount = try Child(
      "/bin/sh",
      [
        "-c",
        """
        truncate -s 160M '\(scratch("image"))' && /usr/sbin/mkfs.ext4 -q '\(scratch("image"))' &&
        mount -o loop '\(scratch("image"))' '\(folder)' && chmod 700 '\(folder)'
        """,
      ], output: scratch("mount.out"), error: scratch("mount.out"))
    let end = try await mount.end()
    try #require(end == .exited(0), "\(scratch.text("mount.out"))")
  }

  deinit { unsafe _ = umount2(folder, Int32(MNT_DETACH)) }

  /// From now on whoever writes to it waits, until `body` has ended.
  func frozen(_ body: () async throws -> Void) async throws {
    let output = scratch("frozen.out")
    try? FileManager.default.removeItem(atPath: output)
    let holder = try Child(
      "/usr/bin/python3", [Programs.source("frozen.py"), folder], output: output, error: output)
    try await eventually("it is frozen", detail: { scratch.text("frozen.out") }) {
      scratch.text("frozen.out") == "frozen\n"
    }
    let result: Result<Void, any Error>
    do {
      try await body()
      result = .success(())
    } catch { result = .failure(error) }
    holder.signal(SIGKILL)
    _ = try await holder.end()
    try result.get()
  }
}
