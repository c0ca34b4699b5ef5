/// Finds the session leader by which somebody, or something, came in: the outermost one below the
/// system's first process, a container's keeper, or a program that lets people in.
enum EntryLeader {
  private static let doors = [
    "sshd", "login", "systemd", "init", "cron", "crond", "atd", "containerd-shim", "conmon", "runc",
    "dropbear",
  ]

  static func find(_ context: EventContext) -> KnownProcess? {
    guard let process = context.process else { return nil }
    var found: KnownProcess?
    for member in [process] + context.ancestors {
      if member.pid == 1 || isDoor(member) { break }
      if member.session == member.pid { found = member }
    }
    return found ?? (context.sessionLeader.map(isDoor) == true ? nil : context.sessionLeader)
  }

  private static func isDoor(_ process: KnownProcess) -> Bool {
    doors.contains { door in
      process.name.elementsEqual(door.utf8)
        || door.utf8.count > 10 && process.name.starts(with: door.utf8)
        || door == "sshd" && process.name.starts(with: "sshd-".utf8)
    }
  }
}
