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
  mutating func explaining(since baseline: Baseline) throws -> Explaining? {
    guard let dpkg else { return nil }
    let table = PackageTable(baseline.database)
    guard let before = try table.all()?.compactMapValues(\.self) else { return nil }
    let stanzas = try stanzas(of: dpkg)
    let steps = PackageStep.steps(from: before, to: dpkg.packages(stanzas))
    if steps.isEmpty { return nil }
    return Explaining(
      steps, try PackageFiles(of: steps, in: dpkg, stanzas) { try table.files(of: $0) ?? [] })
  }

  /// The packages, if they are others than the baseline knows.
  mutating func newPackages(since baseline: Baseline) throws -> [PackageTable.Row]? {
    guard let dpkg else { return nil }
    let before = try PackageTable(baseline.database).all()?.compactMapValues(\.self)
    let stanzas = try stanzas(of: dpkg)
    return before == dpkg.packages(stanzas) ? nil : dpkg.rows(stanzas)
  }

  /// The packages, read once: all that one command says is of the same moment.
  private mutating func stanzas(
    of dpkg: DpkgDatabase
  ) throws(SystemError) -> [PackageName: DpkgText.Stanza] {
    if let stanzas { return stanzas }
    let read = try dpkg.stanzas()
    stanzas = read
    return read
  }
}
