import CFileWatch
import Glibc
import Linux
import Synchronization

/// Something that happened to an entry of a watched folder.
struct FileNotice: Sendable {
  let path: FilePath
  let isFolder: Bool
  /// A name has come, or is gone.
  let hasArrived: Bool
  let hasLeft: Bool
  let witness: Witness?
}

/// Reads the kernel's events of files, on a thread that does nothing else than to read, to look at
/// /proc while whoever did it lives, and to pass on.
final class FileWatch: ThreadWork {
  /// Notices that may wait; beyond it the folders are looked at anew.
  private static let bound = 65_536
  /// Each event of fanotify brings a descriptor of a process: of so many bytes there are not too many.
  private static let most = 16 << 10

  private struct Queue {
    var notices: [FileNotice] = []
    var hasLost = false
  }

  let folders: WatchedFolders
  let bell: Bell
  private let queue = Mutex(Queue())

  init(_ folders: WatchedFolders) throws(SystemError) {
    self.folders = folders
    bell = try Bell()
  }

  /// What has come since the last time, and whether something was lost.
  func take() -> (notices: [FileNotice], hasLost: Bool) {
    bell.clear()
    return queue.withLock { queue in
      defer { queue = Queue() }
      return (queue.notices, queue.hasLost)
    }
  }

  func run() {
    var buffer = [UInt8](repeating: 0, count: Self.most)
    var events = [fw_event](repeating: fw_event(), count: Self.most / 16)
    while true {
      _ = Poll.wait(folders.descriptor.number, for: .read, milliseconds: -1)
      let result = unsafe buffer.withUnsafeMutableBytes {
        unsafe Transfer.read(folders.descriptor.number, into: $0)
      }
      guard case .bytes(let count) = result else {
        if case .wouldBlock = result { continue }
        // Without events nothing is known of any folder.
        queue.withLock { $0.hasLost = true }
        return bell.ring()
      }
      let found = unsafe buffer.withUnsafeBytes { bytes in
        let (start, most) = (bytes.baseAddress!, Int32(events.count))
        return unsafe folders.source == .fanotify
          ? fw_fanotify_events(start, count, &events, most)
          : fw_inotify_events(start, count, &events, most)
      }
      pass(events[..<max(0, Int(found))], buffer)
    }
  }

  private func pass(_ events: ArraySlice<fw_event>, _ buffer: [UInt8]) {
    var notices: [FileNotice] = []
    var hasLost = false
    var seen: [Int32: Witness] = [:]
    let own = getpid()
    folders.withPaths { path in
      for event in events {
        defer { if event.pidfd >= 0 { close(event.pidfd) } }
        let what = Int(event.what)
        if what & Int(fw_overflow) != 0 {
          hasLost = true
          continue
        }
        let key = buffer[Int(event.key)..<Int(event.key + event.key_count)]
        guard event.pid != own, let folder = path(Array(key)) else { continue }
        let name = buffer[Int(event.name)..<Int(event.name + event.name_count)]
        var witness: Witness?
        if event.pid > 0 {
          witness = seen[event.pid] ?? Witness(of: event)
          seen[event.pid] = witness
        }
        notices.append(
          FileNotice(
            path: name.isEmpty ? folder : folder.appending(FileName(name)),
            isFolder: what & Int(fw_folder) != 0,
            hasArrived: what & Int(fw_arrived) != 0,
            hasLeft: what & Int(fw_left) != 0, witness: witness))
      }
    }
    guard !notices.isEmpty || hasLost else { return }
    queue.withLock { queue in
      if queue.notices.count + notices.count > Self.bound {
        queue.hasLost = true
      } else {
        queue.notices += notices
      }
      if hasLost { queue.hasLost = true }
    }
    bell.ring()
  }
}

extension Witness {
  /// What /proc says of the process of an event, if it is still the same one by its descriptor: another
  /// one may have its number by now.
  fileprivate init(of event: fw_event) {
    let pid = UInt32(event.pid)
    if event.pidfd != fw_gone, event.pidfd != fw_pidfd_failed {
      self.init(pid: pid)
      if event.pidfd < 0 || fw_is_reaped(event.pidfd) == 0 { return }
    }
    self.init(pid: pid, login: .unknown, session: nil)
  }
}
