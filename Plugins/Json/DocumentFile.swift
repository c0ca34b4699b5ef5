import AudispatchPlugin
import Glibc
import Linux

/// A file of lines that is rotated when it is full: `FILE.1` is the youngest of those before it.
///
/// Only root can read it, and a group if one is given; rotated files cannot be written. One that was
/// moved or removed by somebody else is noticed within a second, and a new one is begun.
final class DocumentFile: Destination {
  let name: String
  private let group: UInt32
  private let maximumSize: Int
  private let count: Int
  private let syncs: Bool

  private var file: Opened?
  private var identity: (device: UInt64, inode: UInt64) = (0, 0)
  private var size = 0
  /// Bytes behind the last newline.
  private var begun = 0
  private var lookedAt = Duration.zero

  let descriptor: Int32? = nil

  init(_ path: String, _ options: JSONOptions) {
    name = path
    group = options.group
    maximumSize = options.maximumSize
    count = options.fileCount
    syncs = options.syncs
  }

  func close() { file = nil }

  func open() throws(DestinationFailure) -> Waiting? {
    try begin()
    return nil
  }

  private func begin() throws(DestinationFailure) {
    close()
    do throws(SystemError) {
      let folder = Files.folder(of: name)
      if (try? Files.status(of: folder)) == nil {
        try Files.makeFolder(folder, mode: group == 0 ? 0o700 : 0o750)
        let made = try Descriptor.open(folder, O_RDONLY | O_DIRECTORY)
        do throws(Errno) {
          try made.setAccess(mode: group == 0 ? 0o700 : 0o750, group: group)
        } catch { throw SystemError("prepare", folder, error) }
      }
      let flags = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK
      let mode: UInt32 = group == 0 ? 0o600 : 0o640
      let opened = try Descriptor.open(name, flags, mode: mode)
      do throws(Errno) {
        let status = try Files.status(of: opened.number)
        guard status.kind == .regular else {
          throw Errno(EINVAL)
        }
        guard opened.tryLock() else { throw Errno(EBUSY) }
        try opened.setAccess(mode: mode, group: group)
        identity = (status.device, status.inode)
        size = try opened.size()
        begun = 0
        // What a crash has left of a last line is given a newline.
        if size > 0, try opened.bytes(at: size - 1, count: 1) != [0x0a] { begun = 1 }
      } catch { throw SystemError("prepare", name, error) }
      file = Opened(opened)
    } catch { throw DestinationFailure(text: "\(error)") }
    if begun > 0 { _ = try put([0x0a]) }
    lookedAt = MonotonicTime.now
  }

  func write(_ bytes: ArraySlice<UInt8>) throws(DestinationFailure) -> Int {
    if begun == 0 {
      let now = MonotonicTime.now
      if now - lookedAt >= .seconds(1) {
        lookedAt = now
        if !isInPlace { try begin() }
      }
      if size > 0, size + bytes.count > maximumSize { try rotate() }
    }
    return try put(bytes)
  }

  func sync() throws(DestinationFailure) {
    guard syncs, let number = file?.descriptor.number else { return }
    do throws(Errno) {
      try Descriptor.sync(number, everything: false)
    } catch { throw DestinationFailure(text: "cannot sync \(name): \(error)") }
  }

  private var isInPlace: Bool {
    guard let now = try? Files.status(of: name, followingLinks: false) else { return false }
    return now.device == identity.device && now.inode == identity.inode
  }

  private func put(_ bytes: ArraySlice<UInt8>) throws(DestinationFailure) -> Int {
    guard let number = file?.descriptor.number else {
      throw DestinationFailure(text: "\(name) is not open")
    }
    switch unsafe bytes.withUnsafeBytes({ unsafe Transfer.write(number, $0) }) {
    case .bytes(let count) where count > 0:
      size += count
      let written = bytes.prefix(count)
      if let newline = written.lastIndex(of: 0x0a) {
        begun = written.endIndex - newline - 1
      } else {
        begun += count
      }
      return count
    case .bytes, .wouldBlock: throw DestinationFailure(text: "cannot write to \(name): no room")
    case .failed(let errno):
      takeBack()
      throw DestinationFailure(text: "cannot write to \(name): \(errno)")
    }
  }

  /// A line of which only the beginning could be written is taken back.
  private func takeBack() {
    guard begun > 0, size >= begun else { return }
    if (try? file?.descriptor.truncate(to: size - begun)) != nil {
      size -= begun
      begun = 0
    }
  }

  /// Makes it number 1, and each older one the next; the oldest goes.
  private func rotate() throws(DestinationFailure) {
    do throws(SystemError) {
      try RotatedFiles.rotate(name, keeping: count) { (old, _) throws(SystemError) in
        try Files.remove(old)
      }
      do throws(Errno) {
        try file?.descriptor.setAccess(mode: group == 0 ? 0o400 : 0o440, group: group)
      } catch { throw SystemError("make read-only", name, error) }
    } catch { throw DestinationFailure(text: "\(error)") }
    try begin()
  }
}
