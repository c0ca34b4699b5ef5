import Glibc

/// Whether this process may write somewhere, and what keeps it from that.
public enum WriteAccess {
  /// Why this process may not write the file, or make it: its rights, its confinement, or a file
  /// system that is read-only. `nil`: it may, or that cannot be tried. Leaves nothing behind. Blocks.
  ///
  /// What is there is opened and closed again; else a file without a name is made in the folder
  /// (O_TMPFILE of open(2)). The folder itself may be missing, when the one above is there.
  public static func refusal(_ path: String) -> SystemError? {
    do throws(SystemError) {
      if (try? Files.status(of: path)) != nil {
        _ = try Descriptor.open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY)
      } else {
        try makeNameless(in: Files.folder(of: path))
      }
      return nil
    } catch { return isRefusal(error.cause) ? error : nil }
  }

  private static func makeNameless(in folder: String) throws(SystemError) {
    let place = (try? Files.status(of: folder)) == nil ? Files.folder(of: folder) : folder
    // asm-generic/fcntl.h: __O_TMPFILE, which goes with O_DIRECTORY.
    let nameless = Int32(0o20_000_000) | O_DIRECTORY
    _ = try Descriptor.open(place, nameless | O_WRONLY, mode: 0o600)
  }

  private static func isRefusal(_ cause: Errno) -> Bool {
    [.notAllowed, Errno(EPERM), Errno(EROFS)].contains(cause)
  }

  /// What stands behind a refusal to write below a folder: the first on the way to it whose owner
  /// and mode keep this process out, a mount that is read-only, or a policy. `nil`: it was no
  /// refusal. Blocks.
  public static func reason(_ cause: Errno, for folder: String) -> String? {
    guard isRefusal(cause) else { return nil }
    if cause == Errno(EROFS) {
      return "its file system is read-only here: under systemd ReadWritePaths= of the unit opens it"
    }
    var place = ""
    for part in folder.split(separator: "/") {
      place += "/" + part
      guard let status = try? Files.status(of: place) else { return nil }
      let rights = place == folder ? R_OK | W_OK | X_OK : X_OK
      guard unsafe faccessat(AT_FDCWD, place, rights, AT_EACCESS) != 0, Errno.current == .notAllowed
      else { continue }
      let mode = String(status.mode, radix: 8)
      let who = geteuid() == 0 ? "root without CAP_DAC_OVERRIDE" : "uid \(geteuid())"
      return
        "\(place) belongs to uid \(status.owner) and gid \(status.group) with mode 0\(mode), and "
        + "this is \(who)"
    }
    return "no owner or mode stands in its way: a policy of AppArmor or SELinux may"
  }
}
