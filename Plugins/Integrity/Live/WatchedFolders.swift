import CFileWatch
import Glibc
import Linux
import Synchronization

/// The folders whose entries are watched, by what the kernel calls them in its events.
final class WatchedFolders: Sendable {
  enum Source: String, Sendable { case fanotify, inotify }

  let source: Source
  /// Of fanotify or inotify.
  let descriptor: Descriptor
  private let paths = Mutex<[[UInt8]: FilePath]>([:])
  private let devices = Mutex(MarkedDevices())

  /// By fanotify if the helper may have whole file systems: without that it would watch folder by
  /// folder too, and not say who it was. Else by inotify.
  init(_ helper: Helper?) throws(SystemError) {
    if let helper, let fanotify = helper.fanotify() {
      descriptor = fanotify
      source = .fanotify
      return
    }
    let inotify = fw_inotify()
    guard inotify >= 0 else { throw SystemError("watch", "files", .current) }
    descriptor = Descriptor(owning: inotify)
    source = .inotify
  }

  /// Watches a folder from now on; `false` where that cannot be.
  func add(_ path: FilePath, device: UInt64, by helper: Helper?) -> Bool {
    let name = path.bytes + [0]
    return unsafe name.withUnsafeBytes { bytes in
      let name = unsafe bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
      guard let key = unsafe key(of: path, name, device, helper) else { return false }
      paths.withLock { $0[key] = path }
      return true
    }
  }

  private func key(
    of path: FilePath, _ name: UnsafePointer<CChar>, _ device: UInt64, _ helper: Helper?
  ) -> [UInt8]? {
    switch source {
    case .inotify:
      let number = unsafe fw_watch(descriptor.number, name)
      guard number >= 0 else { return nil }
      return unsafe withUnsafeBytes(of: number) { unsafe Array($0) }
    case .fanotify:
      guard let helper, marks(path, device, helper) else { return nil }
      var bytes = [UInt8](repeating: 0, count: 160)
      let count = unsafe bytes.withUnsafeMutableBytes {
        unsafe fw_handle(name, $0.baseAddress!, $0.count)
      }
      return count > 0 ? Array(bytes[..<count]) : nil
    }
  }

  /// A file system is marked once; one that cannot be is watched folder by folder.
  private func marks(_ path: FilePath, _ device: UInt64, _ helper: Helper) -> Bool {
    var isMarked = devices.withLock { $0.isMarked(device) }
    if isMarked == nil {
      let failure = helper.mark(path, .fileSystem, on: descriptor.number)
      isMarked = devices.withLock { $0.note(device, failure) }
    }
    return isMarked == true || helper.mark(path, .folder, on: descriptor.number) == nil
  }

  /// Has file systems tried again that could not be marked whole.
  func forgetRefusals() { devices.withLock { $0.forgetRefusals() } }

  /// Has all marked again: the number of a device that is gone may be another one's now.
  func forgetMarks() { devices.withLock { $0 = MarkedDevices() } }

  var count: Int { paths.withLock(\.count) }

  /// The path of a folder that an event names; `nil` for one that is not watched.
  func withPaths(_ body: (([UInt8]) -> FilePath?) -> Void) {
    paths.withLock { paths in body { paths[$0] } }
  }
}

/// Which file systems are marked whole, by the numbers of their devices, and which cannot be: a value.
struct MarkedDevices {
  private var marks: [UInt64: Bool] = [:]

  /// `nil`: that is to be tried.
  func isMarked(_ device: UInt64) -> Bool? { marks[device] }

  mutating func forgetRefusals() { marks = marks.filter(\.value) }

  /// Whether one is, now that it was tried. What says nothing of it is not remembered: that the helper
  /// was silent or gone, or the folder was.
  mutating func note(_ device: UInt64, _ failure: Errno?) -> Bool {
    let passing = [ETIMEDOUT, ECONNRESET, EAGAIN, ENOENT, ENOTDIR]
    if failure.map({ passing.contains($0.number) }) != true { marks[device] = failure == nil }
    return failure == nil
  }
}
