import AudispatchPlugin
import CAudit
import Linux

/// The rules that tell of everybody who changes what is watched.
///
/// Of each root, and of each file system that is mounted below it, since a rule ends there: what
/// the kernel calls writing and changing attributes; calls that it leaves out of that, which set
/// times and flags, cut files and open them by handles; and what is done by io_uring. Besides, wherever
/// the file is: what chattr(1) and fs-verity ask for by a descriptor, of which no record names the file.
/// On each architecture of programs that the kernel runs. Calls that fail are left out.
enum WatchRules {
  /// A place that needs rules of its own.
  struct Place: Hashable, Sendable {
    var path: FilePath
    var isFolder: Bool
    /// It is a file with names elsewhere. Its rules tell of more than those that are relied on: that they
    /// come late leaves nobody uncertain.
    var isLinked = false
  }

  /// What the rules of such a file have behind the key of all, as a second one.
  static let linkedKey: [UInt8] = [1] + Array("linked".utf8)

  private static let otherCalls = [
    "utime", "utimes", "futimesat", "utimensat", "utimensat_time64", "ftruncate", "ftruncate64",
    "open_by_handle_at", "file_setattr",
  ]

  static func rules(for place: Place, key: String) -> [AuditRule] {
    let path: AuditRule.Field =
      place.isFolder ? .folder(place.path.bytes) : .file(place.path.bytes)
    let key = AuditRule.Field.key(Array(key.utf8) + (place.isLinked ? linkedKey : []))
    var rules: [AuditRule] = []
    for (machine, number) in architectures {
      let architecture = AuditRule.Field.architecture(number)
      rules.append(
        AuditRule(.exit, fields: [architecture, path, .permissions(8 | 2), .success, key]))
      let calls = otherCalls.compactMap { SystemCallName.number($0, machine) }.sorted()
      rules.append(
        AuditRule(.exit, calls: calls, fields: [architecture, path, .success, key]))
    }
    rules.append(AuditRule(.uring, fields: [path, .success, key]))
    return rules
  }

  /// Those that are of no place.
  static func unnamed(key: String) -> [AuditRule] {
    architectures.flatMap { machine, number in
      FileRequest.allCases.map { request in
        AuditRule(
          .exit, calls: [SystemCallName.number("ioctl", machine)].compactMap(\.self),
          fields: [
            .architecture(number), .request(request.rawValue), .success, .key(Array(key.utf8)),
          ])
      }
    }
  }

  /// The machine's own, and the one of 32 bits that it runs too.
  private static var architectures: [(machine: Int32, number: UInt32)] {
    let own = audit_detect_machine()
    let other: Int32? =
      switch own {
      case Int32(MACH_86_64.rawValue): Int32(MACH_X86.rawValue)
      case Int32(MACH_AARCH64.rawValue): Int32(MACH_ARM.rawValue)
      default: nil
      }
    return [own, other].compactMap { machine in
      guard let machine, machine >= 0 else { return nil }
      let number = audit_machine_to_elf(machine)
      return number > 0 ? (machine, UInt32(bitPattern: Int32(truncatingIfNeeded: number))) : nil
    }
  }

  /// The roots that are there, and the mount points below them; and files with names elsewhere, since what
  /// is done by one of those is told by a rule on the file alone.
  ///
  /// - Parameter linked: such files, as a scan has found them.
  static func places(of policy: Policy, linked: [FilePath] = []) -> [Place] {
    var places = linked.map { Place(path: $0, isFolder: false, isLinked: true) }
    for root in policy.roots {
      guard let folder = try? Folder(root.folder.bytes),
        let facts = try? folder.facts(of: root.isRoot ? FileName([]) : root.name)
      else { continue }
      places.append(Place(path: root, isFolder: facts.kind == .directory))
    }
    for mount in MountPoints.current where policy.decision(for: mount).leadsOn {
      let place = Place(path: mount, isFolder: true)
      if policy.roots.contains(where: { mount.isWithin($0) && mount != $0 }),
        !places.contains(place)
      {
        places.append(place)
      }
    }
    return places
  }

  /// The roots in which a canary can fly: those that are folders.
  static func canaryRoots(of policy: Policy) -> [FilePath] {
    places(of: policy).filter { $0.isFolder && policy.roots.contains($0.path) }.map(\.path)
  }
}

/// Where file systems are mounted whose files are kept somewhere.
enum MountPoints {
  struct Mount: Hashable {
    /// No two that are there at once have the same one.
    var number: UInt64
    var device: [UInt8]
    var path: FilePath
  }

  static var current: [FilePath] { mounts.map(\.path) }

  static var mounts: [Mount] {
    (try? Transfer.contents(of: "/proc/self/mountinfo", limit: 16 << 20)).map(parse) ?? []
  }

  /// `36 35 98:0 /root /mount/point rw,noatime shared:1 - ext4 /dev/sda rw` (proc_pid_mountinfo(5)).
  static func parse(_ bytes: [UInt8]) -> [Mount] {
    bytes.split(separator: 0x0a).compactMap { line in
      let words = line.split(separator: 0x20)
      guard words.count > 6, let dash = words.firstIndex(where: { $0.elementsEqual("-".utf8) }),
        dash + 1 < words.count,
        let number = UInt64(String(decoding: words[0], as: UTF8.self))
      else { return nil }
      let kind = String(decoding: words[dash + 1], as: UTF8.self)
      if FileSystemKind.madeUp.values.contains(kind) { return nil }
      return Mount(
        number: number, device: Array(words[2]), path: FilePath(unescaped(words[4])))
    }
  }

  /// Blanks and backslashes are `\040` there.
  private static func unescaped(_ word: ArraySlice<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    var at = word.startIndex
    while at < word.endIndex {
      if word[at] == 0x5c, at + 3 < word.endIndex,
        let value = UInt8(String(decoding: word[(at + 1)...(at + 3)], as: UTF8.self), radix: 8)
      {
        bytes.append(value)
        at += 4
      } else {
        bytes.append(word[at])
        at += 1
      }
    }
    return bytes
  }
}
