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

  /// Which processes had them open; 0: it was not noted which.
  private(set) var files: [FileIdentity: Set<UInt32>] = [:]
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
    for name in names where UInt32(name) != nil && name != own {
      do throws(Errno) {
        try open.noteDescriptors(of: name)
        try open.noteMappings(of: name)
      } catch {
        // A process that is gone has nothing open.
        if error != .noSuchFile, error.number != ESRCH, let pid = UInt32(name) {
          open.unseen.insert(Unseen(pid: pid, started: ProcessStart.time(of: name)))
        }
      }
    }
    return open
  }

  /// Whether anybody but these processes is known to have had a file open, or nobody knows.
  func mayBeHeld(_ file: FileIdentity, byOthersThan known: Set<UInt32>) -> Bool {
    !isWhole || files[file]?.isSubset(of: known) == false
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
  private mutating func noteDescriptors(of pid: String) throws(Errno) {
    let folder = "/proc/\(pid)/fd"
    for name in try Files.names(in: folder) {
      do throws(Errno) {
        let link = try Files.status(of: "\(folder)/\(name)", followingLinks: false)
        guard link.mode & 0o200 != 0 else { continue }
        let file = try Files.status(of: "\(folder)/\(name)")
        if file.kind == .regular {
          note(FileIdentity(device: file.device, inode: file.inode), pid)
        }
      } catch {
        if error != .noSuchFile, error.number != ESRCH { throw error }
      }
    }
  }

  /// Lines as `7f…-7f… rw-s 00000000 08:01 271112 /path` (proc_pid_maps(5)).
  private mutating func noteMappings(of pid: String) throws(Errno) {
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
      note(file, pid)
    }
  }

  private mutating func note(_ file: FileIdentity, _ pid: String) {
    files[file, default: []].insert(UInt32(pid) ?? 0)
  }
}

/// As text, for the baseline: `2049:271112:4242 2049:271113:4242 unseen:1:1795813017922`, or `unknown`.
/// Baselines of earlier versions have no processes.
extension OpenFiles {
  var text: String {
    guard isWhole else { return "unknown" }
    return
      (files.flatMap { file, pids in pids.map { "\(file.device):\(file.inode):\($0)" } }
      + unseen.map { "unseen:\($0.pid):\($0.started)" }).sorted().joined(separator: " ")
  }

  /// What is not such a text stands for files that nobody knows.
  init(text: String) {
    for word in text.split(separator: " ") {
      let numbers = word.split(separator: ":").compactMap { Int64($0) }
      if numbers.count == 2, word.hasPrefix("unseen:") {
        unseen.insert(Unseen(pid: UInt32(clamping: numbers[0]), started: numbers[1]))
      } else if (2...3).contains(numbers.count), numbers.allSatisfy({ $0 >= 0 }) {
        let file = FileIdentity(device: UInt64(numbers[0]), inode: UInt64(numbers[1]))
        files[file, default: []].insert(numbers.count == 3 ? UInt32(clamping: numbers[2]) : 0)
      } else {
        isWhole = false
        return
      }
    }
  }
}

/// When a process was started, in milliseconds since 1970; the end of time where nobody knows.
private enum ProcessStart {
  static func time(of pid: String) -> Int64 {
    // Behind the name in brackets, which may hold anything: the 22nd field of proc_pid_stat(5).
    guard let stat = text("/proc/\(pid)/stat"), let end = stat.lastIndex(of: ")"),
      let boot = text("/proc/stat")?.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }
      ),
      let seconds = Int64(boot.dropFirst(6))
    else { return .max }
    let fields = stat[stat.index(after: end)...].split(separator: " ")
    let rate = Int64(sysconf(Int32(_SC_CLK_TCK)))
    guard fields.count > 19, let ticks = Int64(fields[19]), rate > 0 else { return .max }
    return seconds * 1000 + ticks * 1000 / rate
  }

  private static func text(_ path: String) -> String? {
    (try? Transfer.contents(of: path, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
  }
}
