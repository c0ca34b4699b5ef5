import Glibc
import Linux

/// `/run/audispatch`: who runs, the control socket, `state.json`. One dispatcher at a time has it.
struct RuntimeFolder: ~Copyable {
  let path: String
  private var lock: Descriptor?
  private var candidate: Descriptor?
  private var orphans = Orphans()
  private var said: Wait?

  /// What the folder is waited for.
  enum Wait: Equatable {
    /// Another dispatcher has it.
    case dispatcher
    /// Plugins of a killed one, by name, still run: two generations must not overlap.
    case plugins([String])
    /// Somebody else could put there what we act on, or move away what is ours: why.
    case distrust(String)
    /// It cannot be used, or not yet.
    case other
  }

  init(path: String) { self.path = path }

  /// Whether the folder was taken: only then may plugins be started.
  var isOurs: Bool { lock != nil }

  var controlSocket: String { path + "/control.sock" }

  /// Whether a reason to wait is another than was asked about last.
  mutating func isNews(_ wait: Wait) -> Bool {
    defer { said = wait }
    return said != wait
  }

  /// Takes the folder, or says what has to be waited for.
  mutating func take(now: Moment) throws(SystemError) -> Wait? {
    if unsafe mkdir(path, 0o755) != 0, errno != EEXIST {
      throw SystemError("create", path, .current)
    }
    if let reason = try distrust() { return .distrust(reason) }
    if lock == nil, candidate == nil {
      candidate = try Descriptor.open(path + "/lock", O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o640)
    }
    guard candidate?.tryLock() ?? false else { return .dispatcher }
    guard let left = orphans.remaining(in: path, now: now) else { return .other }
    guard left.isEmpty else { return .plugins(left.map(\.name)) }
    lock = candidate.take()
    return nil
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

  /// Removes what others would take for a running dispatcher's.
  mutating func leave() {
    guard isOurs else { return }
    unsafe unlink(controlSocket)
    unsafe unlink("\(path)/\(Orphans.file)")
    unsafe unlink("\(path)/\(Self.holderFile)")
    lock = nil
  }

  /// Writes a file beside its place and moves it there, so that nobody reads half of it.
  func write(_ name: String, _ text: String, mode: UInt32 = 0o640) throws(SystemError) {
    guard isOurs else { return }
    let place = "\(path)/\(name)"
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
  static let holderFile = "holder"

  func noteHolder() {
    // Without it only nobody waits.
    try? write(Self.holderFile, "\(getppid())\n", mode: 0o644)
  }

  /// Notes who our children are, for a successor should we be killed; before a start that one comes.
  func noteChildren(_ plugins: [Plugin], starting: Plugin? = nil) {
    // Without it a successor only cannot wait for them.
    try? write(Orphans.file, Orphans.list(plugins, starting: starting))
  }
}
