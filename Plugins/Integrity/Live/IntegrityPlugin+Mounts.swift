import AudispatchPlugin
import Linux

/// What is mounted, and unmounted, where files are watched.
extension IntegrityPlugin {
  /// Has the kernel tell of what is there now, looks at it, and says so.
  mutating func takeMounts() throws {
    let affected = watching.takeMounts(options.policy)
    if !affected.isEmpty { try look(at: affected) }
    let answered = watching.takeAnswered()
    if !answered.isEmpty { try look(at: answered) }
  }

  private mutating func look(at affected: [FilePath]) throws {
    let reached = affected.filter { watching.isReachable($0) }
    renewRules(in: reached)
    proving.rulesAt = .zero
    watching.forgetMarks()
    for path in reached {
      if options.policy.roots.contains(path) { watching.add(path.folder, by: helper, &log) }
      watchTree(path)
    }
    for canary in proving.canaries { watching.add(canary.folder, by: helper, &log) }
    try scanning.want(reached)
    sayMounts()
  }

  mutating func sayMounts() {
    say(
      "mounts", watching.findings(options.policy), well: "all is mounted as it was at the start")
  }

  mutating func watchRoots() { watching.addRoots(of: options.policy, by: helper, &log) }

  mutating func watchTree(_ root: FilePath) {
    watching.addTree(root, of: options.policy, by: helper, &log)
  }

  private mutating func renewRules(in affected: [FilePath]) {
    guard options.loadsRules, helper != nil, !affected.isEmpty else { return }
    let keeper = HelperRules(helper: helper)
    for place in WatchRules.places(of: options.policy)
    where affected.contains(where: { place.path.isWithin($0) })
      && watching.isReachable(place.path)
    {
      let rules = WatchRules.rules(for: place, key: IntegrityOptions.ownKey)
      do throws(Errno) { try keeper.renew(rules) } catch {
        log.write(.warning, "\(place.path.shown): the rules cannot be renewed: \(error)")
      }
    }
  }
}
