import AudispatchPlugin
import Linux

/// The commands about the kernel's audit rules.
extension CommandExecution {
  /// Whether the rules are there and tell what they should, and what no rule tells.
  mutating func rules() throws -> Int32 {
    let coverage = try Coverage.current(
      AuditControl(), options.policy, key: IntegrityOptions.ownKey)
    for line in coverage.lines { try output.line(line) }
    if coverage.isWhole {
      let places = WatchRules.places(of: options.policy)
      try output.line(
        "every rule is there, for \(TextReport.counted(places.count, "place", "places"))")
    }
    try output.line("never told:")
    for line in Coverage.never { try output.line("  " + line) }
    return coverage.isWhole ? Command.Status.same : Command.Status.different
  }

  /// Loads the rules that are missing.
  mutating func load() throws -> Int32 {
    let control = try AuditControl()
    let before = try Coverage.current(control, options.policy, key: IntegrityOptions.ownKey)
    for failure in before.load(control) { log.write(.error, failure) }
    let after = try Coverage.current(control, options.policy, key: IntegrityOptions.ownKey)
    for line in after.lines { try output.line(line) }
    return after.isWhole ? Command.Status.same : Command.Status.different
  }

  /// Takes all rules with our key away.
  mutating func unload() throws -> Int32 {
    let control = try AuditControl()
    let key = AuditRule.ownKey
    for rule in try control.state().rules
    where rule.key == key || rule.key == key + WatchRules.linkedKey {
      do throws(Errno) { try control.delete(rule) } catch {
        log.write(.error, "a rule cannot be removed: \(error)")
        return Command.Status.different
      }
    }
    return Command.Status.same
  }
}
