import Glibc
import Keeper
import Linux

/// `/run/audispatch`: who runs, the control socket, `state.json`. One dispatcher at a time has it.
final class RuntimeFolder {
  /// The variable in a plugin's environment by which a dispatcher that it starts knows whom it serves.
  static let variable = "AUDISPATCH_RUNTIME_DIR"

  let path: String
  private var lock: Descriptor?
  private var candidate: Descriptor?
  /// Where this process stands among those that wait for the folder: auditd may start several, one
  /// after the other, while the first one has it.
  private var line: WaitingLine?
  private let came = Moment.now
  private var orphans: Orphans?
  private var children: ChildrenList?
  private var said: Wait?
  private var saidOrphans = false

  /// What the folder is waited for.
  enum Wait: Equatable {
    /// Another dispatcher has it.
    case dispatcher
    /// Somebody else could put there what we act on, or move away what is ours: why.
    case distrust(String)
    /// It cannot be used, or not yet.
    case other
  }

  /// - Parameter lock: what a predecessor had locked, if somebody has kept it.
  init(path: String, lock: consuming Descriptor? = nil) {
    self.path = path
    candidate = lock
  }

  /// Whether this process was started by a plugin that a dispatcher with that folder serves, however
  /// many programs are between: it would serve itself.
  static func isServing(_ path: String) -> Bool {
    if let value = unsafe getenv(RuntimeFolder.variable) {
      let own = unsafe String(cString: value)
      if own == path || (try? Files.resolved(own)) == (try? Files.resolved(path)) { return true }
    }
    // A program in between may have left the environment out.
    let noted = (try? Transfer.contents(of: "\(path)/\(keeperFile)", limit: 32)) ?? []
    let keeper = Int32(String(decoding: noted.prefix { $0 != 0x0a }, as: UTF8.self))
    return Descent.own.isOf(
      ChildrenList.content(in: path).children,
      // A dispatching process's parent is its own.
      keeper: Keeper.isWorker && keeper == getppid() ? nil : keeper)
  }

  /// Whether the folder was taken: only then may plugins be started.
  var isOurs: Bool { lock != nil }

  /// What is locked while the folder is ours.
  var lockNumber: Int32? {
    switch lock {
    case .some(let lock): lock.number
    case nil: nil
    }
  }

  var controlSocket: String { path + "/control.sock" }

  /// Whether a reason to wait is another than was asked about last.
  func isNews(_ wait: Wait) -> Bool {
    defer { said = wait }
    return said != wait
  }

  /// Takes the folder, or says what has to be waited for.
  func take(now: Moment) throws(SystemError) -> Wait? {
    if unsafe mkdir(path, 0o755) != 0, errno != EEXIST {
      throw SystemError("create", path, .current)
    }
    if let reason = try distrust() { return .distrust(reason) }
    if candidate != nil, !isLockFile(candidate?.number ?? -1) { candidate = nil }
    if candidate == nil {
      candidate = try Descriptor.open(path + "/lock", O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o640)
      line = nil
      line = try WaitingLine(path + "/line", place: came)
    }
    guard line?.isFirst ?? true, candidate?.tryLock() ?? false else { return .dispatcher }
    line = nil
    lock = candidate.take()
    let left = ChildrenList.content(in: path)
    orphans = Orphans(left, now: now)
    children = ChildrenList(in: path, left: left)
    return nil
  }

  private func isLockFile(_ number: Int32) -> Bool {
    guard let ours = try? Files.status(of: number),
      let there = try? Files.status(of: path + "/lock", followingLinks: false)
    else { return false }
    return ours.device == there.device && ours.inode == there.inode
  }

  // MARK: A predecessor's plugins

  /// The names of those that are waited for, the first time that there are any.
  func takeOrphanNews() -> Set<String> {
    let names = saidOrphans ? [] : orphans?.names ?? []
    saidOrphans = saidOrphans || !names.isEmpty
    return names
  }

  /// How many are waited for.
  var orphanCount: Int { orphans?.children.count ?? 0 }

  /// Whether one of that name may still run: two generations must not overlap.
  func awaitsEnd(of name: String) -> Bool { orphans?.includes(name) ?? false }

  /// Looks which still run, and asks or makes them to end as their time has come.
  ///
  /// - Returns: when to look again; `nil`: all have ended.
  func tendOrphans(_ now: Moment) -> Moment? {
    guard orphans != nil else { return nil }
    orphans?.tend(now)
    if orphans?.isEmpty ?? true { orphans = nil }
    return orphans?.nextLook(now)
  }

  // MARK: Children

  /// Children are being made: the list of them is there before they are, which holds up nobody.
  func awaitsChildren() { children?.open() }
  func hasStarted(_ name: String, _ pid: Int32) { children?.hasStarted(name, pid) }
  func hasEnded(_ name: String) { children?.hasEnded(name) }

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

  /// Removes what others would take for a running dispatcher's.
  func leave() {
    guard isOurs else { return }
    unsafe unlink(controlSocket)
    unsafe unlink("\(path)/\(Front.socketName)")
    unsafe unlink("\(path)/\(ChildrenList.file)")
    unsafe unlink("\(path)/\(Self.keeperFile)")
    // A keeper that hangs has a copy.
    lock?.unlock()
    lock = nil
  }

  /// Writes a file beside its place and moves it there, so that nobody reads half of it.
  func write(_ name: String, _ text: String, mode: UInt32 = 0o640) throws(SystemError) {
    guard isOurs else { return }
    try Self.replace("\(path)/\(name)", text, mode: mode)
  }

  static func replace(_ place: String, _ text: String, mode: UInt32) throws(SystemError) {
    unsafe unlink(place + ".new")
    let file = try Descriptor.open(
      place + ".new", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode)
    _ = fchmod(file.number, mode)
    do throws(Errno) {
      try Transfer.writeAll(file.number, Array(text.utf8))
    } catch { throw SystemError("write", place, error) }
    guard unsafe rename(place + ".new", place) == 0 else {
      throw SystemError("rename", place, .current)
    }
  }

  /// The number of the process that lives on when this one dies: `audispatchctl` waits while it
  /// does.
  static let keeperFile = "keeper"

  func noteKeeper() {
    // Without it only nobody waits.
    try? write(Self.keeperFile, "\(getppid())\n", mode: 0o644)
  }
}
