/// Finds the session leader by which somebody, or something, came in: the outermost one below the
/// system's first process, a container's keeper, or a program that lets people in.
enum EntryLeader {
  private static let doors = [
    "sshd", "login", "systemd", "init", "cron", "crond", "atd", "conmon", "runc", "dropbear",
  ].map { Array($0.utf8) }
  /// How the names of others begin.
  private static let beginnings = ["containerd-shim", "sshd-"].map { Array($0.utf8) }

  static func find(_ context: EventContext) -> KnownProcess? {
    guard let process = context.process else { return nil }
    var found: KnownProcess?
    for place in -1..<context.ancestors.count {
      let member = place < 0 ? process : context.ancestors[place]
      if member.pid == 1 || member.isDoor { break }
      if member.session == member.pid { found = member }
    }
    return found ?? (context.sessionLeader?.isDoor == true ? nil : context.sessionLeader)
  }

  /// Whether a process of that name lets people in.
  static func isDoor(_ name: [UInt8]) -> Bool {
    doors.contains(name) || name.count > 4 && beginnings.contains { name.starts(with: $0) }
  }
}
