import AudispatchPlugin
import Linux

/// The commands that begin and end a time in which changes are expected.
extension CommandExecution {
  mutating func beginMaintenance() throws -> Int32 {
    guard let reason = options.reason, !reason.isEmpty else {
      log.write(.error, "begin needs --reason: it is kept with who gave it")
      return Command.Status.unusable
    }
    let key = try options.key()
    let baseline = try Baseline.open(options.database)
    let now = WallClock.milliseconds
    if let open = try baseline.windows().last(where: { $0.covers(now) }) {
      log.write(.error, "there is a maintenance window already: \(open.shown)")
      return Command.Status.different
    }
    let until = now + options.windowLasts * 1000
    let head = try baseline.beginMaintenance(
      until: until,
      Generation(number: 0, at: now, command: "begin", reason: reason, actor: .current),
      signing: key)
    try output.line(
      "maintenance window \(head.sequence), up to \(Timestamp.text(milliseconds: until)), "
        + Actor.current.shown)
    try output.line("head \(head.shown)")
    return Command.Status.same
  }

  mutating func endMaintenance() throws -> Int32 {
    let key = try options.key()
    let baseline = try Baseline.open(options.database)
    let now = WallClock.milliseconds
    guard let open = try baseline.windows().last(where: { $0.covers(now) }) else {
      log.write(.error, "there is no maintenance window")
      return Command.Status.different
    }
    let head = try baseline.end(
      open,
      Generation(number: 0, at: now, command: "end", reason: options.reason, actor: .current),
      signing: key)
    try output.line(
      "maintenance window \(open.generation.number) has ended, \(Actor.current.shown)")
    try output.line("head \(head.shown)")
    return Command.Status.same
  }
}
