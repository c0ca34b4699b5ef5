import AudispatchPlugin
import Glibc
import Linux

/// What keeps the log from being written.
struct Obstacle: Error, Equatable {
  enum Kind: String, Sendable {
    case full = "disk_full"
    case failure = "disk_error"
    case space = "space_left"
    case size = "max_log_file"
  }

  let kind: Kind
  let text: String

  init(_ kind: Kind, _ text: String) {
    self.kind = kind
    self.text = text
  }

  init(_ error: SystemError) {
    let isFull = error.cause == Errno(ENOSPC) || error.cause == Errno(EDQUOT)
    self.init(isFull ? .full : .failure, "\(error)")
  }

  init(_ operation: String, _ path: String, _ cause: Errno) {
    self.init(SystemError(operation, path, cause))
  }
}

/// The file that is being written: opened, locked, appended to in whole lines.
final class LogFile {
  let path: String
  private let file: Descriptor
  private let status: FileStatus
  /// Bytes in it when it was last written or measured: others may append to it, and cut it.
  private(set) var size: Int
  private(set) var tail: Tail
  /// When it got its first byte, on the monotonic clock; `nil` while it is empty. For a file that
  /// was found it is when that was made, or last written where the file system does not keep it.
  ///
  /// What the records say does not count: those of a backlog are old in a file that is not.
  private(set) var begun: Duration?
  /// Whether this opening made it.
  let isNew: Bool

  var number: Int32 { file.number }

  /// The last bytes that this opening has written without anything of others between them.
  struct Tail: Equatable {
    let file: FileIdentity
    /// Where they end in the file.
    var end = 0
    var count = 0
  }

  var identity: FileIdentity { status.identity }

  static func name(of path: String) -> String {
    String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...])
  }

  /// Opens the log for its end; makes it, and the folder that it is in, if it is not there.
  ///
  /// What a crash has left of a last line is given a newline.
  init(_ path: String, group: UInt32) throws(Obstacle) {
    self.path = path
    do throws(SystemError) {
      isNew = (try? Files.status(of: path)) == nil
      if isNew { try Self.makeFolder(of: path, group: group) }
      let flags = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK
      let mode: UInt32 = group == 0 ? 0o600 : 0o640
      file = try Descriptor.open(path, flags, mode: mode)
      do throws(Errno) {
        status = try Files.status(of: file.number)
        size = try file.size()
        tail = Tail(file: status.identity)
        if status.kind == .regular, status.names < 2 {
          try file.setAccess(mode: mode, group: group)
        }
      } catch { throw SystemError("prepare", path, error) }
    } catch { throw Obstacle(error) }
    guard status.kind == .regular else {
      throw Obstacle(.failure, "\(path) is a \(status.kind.rawValue), not a file")
    }
    guard status.names < 2 else {
      throw Obstacle(.failure, "\(path) is a second name of another file: it is not written to")
    }
    guard file.tryLock() else {
      throw Obstacle(.failure, "\(path) is being written by another audispatch-log")
    }
    if size > 0 {
      let made = Files.born(file.number) ?? status.modified
      begun = MonotonicTime.now - .milliseconds(max(0, WallClock.milliseconds - made / 1_000_000))
    }
    if size > 0, (try? file.bytes(at: size - 1, count: 1)) != [0x0a] {
      let (_, failure) = append([0x0a], from: 0, to: 1)
      if let failure { throw Obstacle("write to", path, failure) }
    }
  }

  private static func makeFolder(of path: String, group: UInt32) throws(SystemError) {
    let folder = Files.folder(of: path)
    guard (try? Files.status(of: folder)) == nil else { return }
    try Files.makeFolder(folder, mode: group == 0 ? 0o700 : 0o750)
    let made = try Descriptor.open(folder, O_RDONLY | O_DIRECTORY)
    do throws(Errno) {
      try made.setAccess(mode: group == 0 ? 0o700 : 0o750, group: group)
    } catch { throw SystemError("prepare", folder, error) }
  }

  /// Whether the path still leads to this file.
  var isInPlace: Bool {
    guard let now = try? Files.status(of: path, followingLinks: false) else { return false }
    return now.identity == identity
  }

  /// Looks whether somebody has cut it.
  func measure() {
    size = (try? file.size()) ?? size
    if size == 0 { begun = nil }
  }

  /// Writes lines; what could not be written of the last of them is taken back.
  ///
  /// - Returns: how many bytes are in the file now, and why not all of them are.
  func append(_ bytes: [UInt8], from start: Int, to end: Int) -> (written: Int, failure: Errno?) {
    var at = start
    while at < end {
      let result = unsafe bytes.withUnsafeBytes { all in
        unsafe Transfer.write(file.number, UnsafeRawBufferPointer(rebasing: all[at..<end]))
      }
      if case .bytes(let count) = result, count > 0 {
        wrote(count)
        at += count
        continue
      }
      var failure = Errno(ENOSPC)
      if case .failed(let errno) = result { failure = errno }
      let whole = bytes[start..<at].lastIndex(of: 0x0a).map { $0 + 1 } ?? start
      if whole < at, takeBack(at - whole) { at = whole }
      measure()
      return (at - start, failure)
    }
    return (at - start, nil)
  }

  private func wrote(_ count: Int) {
    let end = (try? file.position()) ?? size + count
    tail.count = tail.end == end - count ? tail.count + count : count
    tail.end = end
    size = end
    if begun == nil || end == count { begun = MonotonicTime.now }
  }

  /// Cuts off what was written last, unless others have appended to it or cut it: then it stays as
  /// it is, and its record is to be written whole behind theirs.
  ///
  /// - Returns: `false` when it is there and can be continued.
  private func takeBack(_ count: Int) -> Bool {
    guard let now = try? file.size() else { return false }
    let end = tail.end
    let start = end - min(count, tail.count)
    if start < now, now <= end, (try? file.truncate(to: start)) == nil { return false }
    tail.end = start
    tail.count -= end - start
    return true
  }

  /// Writes bytes of the file once more, through an opening that knows of no failure, and has them
  /// synchronised: after a failed synchronisation the system may take them for clean.
  func rewrite(_ bytes: ArraySlice<UInt8>, endingAt end: Int) throws(Obstacle) {
    do throws(SystemError) {
      let again = try Descriptor.open(path, O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK)
      do throws(Errno) {
        try again.write(bytes, at: end - bytes.count)
        try Descriptor.sync(again.number)
      } catch { throw SystemError("write again to", path, error) }
    } catch { throw Obstacle(error) }
  }

  func sync(everything: Bool) throws(Obstacle) {
    do throws(Errno) {
      try Descriptor.sync(file.number, everything: everything)
    } catch { throw Obstacle("sync", path, error) }
  }

  /// Makes it read-only, as auditd does with what it has rotated.
  func close(group: UInt32) throws(Obstacle) {
    do throws(Errno) {
      try file.setAccess(mode: group == 0 ? 0o400 : 0o440, group: group)
    } catch { throw Obstacle("make read-only", path + ".1", error) }
  }
}
