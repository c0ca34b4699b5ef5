import AudispatchPlugin
import Linux

/// What is mounted, and unmounted, where files are watched.
extension IntegrityPlugin {
  /// Has the kernel tell of what is there now, looks at it, and says so.
  mutating func takeMounts() throws {
    let affected = mounts.take(MountPoints.mounts, options.policy)
    if affected.isEmpty { return }
    say(
      "mounts", mounts.findings(options.policy), well: "all is mounted as it was at the start")
    renewRules(in: affected)
    proving.rulesAt = .zero
    watch.folders.forgetMarks()
    for path in affected {
      if options.policy.roots.contains(path) { watchFolder(path.folder) }
      watchTree(path)
    }
    for canary in proving.canaries { watchFolder(canary.folder) }
    try scan.want(affected)
  }

  private mutating func renewRules(in affected: [FilePath]) {
    guard options.loadsRules, helper != nil else { return }
    let keeper = HelperRules(helper: helper)
    for place in WatchRules.places(of: options.policy)
    where affected.contains(where: { place.path.isWithin($0) }) {
      let rules = WatchRules.rules(for: place, key: IntegrityOptions.ownKey)
      do throws(Errno) { try keeper.renew(rules) } catch {
        log.write(.warning, "\(place.path.shown): the rules cannot be renewed: \(error)")
      }
    }
  }
}
