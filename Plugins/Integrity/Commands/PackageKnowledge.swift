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

  /// The packages, if they are others than the baseline knows.
  func newPackages(since baseline: Baseline) throws -> [PackageTable.Row]? {
    guard let dpkg else { return nil }
    let before = try PackageTable(baseline.database).all()?.compactMapValues(\.self)
    return try before == dpkg.packages() ? nil : dpkg.rows()
  }
}
