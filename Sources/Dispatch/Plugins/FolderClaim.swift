import Glibc
import Keeper
import Linux

/// How the runtime folder is taken. One dispatcher at a time has it. May wait as long as its disk.
struct FolderClaim: ~Copyable, Sendable {
  enum Outcome: Sendable {
    /// It is ours, as long as this descriptor is open, or a copy of it; with what a predecessor has left.
    case ours(lock: Int32, ChildrenList.Content)
    case waits(RuntimeFolder.Wait)
  }

  private let path: String
  private var candidate: Descriptor?
  /// Where this process stands among those that wait for the folder: auditd may start several, one
  /// after the other, while the first one has it.
  private var line: WaitingLine?
  /// When this process came, and not when its thread had its first turn: its place in the line, unless
  /// it has been given one.
  private let came = Moment.now

  /// - Parameters:
  ///   - lock: what a predecessor had locked, if somebody has kept it.
  ///   - line: a place that was taken for this process.
  init(_ path: String, lock: consuming Descriptor? = nil, line: consuming WaitingLine? = nil) {
    self.path = path
    candidate = lock
    self.line = line
  }

  /// Takes the folder, or says what has to be waited for.
  mutating func take() throws(SystemError) -> Outcome {
    if unsafe mkdir(path, 0o755) != 0, errno != EEXIST {
      throw SystemError("create", path, .current)
    }
    if let reason = try distrust() { return .waits(.distrust(reason)) }
    if candidate != nil, !isLockFile(candidate?.number ?? -1) { candidate = nil }
    if candidate == nil {
      candidate = try Descriptor.open(path + "/lock", O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o640)
      if line == nil { line = try WaitingLine("\(path)/\(Front.lineName)", place: came) }
    }
    guard line?.isFirst ?? true, candidate?.tryLock() ?? false else { return .waits(.dispatcher) }
    line?.leave()
    line = nil
    guard let lock = candidate.take() else { preconditionFailure("just locked") }
    return .ours(lock: lock.release(), ChildrenList.content(in: path))
  }

  private func isLockFile(_ number: Int32) -> Bool {
    guard let ours = try? Files.status(of: number),
      let there = try? Files.status(of: path + "/lock", followingLinks: false)
    else { return false }
    return ours.device == there.device && ours.inode == there.inode
  }

  /// What speaks against the folder: its list of children is acted on, as root.
  private func distrust() throws(SystemError) -> String? {
    let folder = try Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    do throws(Errno) {
      let status = try Files.status(of: folder.number)
      if status.owner != 0, status.owner != geteuid() { return "belongs to uid \(status.owner)" }
      if status.mode & 0o002 != 0 { return "everybody may write to it" }
      if status.mode & 0o020 != 0, status.group != 0, status.group != getegid() {
        return "the group with gid \(status.group) may write to it"
      }
      return nil
    } catch { throw SystemError("look at", path, error) }
  }
}
