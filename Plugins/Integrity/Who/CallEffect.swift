import AudispatchPlugin
import AuditRecord
import Glibc

/// What a system call can have changed.
struct CallEffect: OptionSet, Hashable, Sendable {
  let rawValue: UInt16

  /// The bytes of a file.
  static let content = Self(rawValue: 1)
  /// Which names there are, and what they stand for.
  static let names = Self(rawValue: 2)
  /// It opened a file for writing: the bytes may change as long as that is open.
  static let opening = Self(rawValue: 4)
  static let mode = Self(rawValue: 8)
  static let owner = Self(rawValue: 16)
  static let times = Self(rawValue: 32)
  /// Extended attributes, and what is kept as one: access lists, capabilities, labels. Which of them,
  /// the record does not say.
  static let extended = Self(rawValue: 64)
  /// Those of chattr(1).
  static let flags = Self(rawValue: 128)
  static let verity = Self(rawValue: 256)

  init(rawValue: UInt16) { self.rawValue = rawValue }

  /// What is changed of a file by a descriptor alone, which the record does not name.
  static let unnamed: Self = [.flags, .verity]
  static let attributes: Self = [.mode, .owner, .times, .extended, .flags, .verity]
  static let all: Self = [.content, .names, .opening, .attributes]

  /// Of what an event tells; empty where it can have changed nothing.
  ///
  /// What is not known to be harmless counts as able to change everything.
  init(_ event: AuditEvent, _ call: EventRecord) {
    guard call.type != .uring, let name = event.systemCallName(in: call) else {
      self = .all
      return
    }
    if let known = Self.known[name] {
      self = known
    } else if Self.harmless.contains(name) {
      self = []
    } else if name == "ioctl" {
      self = event.argument(1, of: call).map { FileRequest.effect(of: $0) } ?? .all
    } else if let place = Self.openingFlags[name] {
      self = Self.byFlags(event.argument(place, of: call))
    } else if name == "openat2" {
      // The flags stand in a structure, of which a record of its own tells.
      let flags = event.record(.openat2).flatMap { event.value("oflag", of: $0) }
      self = Self.byFlags(flags.flatMap { Self.octal($0) })
    } else {
      self = .all
    }
  }

  private static func byFlags(_ flags: UInt64?) -> Self {
    guard let flags else { return .all }
    let changes =
      flags & UInt64(O_ACCMODE) != UInt64(O_RDONLY) || flags & UInt64(O_TRUNC) != 0
    return changes ? [.opening, .content] : []
  }

  /// The kernel writes the flags of openat2 as `0100102`.
  private static func octal(_ value: [UInt8]) -> UInt64? {
    UInt64(String(decoding: value, as: UTF8.self), radix: 8)
  }

  /// Which argument has the flags.
  private static let openingFlags = ["open": 1, "openat": 2, "open_by_handle_at": 2]

  private static let known: [String: Self] = {
    var known: [String: Self] = ["creat": [.content, .opening]]
    func add(_ names: String, _ effect: Self) {
      for name in names.split(whereSeparator: \.isWhitespace) { known[String(name)] = effect }
    }
    add(
      """
      rename renameat renameat2 link linkat unlink unlinkat rmdir mkdir mkdirat mknod mknodat
      symlink symlinkat bind
      """, .names)
    add("truncate truncate64 ftruncate ftruncate64 fallocate", .content)
    add("chmod fchmod fchmodat fchmodat2", .mode)
    add("chown lchown fchown fchownat chown32 lchown32 fchown32", .owner)
    add(
      """
      setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat
      """, .extended)
    add("utime utimes utimensat utimensat_time64 futimesat", .times)
    add("file_setattr", .flags)
    return known
  }()

  private static let harmless = Set(
    """
    execve execveat access faccessat faccessat2 stat lstat fstat newfstatat stat64 lstat64 fstat64
    fstatat64 statx statfs fstatfs statfs64 readlink readlinkat chdir fchdir getxattr lgetxattr
    fgetxattr getxattrat listxattr llistxattr flistxattr listxattrat read pread64 readv
    inotify_add_watch fanotify_mark name_to_handle_at connect getdents getdents64 file_getattr
    kill tkill tgkill exit exit_group clone clone3 fork vfork setuid setgid setresuid setresgid
    setreuid setregid setsid ptrace
    """.split(whereSeparator: \.isWhitespace).map(String.init))
}

extension RecordType {
  static let uring = RecordType(rawValue: 1336)
  static let openat2 = RecordType(rawValue: 1337)
  static let workingFolder = RecordType(rawValue: 1307)
}

extension AuditEvent {
  /// An argument of a system call, which the kernel writes in hexadecimal.
  func argument(_ number: Int, of call: EventRecord) -> UInt64? {
    value("a\(number)", of: call).flatMap { UInt64(String(decoding: $0, as: UTF8.self), radix: 16) }
  }

  func number(_ field: String, of record: EventRecord) -> UInt32? {
    value(field, of: record).flatMap { UInt32(String(decoding: $0, as: UTF8.self)) }
  }
}
