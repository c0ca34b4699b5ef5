import CAudispatch
import Glibc

/// A set of capabilities; bit N is capability N.
public struct Capabilities: OptionSet, Hashable, Codable, Sendable {
  public let rawValue: UInt64

  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The capability of this name, in any case, with or without `CAP_` in front; `nil`: there is
  /// none.
  public init?(named name: String) {
    var name = name.uppercased()
    if name.hasPrefix("CAP_") { name.removeFirst(4) }
    guard let number = Self.names.firstIndex(of: name) else { return nil }
    self.init(rawValue: 1 << UInt64(number))
  }

  public static let setGroup = Capabilities(rawValue: 1 << 6)
  public static let setUser = Capabilities(rawValue: 1 << 7)
  public static let setBound = Capabilities(rawValue: 1 << 8)

  /// What a dispatcher itself does things with: files and folders, whoever's they are (CHOWN,
  /// DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER); plugins of other users, ended (KILL), found in /proc
  /// (SYS_PTRACE), and given a user, groups, limits and capabilities (SETUID, SETGID,
  /// SYS_RESOURCE, SETPCAP); its own priority (SYS_NICE); and AUDIT_READ, which its helper for the
  /// kernel's records must find.
  public static let dispatchers = Capabilities(
    rawValue: 0b1_1110_1111 | 1 << 19 | 1 << 23 | 1 << 24 | 1 << 37)

  /// To listen at a port below 1,024.
  public static let bindPorts = Capabilities(rawValue: 1 << 10)
  public static let netAdmin = Capabilities(rawValue: 1 << 12)
  public static let auditControl = Capabilities(rawValue: 1 << 30)
  public static let auditRead = Capabilities(rawValue: 1 << 37)
  /// To write records of one's own into the kernel's audit.
  public static let auditWrite = Capabilities(rawValue: 1 << 29)
  /// To read files and folders, whoever's they are.
  public static let readSearch = Capabilities(rawValue: 1 << 2)
  /// To look at other users' processes in /proc.
  public static let trace = Capabilities(rawValue: 1 << 19)
  /// To have fanotify watch whole file systems, among much else.
  public static let administer = Capabilities(rawValue: 1 << 21)

  /// Those that the calling thread may make effective.
  public static var permitted: Capabilities {
    Capabilities(rawValue: ad_own_capabilities().permitted)
  }

  /// Those that the kernel grants the calling thread something for now.
  public static var effective: Capabilities {
    Capabilities(rawValue: ad_own_capabilities().effective)
  }

  /// Makes only these effective, of the calling thread and those that it starts; the others can be
  /// had again, by a program that is executed above all. The corresponding call is `capset`.
  public static func makeEffective(only kept: Capabilities) {
    ad_make_effective(kept.rawValue)
  }

  /// Gives up all others for good, for this thread, those that it starts, and every program.
  /// The corresponding calls are `prctl(PR_CAPBSET_DROP)` and `capset`.
  public static func bound(to kept: Capabilities) throws(SystemError) {
    guard ad_bound_capabilities(kept.rawValue) == 0 else {
      throw SystemError("give up", "capabilities", .current)
    }
  }

  /// Gives up all others for good, as `bound` does where CAP_SETPCAP is there; without it they stay in
  /// the bounding set, but no program that is executed has any of them (no_new_privs).
  public static func giveUp(allBut kept: Capabilities) throws(SystemError) {
    if permitted.contains(.setBound) { try bound(to: kept) }
    guard ad_keep_capabilities(kept.rawValue) == 0 else {
      throw SystemError("give up", "capabilities", .current)
    }
  }

  /// As capabilities(7) has them, without `CAP_`.
  public static let names = [
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
    "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
    "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT",
    "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD",
    "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG",
    "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
  ]

  /// The names, in the order of the numbers, `CAP_` in front.
  public var names: [String] {
    (0..<64).filter { rawValue >> UInt64($0) & 1 != 0 }.map { number in
      Self.names.indices.contains(number) ? "CAP_" + Self.names[number] : "CAP_\(number)"
    }
  }
}
