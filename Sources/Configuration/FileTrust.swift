import Linux

/// Whether a file may decide what runs as root: it and the folder it is in belong to root or to
/// the daemon's user, and neither its group nor others may write to them.
package struct FileTrust: Sendable {
  /// The daemon's uid.
  var user: UInt32

  package init(user: UInt32) { self.user = user }

  /// What a configuration file holds, if it may be trusted; `nil` when it is not there and may be
  /// missing. `/dev/null` holds nothing, whoever may write to it. Blocks for as long as reading a small file does; never for a FIFO or a device.
  package func contents(
    of path: String, mayBeMissing: Bool, _ files: FileAccess
  ) throws(Diagnostic) -> [UInt8]? {
    if path == "/dev/null" { return [] }
    switch files.contents(path, ConfigurationText.fileLimit + 1) {
    case .failure(.noSuchFile) where mayBeMissing: return nil
    case .failure(let errno): throw Diagnostic(.error, file: path, "cannot be read: \(errno)")
    case .success(let status, nil):
      throw Diagnostic(.error, file: path, "a \(status.kind.rawValue), not a file")
    case .success(let status, let bytes?):
      if let objection = objection(to: status, at: path, called: "it")
        ?? objection(toFolderOf: path, files)
      {
        throw Diagnostic(.error, file: path, objection.message, suggestion: objection.suggestion)
      }
      return bytes
    }
  }

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
    var folders = [Files.folder(of: path)]
    if case .success(let resolved) = files.resolved(path) {
      let other = Files.folder(of: resolved)
      if !folders.contains(other) { folders.append(other) }
    }
    for folder in folders {
      switch files.status(folder) {
      case .success(let status):
        if var objection = objection(to: status, at: folder, called: folder) {
          // Everybody's folder, such as /tmp, is to stay that.
          if status.mode & 0o1002 == 0o1002 {
            objection.suggestion = "use a folder that only root can write to"
          }
          return objection
        }
      case .failure(let errno):
        return Objection(message: "cannot examine \(folder): \(errno)")
      }
    }
    return nil
  }
}
