import AudispatchPlugin

/// What the name of a field stands for in Laurel's documents.
enum LaurelName: UInt8, Sendable {
  case text, decimal, octal, hexadecimal
  /// `a0` to `a9`, of a system call.
  case argument
  /// As the members that are made here are called.
  case own

  static let table: Table = {
    var table = Table()
    table.add("mode", .octal)
    // As Laurel 0.5.1 of Debian writes them, found by asking it about each name.
    let decimal = """
      argc audit_backlog_limit audit_backlog_wait_time audit_enabled audit_failure auid capability \
      cap_fe changed compat dport egid enforcing entries errno euid exit family fd fe fsgid fsuid \
      gid igid inode inode_gid inode_uid ino ipid item items iuid len list lport major minor nargs \
      new_gid new_lock new-enabled new-log_passwd nlnk-pid oauid obj_gid obj_uid ogid \
      old_enforcing old_lock old_prom old_val old-auid old-enabled old-ses opid oses ouid \
      permissive pid ppid prom proto res rport sauid seqno ses sgid sig sigev_signo spid sport \
      suid syscall uid uuid val vm-pid
      """
    let hexadecimal = """
      arch cap_fi cap_fp cap_fver cap_pa cap_pe cap_pi cap_pp code fi flags fp fver ioctlcmd \
      old_pa old_pe old_pi old_pp pa pe per pi pp qbytes
      """
    for name in decimal.split(separator: " ") { table.add(name, .decimal) }
    for name in hexadecimal.split(separator: " ") { table.add(name, .hexadecimal) }
    for number in 0..<10 { table.add("a\(number)", .argument) }
    for name in ["ARGV", "ARGV_STR", "ENV", "SCRIPT", "PID", "PPID", "LABELS"] {
      table.add(name[...], .own)
    }
    return table
  }()

  /// Meanings by names, in places that follow from the keys.
  struct Table: Sendable {
    private static let size = 512
    private var places = [(name: UInt64, meaning: LaurelName)](
      repeating: (0, .text), count: Self.size)

    private static func place(of name: UInt64) -> Int {
      Int(truncatingIfNeeded: (name &* 0x9E37_79B9_7F4A_7C15) &>> 55)
    }

    fileprivate mutating func add(_ name: Substring, _ meaning: LaurelName) {
      let name = NameKey(Array(name.utf8)).bits
      var place = Self.place(of: name)
      while places[place].name != 0 { place = (place + 1) & (Self.size - 1) }
      places[place] = (name, meaning)
    }

    @inline(__always)
    subscript(_ name: NameKey) -> LaurelName {
      var place = Self.place(of: name.bits)
      while places[place].name != 0 {
        if places[place].name == name.bits { return places[place].meaning }
        place = (place + 1) & (Self.size - 1)
      }
      return .text
    }
  }
}
