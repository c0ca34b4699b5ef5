import AudispatchPlugin
import AuditRecord
import CAudit

/// Architectures by the number in a record (`arch=c000003e`), as `linux/audit.h` has them.
enum Architectures {
  static let names: [UInt32: String] = [
    0xc000_00b7: "aarch64", 0x4000_0028: "arm", 0x28: "armeb", 0x4000_008c: "c6x", 0x8c: "c6xbe",
    0x4000_004c: "cris", 0x5441: "frv", 0x2e: "h8300", 0x4000_0003: "i386", 0xc000_0032: "ia64",
    0x58: "m32r", 0x4: "m68k", 0x8: "mips", 0x8000_0008: "mips64", 0xa000_0008: "mips64n32",
    0x4000_0008: "mipsel", 0xc000_0008: "mipsel64", 0xe000_0008: "mipsel64n32",
    0x4000_0071: "nios2", 0xf: "parisc", 0x8000_000f: "parisc64", 0x14: "ppc",
    0x8000_0015: "ppc64", 0xc000_0015: "ppc64le", 0x16: "s390", 0x8000_0016: "s390x", 0x2a: "sh",
    0x8000_002a: "sh64", 0x4000_002a: "shel", 0xc000_002a: "shel64", 0x2: "sparc",
    0x8000_002b: "sparc64", 0xc000_003e: "x86_64", 0xc000_00f3: "riscv64", 0x4000_00f3: "riscv32",
    0xc000_0102: "loongarch64",
  ]
  static let bytes = names.mapValues { Array($0.utf8) }
}

/// Names of system calls: libaudit's, and those that are newer than it.
enum SystemCallNames {
  static let machines: [(name: String, architecture: UInt32)] = [
    ("x86_64", 0xc000_003e), ("i386", 0x4000_0003), ("aarch64", 0xc000_00b7),
  ]

  /// Calls since 5.18 have one number on all of these machines.
  private static let newer: [Int: String] = [
    451: "cachestat", 452: "fchmodat2", 453: "map_shadow_stack", 454: "futex_wake",
    455: "futex_wait", 456: "futex_requeue", 457: "statmount", 458: "listmount",
    459: "lsm_get_self_attr", 460: "lsm_set_self_attr", 461: "lsm_list_modules", 462: "mseal",
    463: "setxattrat", 464: "getxattrat", 465: "listxattrat", 466: "removexattrat",
    467: "open_tree_attr", 468: "file_getattr", 469: "file_setattr", 470: "listns",
  ]

  static func name(_ number: Int, architecture: UInt32) -> String? {
    guard number >= 0, number <= Int(Int32.max) else { return nil }
    let machine = audit_elf_to_machine(architecture)
    if machine >= 0, let name = unsafe audit_syscall_to_name(Int32(number), machine) {
      return unsafe String(cString: name)
    }
    if architecture == 0xc000_003e {
      if number == 335 { return "uretprobe" }
      if number == 336 { return "uprobe" }
    }
    return machines.contains { $0.architecture == architecture } ? newer[number] : nil
  }
}

/// What is known of a system call of an architecture.
struct SystemCall: Sendable {
  /// `nil` for a number that no table names.
  let name: [UInt8]?
  let libaudit: Normalization?
  let complete: Normalization?
}

/// System calls by architecture and number, each looked up once.
struct SystemCallCache: Sendable {
  private var known: [UInt64: SystemCall] = [:]
  /// A power of two.
  private static let recentSize = 64
  /// The last of each place, so that nothing is hashed for the few that come again and again. No call
  /// has the largest key.
  private var recent = [(key: UInt64, call: SystemCall)](
    repeating: (.max, SystemCall(name: nil, libaudit: nil, complete: nil)), count: recentSize)

  mutating func call(_ number: Int, architecture: UInt32) -> SystemCall {
    let key = UInt64(architecture) << 32 | UInt64(UInt32(truncatingIfNeeded: number))
    let place = number & (Self.recentSize - 1)
    if recent[place].key == key { return recent[place].call }
    let call = found(number, architecture, key)
    recent[place] = (key, call)
    return call
  }

  private mutating func found(_ number: Int, _ architecture: UInt32, _ key: UInt64) -> SystemCall {
    if let call = known[key] { return call }
    let name = SystemCallNames.name(number, architecture: architecture).map { Array($0.utf8) }
    let call = SystemCall(
      name: name, libaudit: name.flatMap(NormalizationTable.libaudit.call),
      complete: name.flatMap(NormalizationTable.complete.call))
    // Numbers are a record's choice: a bound, so that nobody fills the memory with them.
    if known.count >= 4096 { known.removeAll(keepingCapacity: true) }
    known[key] = call
    return call
  }
}

/// What is known of a type of record: its name, also where a line has only its number.
struct RecordKind: Sendable {
  let name: [UInt8]
  let lowerName: [UInt8]
  let libaudit: [Normalization]
  let complete: [Normalization]

  /// Of no record.
  init() { (name, lowerName, libaudit, complete) = ([], [], [], []) }

  init(_ name: [UInt8]) {
    self.name = name
    lowerName = name.map { (0x41...0x5a).contains($0) ? $0 + 0x20 : $0 }
    libaudit = NormalizationTable.libaudit.records(name)
    complete = NormalizationTable.complete.records(name)
  }
}

extension RecordKind {
  init(_ record: EventRecord, in lines: [UInt8]) { self.init(Self.name(record, in: lines)) }

  /// The type of a record; `UNKNOWN[1327]` has the name of that number, if there is one.
  static func name(_ record: EventRecord, in lines: [UInt8]) -> [UInt8] {
    let written = lines[record.typeName]
    let type = record.type
    guard written.starts(with: "UNKNOWN[".utf8), type != .unnamed else { return Array(written) }
    return Array(type.knownName.utf8)
  }
}

/// Errors and signals by number.
enum NumberNames {
  static let errors: [[UInt8]?] = (0..<256).map { number in
    guard let name = unsafe audit_errno_to_name(Int32(number)) else { return nil }
    return unsafe Array(String(cString: name).utf8)
  }

  static let signals: [[UInt8]?] = [nil] + SignalNames.all.dropFirst().map { Array($0.utf8) }
}
