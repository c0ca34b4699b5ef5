import AudispatchPlugin
import Glibc
import Linux

/// Compresses rotated files, one at a time, in a process of its own at the lowest priority: what
/// it takes, and what becomes of it, touches nothing else.
///
/// It reads and writes descriptors and knows no names: a rotation may give its file another number
/// meanwhile. When it is done, and its output is on the disk, the copy takes the name that the
/// file then has, and the file goes. A crash leaves `.audit.log.gz`, which the next start removes,
/// or a copy beside its original, which stays.
///
/// It takes room before it gives any: it begins only where its copy fits beside the file, and what
/// failed is taken away, and not begun again at once.
struct Compression {
  enum Format: String, CaseIterable, Sendable { case no, gzip }

  static let program = "/usr/bin/gzip"

  /// The name of a copy that is being made.
  static func unfinished(_ base: String) -> String { ".\(base).gz" }

  private let folder: LogFolder
  private var work: Work?
  /// How long none begins after a failure.
  private var pause = DoublingPause(from: .seconds(60), to: .seconds(3600))
  private var notBefore = Duration.zero

  private final class Work {
    let process: ChildProcess
    let source: FileStatus
    let copy: Descriptor
    /// Ends when all of its processes have.
    let life: Descriptor
    init(
      _ process: consuming ChildProcess, _ source: FileStatus, copy: consuming Descriptor,
      life: consuming Descriptor
    ) {
      self.process = process
      self.source = source
      self.copy = copy
      self.life = life
    }
  }

  init(_ folder: LogFolder) { self.folder = folder }

  /// The process that is waited for.
  var pidfd: Int32? { work.map { $0.process.pidfd } }

  /// Starts with the youngest file that is to be compressed, if there is one, it is not larger than
  /// the room for its copy, and nothing runs.
  mutating func start(leaving count: Int, group: UInt32, room: Int) throws(Obstacle) {
    guard work == nil, notBefore <= MonotonicTime.now,
      let file = try folder.files().compressible(leaving: count)
    else { return }
    do throws(Obstacle) {
      try start(file, group: group, room: room)
    } catch {
      giveUp()
      throw error
    }
  }

  private mutating func start(
    _ file: RotatedFiles.File, group: UInt32, room: Int
  ) throws(Obstacle) {
    let mode: UInt32 = group == 0 ? 0o400 : 0o440
    do throws(SystemError) {
      let path = folder.full(folder.name(file))
      let source = try Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      if let size = try? source.length(), size > room { return }
      let copyPath = folder.full(Self.unfinished(folder.base))
      let copy = try Descriptor.open(copyPath, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: mode)
      let status: FileStatus
      let isOurs: Bool
      do throws(Errno) {
        status = try Files.status(of: source.number)
        // The content of another file is not for those who read the log.
        isOurs = status.kind == .regular && status.names < 2
        if isOurs { try copy.setAccess(mode: mode, group: group) }
      } catch { throw SystemError("prepare", copyPath, error) }
      guard isOurs else { throw SystemError("compress", path, Errno(EMLINK)) }
      let pipe = try Pipe()
      let reading = pipe.reading
      let writing = pipe.writing
      do throws(SpawnError) {
        work = Work(
          try ChildProcess(
            path: "/bin/sh",
            arguments: [
              "-c", "nice -n 19 \(Self.program) -c && exec sync -d /proc/self/fd/1",
            ],
            environment: ["PATH=/usr/bin:/bin"], input: source.number, output: copy.number,
            error: writing.number), status, copy: copy, life: reading)
      } catch { throw SystemError("start", Self.program, error.cause) }
    } catch { throw Obstacle(error) }
  }

  /// Looks whether it has ended; puts the copy into its place. Tells what was compressed.
  mutating func finish() throws(Obstacle) -> String? {
    guard let work, let end = work.process.reap() else { return nil }
    self.work = nil
    do throws(Obstacle) {
      guard end == .exit(0) else {
        throw Obstacle(
          .failure, "cannot compress a rotated file: \(Self.program) ended with \(end)")
      }
      let path = try putInPlace(work.source)
      pause.reset()
      return path
    } catch {
      giveUp()
      throw error
    }
  }

  /// Takes the copy away, and waits with the next.
  private mutating func giveUp() {
    notBefore = MonotonicTime.now + pause.next()
    unsafe unlink(folder.full(Self.unfinished(folder.base)))
  }

  private func putInPlace(_ source: FileStatus) throws(Obstacle) -> String? {
    let copy = folder.full(Self.unfinished(folder.base))
    // Where is the file now? It may have gone, too.
    let files = try folder.files()
    let found = files.files.first { file in
      guard !file.isCompressed,
        let status = try? Files.status(of: folder.full(files.name(file)), followingLinks: false)
      else { return false }
      return status.inode == source.inode && status.device == source.device
    }
    do throws(SystemError) {
      guard let found else {
        try Files.remove(copy)
        return nil
      }
      let path = folder.full(files.name(found))
      try Files.rename(copy, to: path + ".gz")
      try Files.remove(path)
      return path + ".gz"
    } catch { throw Obstacle(error) }
  }

  /// Stops what runs, and gives back its room: what was begun is begun again, some time later or
  /// with the next start.
  ///
  /// - Returns: whether anything ran.
  @discardableResult
  mutating func stop() -> Bool {
    guard let work else { return false }
    work.process.signalGroup(SIGKILL)
    _ = Poll.wait(work.process.pidfd, for: .read, milliseconds: 1000)
    _ = Poll.wait(work.life.number, for: .read, milliseconds: 1000)
    _ = work.process.reap()
    // Removed, it would have its room until the system is done with those that had it open.
    try? work.copy.truncate(to: 0)
    self.work = nil
    giveUp()
    return true
  }
}

extension LogFolder {
  fileprivate func name(_ file: RotatedFiles.File) -> String {
    RotatedFiles(of: base, among: []).name(file)
  }
}
