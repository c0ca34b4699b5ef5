import AudispatchPlugin
import Linux

/// What is mounted, and unmounted, where files are watched.
extension IntegrityPlugin {
  /// Has the kernel tell of what is there now, looks at it, and says so.
  mutating func takeMounts() throws {
    let affected = mounts.take(MountPoints.mounts, options.policy)
    if !affected.isEmpty { try look(at: affected) }
  }

  /// Goes on with what has not answered before.
  mutating func takeReached() throws {
    let answered = reach.takeAnswered()
    if !answered.isEmpty { try look(at: answered) }
  }

  private mutating func look(at affected: [FilePath]) throws {
    let reached = affected.filter { isReachable($0) }
    renewRules(in: reached)
    proving.rulesAt = .zero
    watch.folders.forgetMarks()
    for path in reached {
      if options.policy.roots.contains(path) { watchFolder(path.folder) }
      watchTree(path)
    }
    for canary in proving.canaries { watchFolder(canary.folder) }
    try scan.want(reached)
    sayMounts()
  }

  /// Whether a folder can be looked into without waiting for what is mounted there.
  mutating func isReachable(_ path: FilePath) -> Bool {
    !mounts.points.contains(path) || reach.answers(path)
  }

  mutating func sayMounts() {
    let silent = reach.silent.map { "\($0.shown) does not answer: what is in it is not seen" }
    say(
      "mounts", mounts.findings(options.policy) + silent,
      well: "all is mounted as it was at the start")
  }

  private mutating func renewRules(in affected: [FilePath]) {
    guard options.loadsRules, helper != nil, !affected.isEmpty else { return }
    let keeper = HelperRules(helper: helper)
    for place in WatchRules.places(of: options.policy)
    where affected.contains(where: { place.path.isWithin($0) }) && isReachable(place.path) {
      let rules = WatchRules.rules(for: place, key: IntegrityOptions.ownKey)
      do throws(Errno) { try keeper.renew(rules) } catch {
        log.write(.warning, "\(place.path.shown): the rules cannot be renewed: \(error)")
      }
    }
  }
}
