import AudispatchPlugin
import Glibc
import Linux

/// What the kernel tells of files and of mounts: which folders it is watched in, and what is mounted there.
///
/// It states no deadline: its bell calls. It reads events and mountinfo on threads of their own, and has
/// folders watched with the rights of the helper.
struct Watching {
  private let files: FileWatch
  private let mountWatch: MountWatch
  private var mounts: MountState
  private var reach: MountReach
  /// How often events were lost.
  private(set) var overflows = 0
  /// Folders that could not be watched when that was tried last.
  private var failed: Set<FilePath> = []

  init(_ helper: Helper?) throws(SystemError) {
    let files = try FileWatch(WatchedFolders(helper))
    self.files = files
    mountWatch = try MountWatch { files.bell.ring() }
    mounts = MountState(MountPoints.mounts)
    reach = MountReach { files.bell.ring() }
  }

  /// Begins the threads. Those that come later may not look into other processes.
  func begin() throws(SystemError) {
    try WorkThread(files).detach()
    try WorkThread(mountWatch).detach()
  }

  /// Readable when something has come.
  var descriptor: Int32 { files.bell.number }

  /// Has the plugin look at what has come, from any thread.
  var bell: @Sendable () -> Void {
    let files = files
    return { files.bell.ring() }
  }

  /// How many folders are watched, and by what.
  var folders: Int { files.folders.count }
  var source: WatchedFolders.Source { files.folders.source }

  /// How many folders are not watched that are to be.
  var unwatched: Int { failed.count }

  // MARK: Files

  /// What has come since the last time, and whether something was lost.
  mutating func take() -> (notices: [FileNotice], hasLost: Bool) {
    let taken = files.take()
    if taken.hasLost { overflows += 1 }
    return taken
  }

  /// Watches one that no rule need name. One that is not there is said elsewhere, where it has to be.
  mutating func add(_ path: FilePath, by helper: Helper?, _ log: inout PluginLog) {
    let facts: FileFacts
    do throws(Errno) { facts = try Folder(path.bytes).facts() } catch {
      if error != Errno(ENOENT) { cannotWatch(path, &log) }
      return
    }
    watch(path, facts.device, by: helper, &log)
  }

  private mutating func watch(
    _ path: FilePath, _ device: UInt64, by helper: Helper?, _ log: inout PluginLog
  ) {
    if files.folders.add(path, device: device, by: helper) {
      failed.remove(path)
    } else {
      cannotWatch(path, &log)
    }
  }

  private mutating func cannotWatch(_ path: FilePath, _ log: inout PluginLog) {
    if failed.isEmpty {
      log.write(
        .warning, "\(path.shown) cannot be watched, and perhaps others: scans alone see them")
    }
    failed.insert(path)
  }

  mutating func addRoots(of policy: Policy, by helper: Helper?, _ log: inout PluginLog) {
    files.folders.forgetRefusals()
    // A root may lie in a mount that does not answer.
    _ = tryMounts(policy)
    for root in policy.roots {
      // The root itself is an entry of the folder that it is in.
      if isReachable(root.folder) { add(root.folder, by: helper, &log) }
      addTree(root, of: policy, by: helper, &log)
    }
  }

  /// Watches a folder and those below it. What comes into one before it is watched is found by the
  /// scan that follows.
  mutating func addTree(
    _ root: FilePath, of policy: Policy, by helper: Helper?, _ log: inout PluginLog
  ) {
    var waiting = [root]
    while let path = waiting.popLast() {
      guard isReachable(path), let folder = try? Folder(path.bytes),
        let facts = try? folder.facts(),
        let kind = try? folder.fileSystem(),
        FileSystemKind.madeUp[kind & 0xffff_ffff] == nil
      else { continue }
      watch(path, facts.device, by: helper, &log)
      for (name, kind) in (try? folder.entries()) ?? [] where kind == .directory || kind == nil {
        let child = path.appending(name)
        if policy.decision(for: child).leadsOn { waiting.append(child) }
      }
    }
  }

  // MARK: Mounts

  /// The paths whose files may be other ones since something was mounted or unmounted.
  mutating func takeMounts(_ policy: Policy) -> [FilePath] {
    mountWatch.take() ? mounts.take(MountPoints.mounts, policy) : []
  }

  /// Those that answer by now, and did not before.
  mutating func takeAnswered() -> [FilePath] { reach.takeAnswered() }

  /// Has everything marked again: the number of a device that is gone may be another one's now.
  func forgetMarks() { files.folders.forgetMarks() }

  /// Whether a folder can be looked into without waiting for what is mounted there.
  mutating func isReachable(_ path: FilePath) -> Bool {
    !isSilent(path) && (!mounts.points.contains(path) || reach.answers(path))
  }

  /// Tries everything that is mounted on the way to what is watched, and below: whether any of it is
  /// silent.
  mutating func tryMounts(_ policy: Policy) -> Bool {
    for point in mounts.points.sorted() {
      let concerns = policy.roots.contains { root in
        root.isWithin(point) || point.isWithin(root) && policy.decision(for: point).leadsOn
      }
      if concerns { _ = isReachable(point) }
    }
    return hasSilent
  }

  /// Whether a path lies where nothing answers.
  func isSilent(_ path: FilePath) -> Bool { reach.covers(path) }

  var hasSilent: Bool { !reach.silent.isEmpty }

  /// What is not mounted as it was at the start, or does not answer, as sentences.
  func findings(_ policy: Policy) -> [String] {
    mounts.findings(policy)
      + reach.silent.map { "\($0.shown) does not answer: what is in it is not seen" }
  }
}
