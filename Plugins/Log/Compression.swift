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
struct Compression {
  enum Format: String, CaseIterable, Sendable { case no, gzip }

  static let program = "/usr/bin/gzip"

  /// The name of a copy that is being made.
  static func unfinished(_ base: String) -> String { ".\(base).gz" }

  private let folder: LogFolder
  private var work: Work?

  private final class Work {
    let process: ChildProcess
    let source: FileStatus
    init(_ process: consuming ChildProcess, _ source: FileStatus) {
      self.process = process
      self.source = source
    }
  }

  init(_ folder: LogFolder) { self.folder = folder }

  /// The process that is waited for.
  var pidfd: Int32? { work.map { $0.process.pidfd } }

  /// Starts with the youngest file that is to be compressed, if there is one and nothing runs.
  mutating func start(leaving count: Int, group: UInt32) throws(Obstacle) {
    guard work == nil, let file = try folder.files().compressible(leaving: count) else { return }
    let mode: UInt32 = group == 0 ? 0o400 : 0o440
    do throws(SystemError) {
      let path = folder.full(folder.name(file))
      let source = try Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      let copyPath = folder.full(Self.unfinished(folder.base))
      let copy = try Descriptor.open(copyPath, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: mode)
      let status: FileStatus
      do throws(Errno) {
        status = try Files.status(of: source.number)
        try copy.setAccess(mode: mode, group: group)
      } catch { throw SystemError("prepare", copyPath, error) }
      let null = try Descriptor.open("/dev/null", O_WRONLY)
      do throws(SpawnError) {
        work = Work(
          try ChildProcess(
            path: "/bin/sh",
            arguments: [
              "-c", "nice -n 19 \(Self.program) -c && exec sync -d /proc/self/fd/1",
            ],
            environment: ["PATH=/usr/bin:/bin"], input: source.number, output: copy.number,
            error: null.number), status)
      } catch { throw SystemError("start", Self.program, error.cause) }
    } catch { throw Obstacle(error) }
  }

  /// Looks whether it has ended; puts the copy into its place. Tells what was compressed.
  mutating func finish() throws(Obstacle) -> String? {
    guard let work, let end = work.process.reap() else { return nil }
    self.work = nil
    let copy = folder.full(Self.unfinished(folder.base))
    guard end == .exit(0) else {
      throw Obstacle(.failure, "cannot compress a rotated file: \(Self.program) ended with \(end)")
    }
    // Where is the file now? It may have gone, too.
    let files = try folder.files()
    let found = files.files.first { file in
      guard !file.isCompressed,
        let status = try? Files.status(of: folder.full(files.name(file)), followingLinks: false)
      else { return false }
      return status.inode == work.source.inode && status.device == work.source.device
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

  /// Stops what runs: at the end, the next start begins again.
  mutating func stop() {
    guard let work else { return }
    work.process.signal(SIGKILL)
    _ = Poll.wait(work.process.pidfd, for: .read, milliseconds: 1000)
    _ = work.process.reap()
    self.work = nil
    try? Files.remove(folder.full(Self.unfinished(folder.base)))
  }
}

extension LogFolder {
  fileprivate func name(_ file: RotatedFiles.File) -> String {
    RotatedFiles(of: base, among: []).name(file)
  }
}
