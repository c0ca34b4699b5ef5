import Linux

/// What the commands know of packages.
extension CommandExecution {
  /// dpkg's database, where it can explain something that is watched.
  var dpkg: DpkgDatabase? {
    let dpkg = DpkgDatabase(root: options.packageRoot)
    return options.explainsUpdates && dpkg.stamp != nil && dpkg.concerns(options.policy.roots)
      ? dpkg : nil
  }

  /// What has become of the packages since the baseline was made; `nil` where that is not known, or
  /// is nothing.
  func explaining(since baseline: Baseline) throws -> Explaining? {
    guard let dpkg else { return nil }
    let table = PackageTable(baseline.database)
    guard let before = try table.all()?.compactMapValues(\.self) else { return nil }
    let steps = PackageStep.steps(from: before, to: try dpkg.packages())
    if steps.isEmpty { return nil }
    return Explaining(
      steps, try PackageFiles(of: steps, in: dpkg) { try table.files(of: $0) ?? [] })
  }

  /// Keeps what packages there are, now that everything they changed is accepted.
  func notePackages(in baseline: Baseline) throws {
    guard let dpkg else { return }
    let table = PackageTable(baseline.database)
    let before = try table.all()?.compactMapValues(\.self)
    if try before == dpkg.packages() { return }
    try baseline.database.execute("BEGIN IMMEDIATE")
    do { try table.replace(by: dpkg) } catch {
      try baseline.database.execute("ROLLBACK")
      throw error
    }
    try baseline.database.execute("COMMIT")
  }
}
