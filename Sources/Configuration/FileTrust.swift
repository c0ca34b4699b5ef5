import Linux

/// Whether a file may decide what runs as root: it and the folder it is in belong to root or to
/// the daemon's user, and neither its group nor others may write to them.
struct FileTrust: Sendable {
  /// The daemon's uid.
  var user: UInt32

  struct Objection: Error, Equatable {
    var message: String
    var suggestion: String?
  }

  /// What speaks against a file or folder, nil when nothing does. The message calls it `name`.
  func objection(to status: FileStatus, at path: String, called name: String) -> Objection? {
    if status.owner != 0, status.owner != user {
      let allowed = user == 0 ? "root" : "root or uid \(user)"
      return Objection(
        message: "\(name) belongs to uid \(status.owner), not to \(allowed)",
        suggestion: "chown root \(path)")
    }
    let mode = "mode 0\(String(status.mode, radix: 8))"
    switch (status.mode & 0o020 != 0, status.mode & 0o002 != 0) {
    case (true, true):
      return Objection(
        message: "\(name) can be written by its group and by others (\(mode))",
        suggestion: "chmod go-w \(path)")
    case (true, false):
      return Objection(
        message: "\(name) can be written by its group (\(mode))",
        suggestion: "chmod g-w \(path)")
    case (false, true):
      return Objection(
        message: "\(name) can be written by others (\(mode))", suggestion: "chmod o-w \(path)")
    case (false, false): return nil
    }
  }

  /// What speaks against the folder of a path; and, where the path leads through links, against
  /// the folder of what it leads to.
  func objection(toFolderOf path: String, _ files: FileAccess) -> Objection? {
    var folders = [folder(of: path)]
    if case .success(let resolved) = files.resolved(path) {
      let other = folder(of: resolved)
      if !folders.contains(other) { folders.append(other) }
    }
    for folder in folders {
      switch files.status(folder) {
      case .success(let status):
        if let objection = objection(to: status, at: folder, called: folder) { return objection }
      case .failure(let errno):
        return Objection(message: "cannot examine \(folder): \(errno)")
      }
    }
    return nil
  }
}
