import AuditRecord

/// What a system call did where its arguments, or what it met, decide on the words.
extension EventFacts {
  /// The words of this very call; `nil` where those of the table fit.
  var callVariant: Action? {
    switch systemCallName {
    case "open", "openat", "openat2": createsFile ? Self.creation : nil
    // Of a file that was there it only takes the content.
    case "creat":
      !createsFile && paths.contains { $0.kind == "NORMAL" } ? Action.systemCalls["open"] : nil
    case "renameat2", "renameat": exchangesFiles ? Action("exchanged", "exchange", .rename) : nil
    case "mount": mounting
    case "move_mount": moving
    case "open_tree":
      // OPEN_TREE_CLONE
      argument(2).map { $0 & 1 != 0 } ?? false
        ? Action("copied the mount of", "copy the mount of", .path) : nil
    case "mknod": argument(1).flatMap(Self.makingNode)
    case "mknodat": argument(2).flatMap(Self.makingNode)
    case "settimeofday":
      argument(0) == 0 ? Action("set the time zone", "set the time zone", .none) : nil
    case "reboot": argument(2).flatMap(Self.rebooting)
    case "ptrace": argument(0).flatMap(Self.tracing)
    // CLONE_THREAD; clone3 has its flags in memory.
    case "clone":
      argument(0).map { $0 & 0x10000 != 0 } ?? false
        ? Action("started a thread", "start a thread", .none) : nil
    case "connect":
      socketAddress == .unspecified
        ? Action("dissolved a connection", "dissolve a connection", .none) : nil
    default: nil
    }
  }

  private static let creation = Action("created", "create", .path)

  /// mount(2): what its flags ask for, in the order in which the kernel looks at them.
  private var mounting: Action? {
    guard var flags = argument(3).map({ UInt32(truncatingIfNeeded: $0) }) else { return nil }
    // MS_MGC_VAL, which old programs still add.
    if flags & 0xffff_0000 == 0xc0ed_0000 { flags &= 0xffff }
    let (remount, bind, move): (UInt32, UInt32, UInt32) = (0x20, 0x1000, 0x2000)
    // MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED
    let propagation: UInt32 = 0x1e_0000
    if flags & remount != 0 {
      return Action("changed the mount options of", "change the mount options of", .path)
    }
    if flags & bind != 0 { return Action("made a bind mount", "make a bind mount", .bound) }
    if flags & propagation != 0 {
      return Action("changed the propagation of", "change the propagation of", .path)
    }
    return flags & move == 0 ? nil : Action("moved mount", "move mount", .moved)
  }

  /// move_mount(2): from a path that is mounted, or of a mount that only a descriptor leads to.
  private var moving: Action {
    mountEnds.source?.isPath ?? false
      ? Action("moved mount", "move mount", .moved) : Action("mounted", "mount", .attached)
  }

  private static func makingNode(_ mode: UInt64) -> Action? {
    switch mode & 0o170000 {
    case 0, 0o100000: creation
    case 0o010000: Action("made named pipe", "make named pipe", .path)
    case 0o020000, 0o060000: Action("made device", "make device", .path)
    case 0o140000: Action("made socket", "make socket", .path)
    default: nil
    }
  }

  /// The commands of `linux/reboot.h`.
  private static func rebooting(_ command: UInt64) -> Action {
    switch UInt32(truncatingIfNeeded: command) {
    case 0, 0x89ab_cdef:
      Action("changed Ctrl-Alt-Del handling", "change Ctrl-Alt-Del handling", .none)
    case 0x0123_4567, 0xa1b2_c3d4: Action("rebooted the system", "reboot the system", .none)
    case 0xcdef_0123: Action("halted the system", "halt the system", .none)
    case 0x4321_fedc: Action("switched the system off", "switch the system off", .none)
    case 0xd000_fce2: Action("suspended the system", "suspend the system", .none)
    case 0x4558_4543:
      Action("restarted into another kernel", "restart into another kernel", .none)
    case let other:
      Action(
        "called reboot (a2=0x\(String(other, radix: 16)))",
        "call reboot (a2=0x\(String(other, radix: 16)))", .none)
    }
  }

  /// The requests of `linux/ptrace.h` that do something else than trace.
  private static func tracing(_ request: UInt64) -> Action? {
    switch UInt32(truncatingIfNeeded: request) {
    case 0: Action("asked its parent to trace it", "ask its parent to trace it", .none)
    case 1, 2: Action("read the memory of", "read the memory of", .process)
    case 3: Action("read the registers of", "read the registers of", .process)
    case 4, 5: Action("wrote into the memory of", "write into the memory of", .process)
    case 6: Action("changed the registers of", "change the registers of", .process)
    case 8: Action("killed", "kill", .process)
    case 17: Action("stopped tracing", "stop tracing", .process)
    default: nil
    }
  }
}

/// Of what a mount is, and where.
extension EventFacts {
  struct MountEnd {
    var text: String
    var isPath: Bool
  }

  /// What is mounted and where. mount(2) looks up the folder first; move_mount(2) what is moved, of
  /// which an empty path stands for its descriptor.
  var mountEnds: (source: MountEnd?, target: String?) {
    let paths = paths.filter { $0.kind != "PARENT" }
    guard systemCallName == "move_mount" else {
      return (
        paths.dropFirst().first.map { MountEnd(text: shown($0), isPath: true) },
        paths.first.map { shown($0) }
      )
    }
    let target = paths.last.map { shown($0, isSecond: true) }
    if paths.count > 1, !paths[0].name.isEmpty {
      return (MountEnd(text: shown(paths[0]), isPath: true), target)
    }
    let descriptor = argument(0).map { "descriptor \(Int32(truncatingIfNeeded: $0))" }
    return (descriptor.map { MountEnd(text: $0, isPath: false) }, target)
  }

  /// The words between and around both ends; only where to when the source is not told.
  func mount(_ before: String, _ between: String) -> String? {
    let (source, target) = mountEnds
    guard let target else { return source.map { before + $0.text } }
    return source.map { "\(before)\($0.text) \(between) \(target)" } ?? "\(between) \(target)"
  }
}
