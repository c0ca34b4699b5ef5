public import Linux

/// The questions that loading asks about files, so that a test can answer them without root.
public struct FileAccess: Sendable {
  /// Kind, owner and mode of what a path leads to, links followed.
  public var status: @Sendable (_ path: String) -> Result<FileStatus, Errno>
  /// Of the path itself, links not followed.
  public var linkStatus: @Sendable (_ path: String) -> Result<FileStatus, Errno>
  /// The names in a folder, in any order.
  public var names: @Sendable (_ folder: String) -> Result<[String], Errno>
  /// The path without links.
  public var resolved: @Sendable (_ path: String) -> Result<String, Errno>
  /// At most `limit` bytes of a regular file with the status of what was opened; without bytes
  /// when that is no regular file. Never waits.
  public var contents: @Sendable (_ path: String, _ limit: Int) -> FileContents

  public init(
    status: @escaping @Sendable (String) -> Result<FileStatus, Errno>,
    linkStatus: @escaping @Sendable (String) -> Result<FileStatus, Errno>,
    names: @escaping @Sendable (String) -> Result<[String], Errno>,
    resolved: @escaping @Sendable (String) -> Result<String, Errno>,
    contents: @escaping @Sendable (String, Int) -> FileContents
  ) {
    self.status = status
    self.linkStatus = linkStatus
    self.names = names
    self.resolved = resolved
    self.contents = contents
  }

  /// The files of this host.
  public static let system = FileAccess(
    status: { path in Result { () throws(Errno) in try Files.status(of: path) } },
    linkStatus: { path in
      Result { () throws(Errno) in try Files.status(of: path, followingLinks: false) }
    },
    names: { folder in Result { () throws(Errno) in try Files.names(in: folder) } },
    resolved: { path in Result { () throws(Errno) in try Files.resolved(path) } },
    contents: { path, limit in FileContents(of: path, limit: limit) })
}

/// What a file holds. Not a `Result`: the first use of one over a tuple costs a start 0.3 ms.
public enum FileContents: Sendable {
  case success(FileStatus, [UInt8]?)
  case failure(Errno)

  /// Of a file of this host.
  public init(of path: String, limit: Int) {
    do throws(Errno) {
      let (status, bytes) = try Files.contents(of: path, limit: limit)
      self = .success(status, bytes)
    } catch { self = .failure(error) }
  }
}

/// The path without slashes at its end.
func withoutSlash(_ path: String) -> String {
  var path = path[...]
  while path.utf8.count > 1, path.hasSuffix("/") { path = path.dropLast() }
  return String(path)
}
