import CFileWatch
import Linux
import Synchronization

/// The folders whose entries are watched, by what the kernel calls them in its events.
final class WatchedFolders: Sendable {
  enum Source: String, Sendable { case fanotify, inotify }

  let source: Source
  /// Of fanotify or inotify.
  let descriptor: Descriptor
  private let paths = Mutex<[[UInt8]: FilePath]>([:])
  private let devices = Mutex<Set<UInt64>>([])

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
      // A file system is marked once; one that cannot be is watched folder by folder.
      var isMarked = devices.withLock { $0.contains(device) }
      if !isMarked, helper?.mark(path, .fileSystem, on: descriptor.number) == true {
        devices.withLock { _ = $0.insert(device) }
        isMarked = true
      }
      guard isMarked || helper?.mark(path, .folder, on: descriptor.number) == true else {
        return nil
      }
      var bytes = [UInt8](repeating: 0, count: 160)
      let count = unsafe bytes.withUnsafeMutableBytes {
        unsafe fw_handle(name, $0.baseAddress!, $0.count)
      }
      return count > 0 ? Array(bytes[..<count]) : nil
    }
  }

  var count: Int { paths.withLock(\.count) }

  /// The path of a folder that an event names; `nil` for one that is not watched.
  func withPaths(_ body: (([UInt8]) -> FilePath?) -> Void) {
    paths.withLock { paths in body { paths[$0] } }
  }
}
