/// Sorts changes into what dpkg's database explains and what stands out.
struct Explaining {
  private(set) var update: PackageUpdate
  private let files: PackageFiles

  init(_ steps: [PackageStep], _ files: PackageFiles) {
    update = PackageUpdate(steps)
    self.files = files
  }

  /// The change, if it stands out. Reads the file where there is a sum to compare with.
  mutating func take(_ report: ChangeReport) -> ChangeReport? {
    let path = report.change.path
    let owner = files.now[path]
    let verdict = Verdict(
      report.change, owner: owner, former: files.before[path], management: report.management
    ) {
      guard let sum = owner?.sum, let after = report.change.after,
        let found = ContentSum.md5(of: path, in: after)
      else { return .unread }
      return found == sum ? .equal : .different
    }
    return update.take(report, verdict)
  }

  /// A record has come late of who made one that was explained.
  mutating func join(_ attribution: Attribution) { update.attribution?.join(attribution) }

  mutating func note(_ seen: SeenManagers) { update.seen.join(seen) }
}
