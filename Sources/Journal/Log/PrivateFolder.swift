import Glibc
public import Linux

/// The folder of the spool, and of what is kept beside it.
public enum PrivateFolder {
  /// Opens it, and makes it if it is not there, with those that it is in. It has to be nobody else's.
  /// May wait as long as its disk.
  public static func open(_ path: String) throws(SystemError) -> Descriptor {
    var made = ""
    for part in path.split(separator: "/") {
      made += "/" + part
      let mode: mode_t = made.utf8.count == path.utf8.count ? 0o700 : 0o755
      if unsafe mkdir(made, mode) != 0, errno != EEXIST {
        throw SystemError("create", made, .current)
      }
      if made.utf8.count < path.utf8.count, !mayHold(made) {
        throw SystemError("trust", made, Errno(EPERM))
      }
    }
    let folder = try Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    var isTrusted = false
    if let status = try? Files.status(of: folder.number) {
      isTrusted = status.owner == geteuid() && status.mode & 0o022 == 0
    }
    guard isTrusted else { throw SystemError("trust", path, Errno(EPERM)) }
    return folder
  }

  /// Whether nobody else can put another folder in the place of one that is in this folder.
  private static func mayHold(_ path: String) -> Bool {
    guard let status = try? Files.status(of: path) else { return false }
    guard status.owner == 0 || status.owner == geteuid() else { return false }
    let isSticky = status.mode & 0o1000 != 0
    return isSticky || status.mode & 0o002 == 0 && (status.mode & 0o020 == 0 || status.group == 0)
  }
}
