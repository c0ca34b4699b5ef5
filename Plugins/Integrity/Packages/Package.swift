/// What dpkg calls a package: of several architectures each is one.
struct PackageName: Hashable, Comparable, Sendable {
  var name: String
  var architecture: String

  static func < (a: Self, b: Self) -> Bool {
    (a.name, a.architecture) < (b.name, b.architecture)
  }
}

/// A package as dpkg's database has it.
struct Package: Equatable, Sendable {
  var version: String
  /// The last word of its `Status`: `installed`, `half-configured`, `config-files`.
  var state: String
  /// When the list of its files was written, in nanoseconds since 1970; 0 where there is none.
  /// Every unpacking writes it anew, also that of the same version.
  var listed: Int64

  /// Whether more of it is there than its configuration.
  var isUnpacked: Bool { state != "config-files" && state != "not-installed" }
}

/// What became of one package between two looks at dpkg's database.
struct PackageStep: Equatable, Sendable {
  enum Kind: String, Sendable {
    case installed, removed, updated, reinstalled
    /// Its files are the same ones; dpkg did something else with it.
    case configured
  }

  let name: PackageName
  let before: Package?
  let after: Package?

  var kind: Kind {
    let (was, isThere) = (before?.isUnpacked == true, after?.isUnpacked == true)
    if was != isThere { return isThere ? .installed : .removed }
    if !isThere { return .removed }
    if before?.version != after?.version { return .updated }
    return before?.listed != after?.listed ? .reinstalled : .configured
  }

  /// Those that differ, by name.
  static func steps(
    from before: [PackageName: Package], to after: [PackageName: Package]
  ) -> [PackageStep] {
    Set(before.keys).union(after.keys).sorted().compactMap { name in
      before[name] == after[name]
        ? nil : PackageStep(name: name, before: before[name], after: after[name])
    }
  }

  /// `hello 2.10-3 -> 2.11-1`; `none` where it was or is not there.
  var shown: String {
    let versions = [before, after].map { $0.flatMap { $0.isUnpacked ? $0.version : nil } }
    let (old, new) = (versions[0] ?? "none", versions[1] ?? "none")
    return switch kind {
    case .reinstalled, .configured: "\(name.name) \(new) \(kind.rawValue)"
    case .installed, .removed, .updated: "\(name.name) \(old) -> \(new)"
    }
  }
}
