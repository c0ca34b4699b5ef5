import Glibc
import Linux

/// The files that somebody had open for writing at one moment, or mapped so.
///
/// Who has opened a file may write it later, of which no record tells. So it is looked through the
/// descriptors and the mappings of all processes before a scan: nothing is opened for that, and
/// nobody is held up. What is on its way between two processes at that moment is not seen.
struct OpenFiles: Equatable, Sendable {
  /// A process that could not be looked at, as one with more rights than this.
  struct Unseen: Hashable, Sendable {
    var pid: UInt32
    /// In milliseconds since 1970.
    var started: Int64
  }

  /// A process that has a file open. Its number alone may have been another one's before.
  struct Holder: Hashable, Sendable {
    /// 0: it was not noted which.
    var pid: UInt32
    /// In milliseconds since 1970; the end of time where that was not noted.
    var started: Int64

    /// Whether it is the process of that number which did something at that time: the kernel's clocks
    /// for both go on in steps of at most 10 ms.
    func did(at time: Int64) -> Bool { started <= time + 20 }
  }

  /// By whom.
  private(set) var files: [FileIdentity: Set<Holder>] = [:]
  private(set) var unseen: Set<Unseen> = []
  /// Whether there were processes to look at: else any file may have been open.
  private(set) var isWhole = true

  init() {}

  /// As they are now.
  static var current: OpenFiles {
    var open = OpenFiles()
    guard let names = try? Files.names(in: "/proc"), names.contains("self") else {
      open.isWhole = false
      return open
    }
    let own = String(getpid())
    let boot = ProcessStart.boot
    for name in names where name != own {
      guard let pid = UInt32(name) else { continue }
      var held: Set<FileIdentity> = []
      do throws(Errno) {
        try noteDescriptors(of: name, &held)
        try noteMappings(of: name, &held)
      } catch {
        // A process that is gone has nothing open.
        if error != .noSuchFile, error.number != ESRCH {
          open.unseen.insert(Unseen(pid: pid, started: ProcessStart.time(of: name, since: boot)))
        }
      }
      if held.isEmpty { continue }
      let holder = Holder(pid: pid, started: ProcessStart.time(of: name, since: boot))
      for file in held { open.files[file, default: []].insert(holder) }
    }
    return open
  }

  /// Whether anybody but these processes is known to have had a file open, or nobody knows.
  ///
  /// - Parameter known: when each is known to have opened it last.
  func mayBeHeld(_ file: FileIdentity, byOthersThan known: [UInt32: Int64]) -> Bool {
    !isWhole
      || files[file]?.allSatisfy { holder in known[holder.pid].map(holder.did) == true } == false
  }

  /// Whether somebody may have had a file open that a process had opened at that time.
  ///
  /// Descriptors are inherited: a process that was not looked at can have it if it is that process,
  /// or was started later.
  func mayHold(_ file: FileIdentity, openedBy pid: UInt32, at time: Int64) -> Bool {
    !isWhole || files[file] != nil
      || unseen.contains { $0.pid == pid || $0.started > time - 2000 }
  }

  /// The links there have the rights with which a file is open as their mode (proc_pid_fd(5)).
  private static func noteDescriptors(
    of pid: String, _ held: inout Set<FileIdentity>
  ) throws(Errno) {
    let folder = "/proc/\(pid)/fd"
    for name in try Files.names(in: folder) {
      do throws(Errno) {
        let link = try Files.status(of: "\(folder)/\(name)", followingLinks: false)
        guard link.mode & 0o200 != 0 else { continue }
        let file = try Files.status(of: "\(folder)/\(name)")
        if file.kind == .regular {
          held.insert(FileIdentity(device: file.device, inode: file.inode))
        }
      } catch {
        if error != .noSuchFile, error.number != ESRCH { throw error }
      }
    }
  }

  /// Lines as `7f…-7f… rw-s 00000000 08:01 271112 /path` (proc_pid_maps(5)).
  private static func noteMappings(
    of pid: String, _ held: inout Set<FileIdentity>
  ) throws(Errno) {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try Transfer.contents(of: "/proc/\(pid)/maps", limit: 16 << 20)
    } catch { throw error.cause }
    for line in bytes.split(separator: 0x0a) {
      let words = line.split(separator: 0x20, maxSplits: 5)
      guard words.count > 4, words[1].count == 4, words[1].dropFirst().first == 0x77,
        words[1].last == 0x73,
        let file = FileIdentity(inode: Array(words[4]), device: Array(words[3])), file.inode != 0
      else { continue }
      held.insert(file)
    }
  }
}

/// As text, for the baseline: `2049:271112:4242:1795813017922 unseen:1:1795813017922`, or `unknown`.
/// Baselines of earlier versions have no processes, or do not say when these were started.
extension OpenFiles {
  var text: String {
    guard isWhole else { return "unknown" }
    return
      (files.flatMap { file, holders in
        holders.map { "\(file.device):\(file.inode):\($0.pid):\($0.started)" }
      }
      + unseen.map { "unseen:\($0.pid):\($0.started)" }).sorted().joined(separator: " ")
  }

  /// What is not such a text stands for files that nobody knows.
  init(text: String) {
    for word in text.split(separator: " ") {
      let numbers = word.split(separator: ":").compactMap { Int64($0) }
      if numbers.count == 2, word.hasPrefix("unseen:") {
        unseen.insert(Unseen(pid: UInt32(clamping: numbers[0]), started: numbers[1]))
      } else if (2...4).contains(numbers.count), numbers.allSatisfy({ $0 >= 0 }) {
        let file = FileIdentity(device: UInt64(numbers[0]), inode: UInt64(numbers[1]))
        files[file, default: []].insert(
          Holder(
            pid: numbers.count > 2 ? UInt32(clamping: numbers[2]) : 0,
            started: numbers.count > 3 ? numbers[3] : .max))
      } else {
        isWhole = false
        return
      }
    }
  }
}

/// When a process was started, in milliseconds since 1970; the end of time where nobody knows.
private enum ProcessStart {
  /// When the host was started, by the clock as it is set now. Rather too late than too early, as where
  /// this process had to wait in between: then a process counts as another one.
  static var boot: Int64 {
    (0..<4).map { _ in
      var now = timespec()
      unsafe clock_gettime(CLOCK_BOOTTIME, &now)
      return WallClock.milliseconds - Int64(now.tv_sec) * 1000 - Int64(now.tv_nsec) / 1_000_000
    }.min() ?? .max
  }

  static func time(of pid: String, since boot: Int64) -> Int64 {
    // Behind the name in brackets, which may hold anything: the 22nd field of proc_pid_stat(5).
    guard let bytes = try? Transfer.contents(of: "/proc/\(pid)/stat", limit: 1 << 20) else {
      return .max
    }
    let stat = String(decoding: bytes, as: UTF8.self)
    guard let end = stat.lastIndex(of: ")") else { return .max }
    let fields = stat[stat.index(after: end)...].split(separator: " ")
    let rate = Int64(sysconf(Int32(_SC_CLK_TCK)))
    guard fields.count > 19, let ticks = Int64(fields[19]), rate > 0 else { return .max }
    return boot + ticks * 1000 / rate
  }
}
