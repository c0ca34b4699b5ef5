/// Which of a call's arguments is the folder that its first path, and its second, starts from (the
/// prototypes in `include/linux/syscalls.h`). Paths of other calls start from the working directory.
public enum FolderArguments {
  /// By number, from 0; `nil` for a call that names no folder.
  public static func of(_ call: String) -> (first: Int, second: Int)? { places[call] }

  private static let places: [String: (first: Int, second: Int)] = {
    var arguments: [String: (Int, Int)] = [
      "renameat": (0, 2), "renameat2": (0, 2), "linkat": (0, 2), "symlinkat": (1, 1),
      "move_mount": (0, 2), "fanotify_mark": (3, 3),
    ]
    let others = """
      openat openat2 mkdirat mknodat unlinkat readlinkat fchownat fchmodat fchmodat2 futimesat
      utimensat utimensat_time64 faccessat faccessat2 newfstatat fstatat64 statx execveat
      name_to_handle_at open_tree open_tree_attr fspick mount_setattr setxattrat getxattrat listxattrat
      removexattrat file_getattr file_setattr
      """
    for name in others.split(whereSeparator: \.isWhitespace) { arguments[String(name)] = (0, 0) }
    return arguments
  }()
}
