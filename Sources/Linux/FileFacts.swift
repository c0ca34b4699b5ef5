import CAudispatch
import Glibc

/// The name of one entry of a folder: any bytes but NUL and slash.
public struct FileName: Hashable, Comparable, Sendable {
  /// With the NUL that the system wants behind it, so that no call copies the name.
  private let terminated: [UInt8]

  public init(_ bytes: some Sequence<UInt8>) {
    var terminated = Array(bytes)
    precondition(!terminated.contains(0), "a name holds no NUL")
    terminated.append(0)
    self.terminated = terminated
  }

  public var bytes: ArraySlice<UInt8> { terminated.dropLast() }

  /// By bytes, as `LC_ALL=C sort` has it.
  public static func < (a: FileName, b: FileName) -> Bool {
    a.terminated.lexicographicallyPrecedes(b.terminated)
  }

  func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    unsafe terminated.withUnsafeBytes { bytes in
      unsafe body(bytes.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
  }
}

/// What `statx` says of a file. Times are in nanoseconds since 1970.
public struct FileFacts: Equatable, Sendable {
  public var kind: FileKind
  /// The twelve permission bits.
  public var mode: UInt32
  public var user: UInt32
  public var group: UInt32
  public var links: UInt32
  public var size: UInt64
  public var inode: UInt64
  public var device: UInt64
  /// The device that a device file stands for.
  public var special: UInt64
  /// Of block devices, apart from character devices.
  public var isBlockDevice: Bool
  public var modified: Int64
  public var changed: Int64
  /// When the file was made; `nil` where the file system does not keep it.
  public var born: Int64?

  public init(
    kind: FileKind, mode: UInt32, user: UInt32, group: UInt32, links: UInt32, size: UInt64,
    inode: UInt64, device: UInt64, special: UInt64 = 0, isBlockDevice: Bool = false,
    modified: Int64, changed: Int64, born: Int64? = nil
  ) {
    self.kind = kind
    self.mode = mode
    self.user = user
    self.group = group
    self.links = links
    self.size = size
    self.inode = inode
    self.device = device
    self.special = special
    self.isBlockDevice = isBlockDevice
    self.modified = modified
    self.changed = changed
    self.born = born
  }

  init(_ raw: ad_file_facts) {
    kind = FileKind(mode: raw.mode)
    isBlockDevice = raw.mode & S_IFMT == S_IFBLK
    mode = raw.mode & 0o7777
    user = raw.user
    group = raw.group
    links = raw.links
    size = raw.size
    inode = raw.inode
    device = raw.device
    special = raw.special
    modified = raw.changed
    changed = raw.altered
    born = raw.born == .min ? nil : raw.born
  }
}
